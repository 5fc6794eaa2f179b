import { describe, expect, it } from "vitest";
import { newJob } from "../../../src/chunk/job.ts";
import { repairJob } from "../../../src/gate/amendment/backfill.ts";
import { nameOfJob } from "../../../src/gate/decision/repair.ts";
import type { State } from "../../../src/gate/state.ts";
import { renderOutcome } from "../../../src/words/reason.ts";
import { play, publishing, release, RULES, stateOf, TOPIC } from "../customers.ts";

const NAME = `${TOPIC}/repair`;
const JOB = `repair/${TOPIC}`;
const waiting = {
  ...repairJob(publishing().shape),
  state: "waiting",
  reason: { kind: "too-many-rows", rows: 5000, amendment: NAME },
} as const;
const WAITING: State = { ...stateOf(), jobs: new Map([[JOB, waiting]]) };

function after(backfill: "all" | "none" | undefined, ids = [NAME]) {
  const { state } = play(RULES, WAITING, release(ids, { backfill }));
  const outcome = state.outcomes.get("c1");
  return { job: state.jobs.get(JOB), outcome: outcome && renderOutcome(outcome) };
}

describe("a repair that waits because of its rows", () => {
  it("is started by an operator, and does not ask again", () => {
    const { job, outcome } = after("all");
    expect(job).toMatchObject({ state: "running", reason: undefined, cleared: true });
    expect(outcome).toEqual({ kind: "done", message: `${NAME}: the rows are published again` });
  });

  it("is declined by an operator", () => {
    const { job, outcome } = after("none");
    expect(job).toMatchObject({ state: "done", reason: { kind: "declined" } });
    expect(outcome?.kind).toBe("done");
  });

  it("needs the word all or none, and a repair that exists", () => {
    expect(after(undefined)).toMatchObject({ job: { state: "waiting" }, outcome: { kind: "refused" } });
    expect(after("all", [NAME, "other/repair"])).toMatchObject({
      job: { state: "waiting" },
      outcome: { kind: "refused" },
    });
  });

  it("has a name of its own, while a backfill has its amendment's", () => {
    expect(nameOfJob(waiting)).toBe(NAME);
    expect(nameOfJob(newJob(`backfill/${TOPIC}/3`, TOPIC, "backfill"))).toBe(`${TOPIC}/3`);
  });
});
