import { describe, expect, it } from "vitest";
import { readerFingerprint } from "../../../src/contract/announcement.ts";
import { type Contract, contractKey, rollingKey, unreadableContract } from "../../../src/contract/contract.ts";
import { alertKey } from "../../../src/gate/decision/reason.ts";
import { type GroupPoll, recalled, type SeenGroup } from "../../../src/gate/evidence/evidence.ts";
import { unnamedOn } from "../../../src/gate/evidence/readers.ts";
import type { Input, Rules, State, Decided } from "../../../src/gate/state.ts";
import { underPolicy } from "../../../src/gate/decision/what-if.ts";
import { changes, EMPTY, replay } from "../../../src/store/records.ts";
import {
  effectsOf,
  fieldNames,
  fits,
  ID,
  idOf,
  NAME,
  NICK,
  OBSERVE,
  play,
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
import { renderReason } from "../../../src/words/reason.ts";

const DAY = 86_400_000;
const NICK_ID = idOf(NICK);
const STRICT: Rules = withPolicy("strict");
const ADDED = seen([ID, NAME, NICK]);
const READY: Contract = { ...REPLICA, fields: ["id", "name", "nick"] };

function group(name: string, members: number | undefined = 1, more: Partial<SeenGroup> = {}): SeenGroup {
  return { group: name, members, offsets: new Map(), readers: new Map(), ...more };
}

/** A group that Kafka does not let us look into. */
function hidden(name: string, more: Partial<SeenGroup> = {}): SeenGroup {
  return group(name, 0, { ...more, members: undefined });
}

function seenNothing(at: number): Extract<GroupPoll, { kind: "seen" }> {
  return { kind: "seen", at, byTopic: new Map([[TOPIC, []]]) };
}

function polled(at: number, ...groups: readonly SeenGroup[]): Input {
  return { kind: "groups", poll: { kind: "seen", at, byTopic: new Map([[TOPIC, groups]]) } };
}

const FAILED: Input = { kind: "groups", poll: { kind: "unknown", at: 500, why: "no broker" } };
const judged = (state: State): Input => fits(state, NICK_ID);
const registers = `register ${NICK_ID}`;

function publish(contract: Contract): Input {
  return { kind: "contract", key: contractKey(contract), contract };
}

function gateOf({ state }: Decided) {
  const [amendment] = tableIn(state).amendments;
  if (amendment === undefined) throw new Error("no amendment");
  return amendment.gate;
}

describe("strict", () => {
  const cases: [string, readonly Input[], "waits" | "registers", RegExp?][] = [
    ["no poll yet", [], "waits", /^it is not known who reads the topic: .*not been read yet/],
    ["a failed poll", [FAILED], "waits", /^it is not known who reads .*could not be read: no broker$/],
    ["no group reads", [polled(0)], "registers"],
    ["a group that no contract names", [polled(0, group("sink"))], "waits", /^no contract names the live groups sink$/],
    ["two groups that no contract names", [polled(0, group("b"), group("a"))], "waits", /the live groups a, b$/],
    ["a group with the consumer's name", [publish(READY), polled(0, group("replica"))], "registers"],
    [
      "a group that its contract lists",
      [publish({ ...READY, groups: ["sink"] }), polled(0, group("sink"))],
      "registers",
    ],
    [
      "a group that a contract of another environment lists",
      [publish({ ...READY, environment: "staging", groups: ["sink"] }), polled(0, group("sink"))],
      "waits",
      /groups sink$/,
    ],
    [
      "a group that a contract on another topic lists",
      [publish({ ...READY, topic: "other", groups: ["sink"] }), polled(0, group("sink"))],
      "waits",
      /groups sink$/,
    ],
    [
      "a contract that is not ready, and a group that no contract names",
      [publish(REPLICA), polled(0, group("replica"), group("sink"))],
      "waits",
      /^not ready: replica; no contract names the live groups sink$/,
    ],
    ["a group without members and offsets", [polled(0, group("sink", 0))], "registers"],
    [
      "a group whose offsets were first seen six days ago",
      [
        polled(0, group("sink", 0, { offsets: new Map([[0, 4n]]) })),
        polled(6 * DAY, group("sink", 0, { offsets: new Map([[0, 4n]]) })),
      ],
      "waits",
      /groups sink$/,
    ],
    [
      "a group whose offsets did not move for eight days",
      [
        polled(0, group("sink", 0, { offsets: new Map([[0, 4n]]) })),
        polled(8 * DAY, group("sink", 0, { offsets: new Map([[0, 4n]]) })),
      ],
      "registers",
    ],
    [
      "a group with offsets, whose members are hidden",
      [polled(0, hidden("sink", { offsets: new Map([[0, 4n]]) }))],
      "waits",
      /groups sink$/,
    ],
    [
      "a group whose members are hidden",
      [polled(0, hidden("sink"))],
      "waits",
      /^it is not known who reads the topic: Kafka does not show which topics the group sink reads$/,
    ],
    [
      "a group whose members are hidden and whose offsets did not move for eight days",
      [
        polled(0, hidden("sink", { offsets: new Map([[0, 4n]]) })),
        polled(8 * DAY, hidden("sink", { offsets: new Map([[0, 4n]]) })),
      ],
      "waits",
      /the group sink reads$/,
    ],
    [
      "a group whose members are hidden, although a contract names it",
      [publish({ ...READY, groups: ["sink"] }), polled(0, hidden("sink"))],
      "registers",
    ],
    [
      "a live group and one whose members are hidden",
      [polled(0, hidden("jobs"), group("sink"))],
      "waits",
      /^no contract names the live groups sink$/,
    ],
    [
      "a group that was seen reading, while its members join again",
      [polled(0, group("sink")), { kind: "groups", poll: { ...seenNothing(1000), forming: new Set(["sink"]) } }],
      "waits",
      /the group sink reads$/,
    ],
    [
      "a group that was never seen reading, while its members join",
      [polled(0), { kind: "groups", poll: { ...seenNothing(1000), forming: new Set(["sink"]) } }],
      "registers",
    ],
    ["a successful poll, then a failed one", [polled(0), FAILED], "waits", /could not be read/],
  ];

  it.each(cases)("%s", (_, before, outcome, why) => {
    const step = play(STRICT, stateOf(), ...before, ADDED, judged);
    expect(effectsOf(step).includes(registers)).toBe(outcome === "registers");
    if (why !== undefined) expect(renderReason(gateOf(step).reason)).toMatch(why);
  });

  it("other policies do not ask about groups", () => {
    for (const policy of ["observe", "contracts"] as const) {
      expect(effectsOf(play(withPolicy(policy), stateOf(), ADDED, judged))).toContain(registers);
    }
  });

  it("a withheld field is settled again once a contract names the group, or once the group is gone", () => {
    const waiting = play(STRICT, stateOf(), polled(0, group("sink")), ADDED, judged).state;
    const named = { ...READY, groups: ["sink"] };
    expect(effectsOf(play(STRICT, waiting, publish(named)))).toEqual([registers]);
    expect(effectsOf(play(STRICT, waiting, polled(1000, group("sink", 0))))).toEqual([registers]);
    expect(effectsOf(play(STRICT, waiting, polled(1000)))).toEqual([registers]);
  });

  it("the first poll settles what waited for it, and the same result again sends no alert", () => {
    const waiting = play(STRICT, stateOf(), ADDED, judged).state;
    const first = play(STRICT, waiting, polled(0, group("sink")));
    expect(effectsOf(first)).toEqual([`alert ${NICK_ID}`]);
    const again = play(STRICT, first.state, polled(30_000, group("sink", 4)));
    expect(effectsOf(again)).toEqual([]);
    expect(again.state.tables).toBe(first.state.tables);
  });

  it("a group that can be looked into again, and that reads something else, lets the field flow", () => {
    const waiting = play(STRICT, stateOf(), polled(0, hidden("sink")), ADDED, judged).state;
    expect(effectsOf(play(STRICT, waiting, polled(1000, hidden("sink"))))).toEqual([]);
    expect(effectsOf(play(STRICT, waiting, polled(2000)))).toEqual([registers]);
  });

  it("a failed poll sends no alert: withheld fields keep their reason", () => {
    const waiting = play(STRICT, stateOf(), polled(0, group("sink")), ADDED, judged).state;
    const failed = play(STRICT, waiting, FAILED);
    expect(effectsOf(failed)).toEqual([]);
    expect(renderReason(gateOf(failed).reason)).toContain("sink");
  });

  it("a group that appears between the registration and the flip holds the field back", () => {
    const open = play(STRICT, stateOf(), polled(0), ADDED, judged).state;
    const late = play(STRICT, open, polled(1000, group("sink")), (state) => registered(state, NICK_ID));
    expect(fieldNames(late.state)).toEqual(["id", "name"]);
    expect(gateOf(late)).toMatchObject({ kind: "withheld", reason: { unnamed: { kind: "known", groups: ["sink"] } } });
    const flips = play(STRICT, open, polled(1000), (state) => registered(state, NICK_ID));
    expect(fieldNames(flips.state)).toEqual(["id", "name", "nick"]);
    expect(gateOf(flips)).toMatchObject({ kind: "released", unnamed: { kind: "known", groups: [] } });
  });

  it("a new group never closes a gate", () => {
    const open = play(STRICT, stateOf(), polled(0), ADDED, judged, (state) => registered(state, NICK_ID)).state;
    expect(gateOf(play(STRICT, open, polled(1000, group("sink")))).kind).toBe("released");
  });

  it("after a restart nothing flows before the first poll, and ages count from before the restart", () => {
    const offsets = new Map([[0, 4n]]);
    const before = play(STRICT, stateOf(), polled(0, group("sink", 0, { offsets })), ADDED, judged).state;
    const stored = { ...EMPTY, ...before, evidence: before.evidence.recorded };
    const { tables, evidence } = replay(changes(EMPTY, stored));
    const again: State = { ...before, tables, evidence: recalled(evidence) };
    const asked = play(STRICT, again, { kind: "ask", id: NICK_ID }, judged);
    expect(effectsOf(asked)).not.toContain(registers);
    expect(renderReason(gateOf(asked).reason)).toContain("not been read yet");
    const still = play(STRICT, asked.state, polled(6 * DAY, group("sink", 0, { offsets })));
    expect(renderReason(gateOf(still).reason)).toContain("sink");
    expect(effectsOf(play(STRICT, still.state, polled(8 * DAY, group("sink", 0, { offsets }))))).toEqual([registers]);
  });

  it("a table added after the last poll waits for the next one", () => {
    const poll: Input = { kind: "groups", poll: { kind: "seen", at: 0, byTopic: new Map() } };
    expect(effectsOf(play(STRICT, stateOf(), poll, ADDED, judged))).not.toContain(registers);
  });

  it("an operator releases it only with force and a reason", () => {
    const waiting = play(STRICT, stateOf(), polled(0, group("sink")), ADDED, judged).state;
    const refused = play(STRICT, waiting, release([NICK_ID]));
    expect(refused.state.outcomes.get("c1")).toMatchObject({
      kind: "refused",
      refusals: [{ kind: "opposed", reason: { unnamed: { groups: ["sink"] } } }],
    });
    expect(effectsOf(play(STRICT, waiting, release([NICK_ID], { force: true })))).toEqual([]);
    expect(effectsOf(play(STRICT, waiting, release([NICK_ID], { force: true, reason: "known" })))).toEqual([registers]);
    const blind = play(STRICT, stateOf(), ADDED, judged, release([NICK_ID]));
    expect(blind.state.outcomes.get("c1")).toMatchObject({ kind: "refused" });
  });
});

describe("the evidence against a contract", () => {
  const waiting = { ...REPLICA, groups: ["r1", "r2"] };
  const verdictOf = (step: Decided) => tableIn(step.state).amendments[0]?.verdicts[0];
  const judgedWith = (contract: Contract, ...inputs: readonly Input[]) =>
    play(RULES, stateOf(publishing(), contract), ADDED, judged, ...inputs);
  const rules = (step: Decided) => verdictOf(step)?.findings.map(({ rule }) => rule);

  it.each<[string, readonly Input[], boolean]>([
    ["just published", [polled(0)], false],
    ["13 days without any group", [polled(0), polled(13 * DAY)], false],
    ["14 days without any group", [polled(0), polled(14 * DAY)], true],
    ["the service did not run in the meantime", [polled(14 * DAY)], false],
    ["one of its groups reads", [polled(0), polled(13 * DAY, group("r2")), polled(20 * DAY)], false],
    ["one of its groups read 14 days ago", [polled(0), polled(6 * DAY, group("r2")), polled(20 * DAY)], true],
    ["a group with its name reads", [polled(0), polled(14 * DAY, group("replica"))], false],
    ["another consumer's group reads", [polled(0), polled(14 * DAY, group("other"))], true],
    ["every later poll failed", [polled(0), { ...FAILED, poll: { kind: "unknown", at: 20 * DAY, why: "" } }], false],
  ])("is stale: %s", (_, inputs, stale) => {
    const step = judgedWith(waiting, ...inputs);
    expect(rules(step)?.includes("contract/stale")).toBe(stale);
    expect(verdictOf(step)?.verdict).toBe("not-ready");
  });

  it("a stale contract that is ready remains ready, and counts until it is retired", () => {
    const step = judgedWith(READY, polled(0), polled(14 * DAY));
    expect(verdictOf(step)?.verdict).toBe("ready");
    expect(verdictOf(step)?.findings.at(-1)).toMatchObject({
      rule: "contract/stale",
      severity: "warning",
      remedy: expect.stringContaining("no longer exists, run `fieldgate retire`") as unknown,
    });
  });

  const schema = { type: "record", name: "R", fields: [{ name: "nick", type: ["null", "string"], default: null }] };
  const ours = readerFingerprint(schema);
  const reader: Contract = { ...READY, schema };
  const announcing = (...readers: [string, number][]) => group("replica", 3, { readers: new Map(readers) });

  it("members that announce a different schema make its verdict unknown", () => {
    const other = judgedWith(reader, polled(0, announcing([ours, 1], ["other", 2])));
    expect(verdictOf(other)?.verdict).toBe("unknown");
    expect(verdictOf(other)?.findings.at(-1)).toMatchObject({
      rule: "contract/other-schema",
      message: "2 of 3 members of replica read with a schema that differs from the contract's",
    });
    expect(verdictOf(judgedWith(reader, polled(0, announcing([ours, 3]))))).toMatchObject({ verdict: "ready" });
    expect(verdictOf(judgedWith(reader, polled(0, announcing())))).toMatchObject({ verdict: "ready" });
  });

  it("that cannot be read makes its consumer's verdict unknown, whatever its placeholders say", () => {
    const unreadable = unreadableContract(contractKey(READY));
    expect(unreadable).toMatchObject({ consumer: READY.consumer, topic: READY.topic });
    const step = judgedWith({ ...READY, unreadable: true });
    expect(verdictOf(step)).toMatchObject({
      verdict: "unknown",
      findings: [{ rule: "contract/evidence-missing", message: expect.stringContaining("cannot read the contract") }],
    });
    expect(tableIn(step.state).amendments[0]?.gate.kind).toBe("withheld");
  });

  it.each(["", "billing", "default/billing", "default/billing/t/1/2", "default//t", "de fault/billing/t"])(
    "is not made of a record whose key is not a contract's: %j",
    (key) => expect(unreadableContract(key)).toBeUndefined(),
  );

  it("the schema of a version that is being rolled out does not count for another consumer", () => {
    const next = { ...reader, schema: { ...schema, name: "R2" } };
    const both = polled(0, announcing([ours, 2], [readerFingerprint(next.schema), 1]));
    const rolling: Input = { kind: "contract", key: rollingKey(next), contract: next };
    const step = judgedWith(reader, rolling, both);
    expect(tableIn(step.state).amendments[0]?.verdicts.map(({ verdict }) => verdict)).toEqual(["ready", "ready"]);
    const other = { ...next, consumer: "other" };
    const elsewhere: Input = { kind: "contract", key: contractKey(other), contract: other };
    expect(verdictOf(judgedWith(reader, elsewhere, both))).toMatchObject({ verdict: "unknown" });
  });

  it("announced schemas are known after a restart too, before the first poll", () => {
    const before = judgedWith(reader, polled(0, announcing(["other", 1]))).state;
    const again = { ...before, evidence: recalled(before.evidence.recorded) };
    expect(verdictOf(play(RULES, again, { kind: "ask", id: NICK_ID }, judged))).toMatchObject({ verdict: "unknown" });
  });
});

describe("what another policy would have decided", () => {
  const under = (policy: Rules["fieldgate.release.policy"], rules: Rules, { state }: Decided) => {
    const [amendment] = tableIn(state).amendments;
    if (amendment === undefined) throw new Error("no amendment");
    return underPolicy(policy, rules, state, tableIn(state), amendment);
  };
  const observed = play(OBSERVE, stateOf(publishing(), REPLICA), polled(0, group("sink")), ADDED, judged, (state) =>
    registered(state, NICK_ID),
  );

  it("about a field released under observe: by the verdicts and the groups of its release", () => {
    const rules: Rules = OBSERVE;
    expect(gateOf(observed).kind).toBe("released");
    // Facts that appeared later do not count for that time.
    const since = play(rules, observed.state, publish(READY), polled(1000));
    expect(under("observe", rules, since)).toMatchObject({ kind: "flows" });
    expect(under("contracts", rules, since)).toMatchObject({ kind: "waits", waitsFor: ["replica"] });
    expect(under("strict", rules, since)).toMatchObject({ kind: "waits", waitsFor: ["replica", "sink"] });
    expect(under("manual", rules, since)).toMatchObject({ kind: "waits", waitsFor: ["an operator"] });
  });

  it("about a release that did not record its groups: unknown", () => {
    const released = play(RULES, stateOf(), ADDED, judged, (state) => registered(state, NICK_ID));
    expect(under("strict", RULES, released)).toMatchObject({ kind: "unknown" });
    expect(under("contracts", RULES, released)).toMatchObject({ kind: "flows" });
  });

  it("about a withheld field: by the present facts", () => {
    const waiting = play(STRICT, stateOf(), polled(0, group("sink")), ADDED, judged);
    expect(under("contracts", STRICT, waiting)).toMatchObject({ kind: "flows" });
    expect(under("strict", STRICT, waiting)).toMatchObject({ kind: "waits", waitsFor: ["sink"] });
    expect(unnamedOn(STRICT, waiting.state, TOPIC)).toEqual({ kind: "known", groups: ["sink"] });
  });

  it("a reason names 50 of 8,000 unnamed live groups and counts the others; one more group sends no new alert", () => {
    const crowd = (count: number) => Array.from({ length: count }, (_, index) => group(`g-${10_000 + index}`));
    const before = play(STRICT, stateOf(), ADDED, polled(0, ...crowd(8000)), judged);
    const { reason } = gateOf(before);
    if (reason.kind !== "not-ready" || reason.unnamed?.kind !== "known") throw new Error(reason.kind);
    expect(reason.unnamed.groups).toHaveLength(50);
    expect(reason.unnamed.more).toBe(7950);
    const later = play(STRICT, before.state, polled(1, ...crowd(8001)));
    expect(alertKey({ gate: gateOf(later) })).toBe(alertKey({ gate: gateOf(before) }));
    const unjudged = play(STRICT, stateOf(), polled(0), ADDED);
    expect(under("observe", STRICT, unjudged)).toMatchObject({ kind: "waits", reason: { kind: "not-judged" } });
  });
});
