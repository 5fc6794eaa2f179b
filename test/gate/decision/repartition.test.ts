import { expect, it } from "vitest";
import type { State } from "../../../src/gate/state.ts";
import { renderOutcome } from "../../../src/words/reason.ts";
import { play, publishing, release, RULES, stateOf, TOPIC } from "../customers.ts";

const GROWN = stateOf({ ...publishing(), partitions: 3, morePartitions: 6 });

function after(reason: string | undefined, from: State = GROWN) {
  const { state } = play(RULES, from, release([`${TOPIC}/partitions`], { reason }));
  const outcome = state.outcomes.get("c1");
  const table = state.tables.get(TOPIC);
  return { used: [table?.partitions, table?.morePartitions], outcome: outcome && renderOutcome(outcome).kind };
}

it("added partitions are used once an operator gives the reason", () => {
  expect(after("readers are ready")).toEqual({ used: [6, undefined], outcome: "done" });
});

it("added partitions are not used without a reason", () => {
  expect(after(undefined)).toEqual({ used: [3, 6], outcome: "refused" });
  expect(after(" ")).toEqual({ used: [3, 6], outcome: "refused" });
});

it("where no partitions were added there is nothing to accept", () => {
  expect(after("why not", stateOf({ ...publishing(), partitions: 3 }))).toEqual({
    used: [3, undefined],
    outcome: "refused",
  });
});
