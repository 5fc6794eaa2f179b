import { known } from "../contract/known.ts";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Contract } from "../../src/contract/contract.ts";
import type { RegistryAnswer } from "../../src/gate/amendment/amendment.ts";
import { alertKey, type NoCandidate } from "../../src/gate/decision/reason.ts";
import type { ReleasePolicy } from "../../src/gate/decision/policy.ts";
import type { Input, Mode, Rules, State } from "../../src/gate/state.ts";
import { findAmendment } from "../../src/gate/update.ts";
import { changes, EMPTY, replay, type Stored } from "../../src/store/records.ts";
import type { StateRecord } from "../../src/store/record.ts";
import { recalled } from "../../src/gate/evidence/evidence.ts";
import { candidateFor, effectsOf, fits, play, RULES, TOPIC } from "../gate/customers.ts";

/**
 * `state-0.1.0.json` holds state records as version 0.1.0 wrote them, one case for each of its sentences. People had
 * been alerted to every amendment, and reminded three times. Texts of schemas are kept once, as `schema:0`.
 */
const FIXTURE = JSON.parse(readFileSync(new URL("state-0.1.0.json", import.meta.url), "utf8")) as Fixture; // ours

interface Fixture {
  readonly schemas: readonly string[];
  readonly cases: readonly Case[];
}

interface Case {
  readonly about: string;
  readonly policy: ReleasePolicy;
  readonly mode: Mode;
  readonly contracts: readonly Contract[];
  /** Live groups that were known before the state was written. */
  readonly groups?: readonly string[];
  readonly records: readonly { readonly key: string; readonly value: object }[];
}

/** What 0.1.0 stored of the registry's answer. */
interface OldAnswer {
  readonly kind: "fits" | "refused" | "unanswered";
  readonly candidate?: object;
  readonly why?: string;
}

const CASES = FIXTURE.cases.map((one) => [one.about, one] as const);

function recordsOf({ records }: Case): readonly StateRecord[] {
  const whole = (_: string, value: unknown): unknown =>
    typeof value === "string" && value.startsWith("schema:") ? FIXTURE.schemas[Number(value.slice(7))] : value;
  return records.map(({ key, value }) => ({ key, value: JSON.stringify(value, whole) }));
}

function stateOf(stored: Stored, { contracts }: Case): State {
  const { tables, jobs, outcomes, evidence } = stored;
  return { tables, jobs, outcomes, contracts: known(...contracts), evidence: recalled(evidence) };
}

function amendmentsOf({ tables }: Pick<Stored, "tables">) {
  return [...tables.values()].flatMap(({ amendments }) => amendments);
}

/** The groups as before. Then each amendment is asked about again and answered as before, with a different text. */
function restart(given: Case, state: State): { readonly state: State; readonly effects: readonly string[] } {
  const rules: Rules = { ...RULES, mode: given.mode, "fieldgate.release.policy": given.policy };
  const polled = play(rules, state, groupsInput(given, state)).state;
  let now = polled;
  const effects: string[] = [];
  for (const { id, gate } of amendmentsOf(polled)) {
    if (gate.kind === "released") continue;
    for (const input of [() => ({ kind: "ask", id }) as const, (at: State) => answerInput(given, at, id)]) {
      const next = input(now);
      if (next === undefined) continue;
      const step = play(rules, now, next);
      effects.push(...effectsOf(step));
      now = step.state;
    }
  }
  return { state: now, effects };
}

function groupsInput({ groups }: Case, state: State): Input {
  const at = 86_400_000;
  const isFailed = amendmentsOf(state).some(({ gate }) => JSON.stringify(gate).includes("poll-failed"));
  if (groups === undefined && isFailed) return { kind: "groups", poll: { kind: "unknown", at, why: "another text" } };
  if (groups === undefined) return { kind: "settle", topic: "none" };
  const found = groups.map((group) => ({ group, members: 1, offsets: new Map(), readers: new Map() }));
  return { kind: "groups", poll: { kind: "seen", at, byTopic: new Map([[TOPIC, found]]) } };
}

function answerInput(given: Case, state: State, id: string): Input | undefined {
  const [table] = given.records.filter(({ key }) => key.startsWith("table/"));
  const { amendments } = (table?.value ?? { amendments: [] }) as {
    amendments: readonly { id: string; answer?: OldAnswer }[];
  }; // the key says so
  const old = amendments.find((one) => one.id === id)?.answer;
  if (old === undefined) return undefined;
  const rules: Rules = { ...RULES, mode: given.mode, "fieldgate.release.policy": given.policy };
  if (old.kind === "fits") return fits(state, id, rules);
  const text = "another text";
  const answer: RegistryAnswer =
    old.kind === "unanswered"
      ? { kind: "unanswered", code: "registry-down", text }
      : old.candidate === undefined
        ? { kind: "no-candidate", why: noCandidateOf(given, id) }
        : { kind: "refused", candidate: candidateFor(state, id, false, rules), text };
  return { kind: "judged", id, answer };
}

/** The reason as it was read from the sentence. */
function noCandidateOf(given: Case, id: string): NoCandidate {
  const { gate } = amendmentsOf(replay(recordsOf(given))).find((one) => one.id === id) ?? {};
  return gate?.reason as NoCandidate; // a case without a candidate has that reason
}

describe("state that version 0.1.0 wrote", () => {
  it.each(CASES)("is read: %s", (_, given) => {
    const stored = replay(recordsOf(given));
    const all = amendmentsOf(stored);
    expect(all.length).toBeGreaterThan(0);
    for (const { gate, alerted, answer } of all) {
      expect(gate.reason.kind).not.toBe("recorded");
      expect(answer).toBeUndefined();
      if (alerted !== undefined) expect(alerted).toMatchObject({ time: "2026-02-03T04:05:06.000Z", reminders: 3 });
    }
    for (const { reason } of stored.jobs.values()) expect(reason?.kind).not.toBe("recorded");
  });

  it.each(CASES)("alerts no one again after the upgrade, and keeps the reminders: %s", (_, given) => {
    const before = stateOf(replay(recordsOf(given)), given);
    const { state, effects } = restart(given, before);
    expect(effects.filter((effect) => effect.startsWith("alert"))).toEqual([]);
    for (const { id, alerted, gate } of amendmentsOf(before)) {
      expect(findAmendment(state, id)?.amendment.alerted).toEqual(alerted);
      if (gate.kind === "released" && alerted !== undefined) expect(alerted.key).toBe(alertKey({ gate }));
    }
  });

  it("is written in the present form once it changes, and then reads the same", () => {
    for (const [, given] of CASES) {
      const stored = replay(recordsOf(given));
      expect(changes(stored, stored)).toEqual([]);
      const again = replay(changes(EMPTY, stored));
      expect(JSON.stringify([...again.tables])).toBe(JSON.stringify([...stored.tables]));
      expect(JSON.stringify([...again.outcomes])).toBe(JSON.stringify([...stored.outcomes]));
      expect(JSON.stringify([...again.jobs])).toBe(JSON.stringify([...stored.jobs]));
    }
  });
});
