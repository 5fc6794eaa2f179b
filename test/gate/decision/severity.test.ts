import { fc, test as law } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { contractKey, type Contract } from "../../../src/contract/contract.ts";
import { decide } from "../../../src/gate/decide.ts";
import type { Input, Rules, State, Decided } from "../../../src/gate/state.ts";
import { findAmendment } from "../../../src/gate/update.ts";
import { attnum } from "../../../src/table/column.ts";
import {
  column,
  effectsOf,
  fieldNames,
  fits,
  ID,
  idOf,
  NAME,
  NICK,
  publishing,
  registered,
  release,
  REPLICA,
  RULES,
  seen,
  stateOf,
  tableIn,
  TOPIC,
  withPolicy,
} from "../customers.ts";
import { onNewDay } from "../../../src/guard/loop.ts";
import { sessionIn, worldOf } from "../../guard/session.ts";

const LAST = "2026-03-31T23:59:59.999Z";
const AFTER = "2026-04-01T00:00:00.000Z";
const nick = idOf(NICK);
/** The consumer reads the new column as T, and events would carry [null, T]. */
const RAISED = {
  rule: "meaning/null-not-handled",
  severity: "error",
  reason: "not tried yet",
  until: "2026-03-31",
} as const;
const LOWERED = {
  rule: "meaning/null-not-handled",
  severity: "warning",
  reason: "tried",
  until: "2026-03-31",
} as const;
const READS_NICK: Contract = { ...REPLICA, fields: ["id", "name", "nick"] };

/** Decides each input at its own time. */
function playAt(
  rules: Rules,
  state: State,
  ...inputs: readonly (readonly [time: string, (state: State) => Input])[]
): Decided {
  let step: Decided = { state, effects: [] };
  for (const [time, input] of inputs) step = decide(rules, step.state, input(step.state), { position: "0/100", time });
  return step;
}

const saw = () => seen([ID, NAME, NICK]);
const judged = (state: State) => fits(state, nick);
const flips = (state: State) => registered(state, nick);
const settles = (): Input => ({ kind: "settle", topic: TOPIC });
const verdictIn = (state: State) => findAmendment(state, nick)?.amendment.verdicts.map(({ verdict }) => verdict);

describe("a rule with a changed severity until a day", () => {
  // The connector's file raises the severity for all. This contract lowers it again, which counts until its day.
  const rules: Rules = { ...RULES, severity: [{ ...RAISED, until: "9999-12-31" }] };
  const waiting = stateOf(publishing(), { ...READS_NICK, severity: [LOWERED] });
  const plain = stateOf(publishing(), READS_NICK);

  it.each<[string, Rules, State, string, string, readonly string[]]>([
    [
      "the contract's own severity lets the field flow on its last day",
      rules,
      waiting,
      LAST,
      LAST,
      ["id", "name", "nick"],
    ],
    ["but not on the day after", rules, waiting, AFTER, AFTER, ["id", "name"]],
    ["nor if its day ends between registration and flip", rules, waiting, LAST, AFTER, ["id", "name"]],
    ["the connector's severity withholds it", { ...RULES, severity: [RAISED] }, plain, LAST, LAST, ["id", "name"]],
    ["until its day is over", { ...RULES, severity: [RAISED] }, plain, AFTER, AFTER, ["id", "name", "nick"]],
    ["nothing is changed", RULES, plain, LAST, LAST, ["id", "name", "nick"]],
  ])("%s", (_, given, state, asked, flipped, fields) => {
    const { state: after } = playAt(given, state, [asked, saw], [asked, judged], [flipped, flips]);
    expect(fieldNames(after)).toEqual(fields);
  });

  const day = fc.integer({ min: 1, max: 28 }).map((at) => `2026-02-${String(at).padStart(2, "0")}`);
  law.prop([day, fc.array(day, { minLength: 3, maxLength: 3 })])(
    "the field flows exactly if the severity holds on the day of the flip",
    (until, days) => {
      const [first, second, third] = days.toSorted().map((one) => `${one}T12:00:00.000Z`);
      if (first === undefined || second === undefined || third === undefined) throw new Error("three days");
      const state = stateOf(publishing(), { ...READS_NICK, severity: [{ ...LOWERED, until }] });
      const { state: after } = playAt(rules, state, [first, saw], [second, judged], [third, flips]);
      expect(fieldNames(after).includes("nick")).toBe(third.slice(0, 10) <= until);
    },
  );

  it("a withheld field is judged again once the severity's day is over", () => {
    const manual: Rules = withPolicy("manual", rules);
    const held = playAt(manual, waiting, [LAST, saw], [LAST, judged]).state;
    expect(verdictIn(held)).toEqual(["ready"]);
    expect(verdictIn(playAt(manual, held, [AFTER, settles]).state)).toEqual(["not-ready"]);
  });

  it("the loop judges again at its first turn of a day, and at no other", () => {
    const manual: Rules = withPolicy("manual", rules);
    const clock = { time: LAST };
    const now = () => BigInt(Date.parse(clock.time)) * 1000n;
    const state = playAt(manual, waiting, [LAST, saw], [LAST, judged]).state;
    const { control, ...session } = sessionIn(worldOf({ rules: manual, outside: { now } }), state);
    const turn = onNewDay({ ...session, control });
    const before = control.state;
    turn();
    expect(control.state).toBe(before);
    clock.time = AFTER;
    turn();
    expect(verdictIn(control.state)).toEqual(["not-ready"]);
    const after = control.state;
    turn();
    expect(control.state).toBe(after);
  });
});

describe("a new key", () => {
  const CODE = column(3, "nick", "text", { notNull: true });
  const key = `${TOPIC}/key`;
  const READS_ID: Contract = { ...READS_NICK, fields: ["id"], unknownFields: "accept" };
  const contracts = [READS_ID, { ...READS_ID, consumer: "audit", fields: ["name"] }];
  const rekeyed = (rules: Rules, ...given: readonly Contract[]) =>
    playAt(
      rules,
      stateOf(publishing([ID, NAME, CODE]), ...given),
      [LAST, () => seen([ID, NAME, CODE], { key: [1, 3] })],
      [LAST, (state) => fits(state, key)],
    ).state;
  const said = (rules: Rules, state: State, more: Parameters<typeof release>[1]) =>
    playAt(rules, state, [LAST, () => release([key], more)]);
  const reason = "agreed with replica";

  it("is judged for every contract on the topic: an error for consumers that read one of its columns, else a warning", () => {
    const amendment = findAmendment(rekeyed(RULES, ...contracts), key)?.amendment;
    expect(amendment?.verdicts).toMatchObject([
      { consumer: "replica", verdict: "not-ready", findings: [{ rule: "meaning/key-changed", severity: "error" }] },
      { consumer: "audit", verdict: "ready", findings: [{ rule: "meaning/key-changed", severity: "warning" }] },
    ]);
    expect(amendment?.gate.reason).toEqual({
      kind: "key-changed",
      opposed: { kind: "not-ready", consumers: ["replica"] },
    });
  });

  it.each<
    [
      string,
      Rules["fieldgate.release.policy"],
      readonly Contract[],
      Parameters<typeof release>[1],
      readonly string[],
      string,
    ]
  >([
    ["no contract is asked, with a reason", "contracts", [], { reason }, [`register ${key}`], "pending"],
    ["not ready, with a reason alone", "contracts", contracts, { reason }, [], "refused"],
    ["not ready, with force but without a reason", "contracts", contracts, { force: true }, [], "refused"],
    [
      "not ready, with force and a reason",
      "contracts",
      contracts,
      { reason, force: true },
      [`register ${key}`],
      "pending",
    ],
    ["not ready, where an operator decides", "manual", contracts, { reason }, [], "refused"],
    ["not ready, where nobody is waited for", "observe", contracts, { reason }, [`register ${key}`], "pending"],
    [
      "every reader is prepared",
      "contracts",
      [{ ...READS_ID, severity: [{ ...LOWERED, rule: "meaning/key-changed" }] }],
      { reason },
      [`register ${key}`],
      "pending",
    ],
  ])("%s", (_, policy, given, more, effects, outcome) => {
    const rules: Rules = withPolicy(policy);
    const step = said(rules, rekeyed(rules, ...given), more);
    expect([effectsOf(step), step.state.outcomes.get("c1")?.kind]).toEqual([effects, outcome]);
  });

  it("does not flip if a reader of it appeared in the meantime", () => {
    const ordered = said(RULES, rekeyed(RULES), { reason }).state;
    const contract = (): Input => ({ kind: "contract", key: contractKey(READS_ID), contract: READS_ID });
    const late = playAt(RULES, ordered, [LAST, contract], [LAST, (state) => registered(state, key)]).state;
    expect(tableIn(late).shape.key.map((field) => field.attnum)).toEqual([attnum(1)]);
  });
});
