import { describe, expect, it } from "vitest";
import { contractKey } from "../../src/contract/contract.ts";
import { alertKey, type Reason } from "../../src/gate/decision/reason.ts";
import type { Input, Rules, State } from "../../src/gate/state.ts";
import { findAmendment } from "../../src/gate/update.ts";
import { attnum } from "../../src/table/column.ts";
import {
  candidateFor,
  column,
  effectsOf,
  fieldNames,
  fits,
  ID,
  idOf,
  MANUAL,
  NAME,
  NICK,
  OBSERVE,
  PASSED,
  play,
  publishing,
  registered,
  REPLICA,
  RULES,
  seen,
  stateOf,
  tableIn,
  tableOf,
  TOPIC,
  WHEN,
  ZIP,
} from "./customers.ts";

const nick = idOf(NICK);
const NEW = seen([ID, NAME, NICK]);
const READY = { ...REPLICA, fields: ["id", "name", "nick"] };
const contract = (given: typeof REPLICA | undefined): Input => ({
  kind: "contract",
  key: contractKey(REPLICA),
  contract: given,
});
const amendmentIn = (state: State, id = nick) => findAmendment(state, id)?.amendment;
/** People have been alerted to its present state. */
function alerted(id: string, state: State): Input {
  const amendment = amendmentIn(state, id);
  if (amendment === undefined) throw new Error("no amendment");
  return { kind: "alerted", id, alerted: { key: alertKey(amendment), time: WHEN.time, reminders: 0 } };
}
const unanswered: Input = {
  kind: "judged",
  id: nick,
  answer: { kind: "unanswered", code: "registry-down", text: "down" },
};

/** The new field is in the events. */
const RELEASED = play(
  RULES,
  stateOf(),
  NEW,
  (now) => fits(now, nick),
  (now) => registered(now, nick),
).state;

describe("seen: the first row that uses a Relation", () => {
  it("of the same columns changes nothing", () => {
    const step = play(RULES, stateOf(), seen([ID, NAME]));
    expect(step.effects).toEqual([]);
    expect(tableIn(step.state)).toEqual({ ...publishing(), emptied: false });
  });

  it("of a new column withholds it and asks the registry", () => {
    const step = play(RULES, stateOf(), NEW);
    expect(effectsOf(step)).toEqual([`judge ${nick}`]);
    expect(amendmentIn(step.state)).toMatchObject({
      attnum: 3,
      gone: false,
      gate: { kind: "withheld", since: "0/100", time: WHEN.time, reason: { kind: "not-judged" } },
    });
    expect(tableIn(step.state).known.map(({ name }) => name)).toEqual(["id", "name", "nick"]);
    expect(fieldNames(step.state)).toEqual(["id", "name"]);
  });

  it("again asks nothing once judged, and keeps the amendment as it is", () => {
    const judged = play(RULES, stateOf(publishing(), REPLICA), NEW, (now) => fits(now, nick)).state;
    const again = play(RULES, judged, NEW);
    expect(amendmentIn(again.state)).toEqual(amendmentIn(judged));
    expect(effectsOf(again)).toEqual([`alert ${nick}`]); // nobody was told yet
  });

  it("of a topic that is not captured changes nothing", () => {
    const state = stateOf();
    expect(play(RULES, state, { ...NEW, topic: "other" })).toEqual({ state, effects: [] });
  });

  it("of a column of an unmapped type withholds it and alerts people", () => {
    const step = play(RULES, stateOf(), seen([ID, NAME, column(3, "at", "tid")]));
    expect(effectsOf(step)).toEqual([`alert ${nick}`]);
    expect(amendmentIn(step.state)?.gate.reason).toEqual({ kind: "unmapped", type: "tid" });
  });

  it("of a column that is dropped again in the catalog keeps it out without asking the registry", () => {
    const step = play(RULES, stateOf(), seen([ID, NAME, NICK], { catalog: tableOf([ID, NAME]) }));
    expect(effectsOf(step)).toEqual([`alert ${nick}`]);
    expect(amendmentIn(step.state)).toMatchObject({ gone: true, gate: { reason: { kind: "column-dropped-again" } } });
  });

  it("of columns that cannot be told apart makes no amendment for them, and proves nothing", () => {
    const step = play(RULES, stateOf(), seen([ID, NAME, NICK, ZIP], { doubtful: [attnum(3)] }));
    expect(tableIn(step.state).amendments.map(({ id }) => id)).toEqual([idOf(ZIP)]);
    expect(tableIn(step.state).known).toHaveLength(2);
  });

  it("proves the columns of a table that a DDL message did not describe, unless they cannot be told apart", () => {
    const named = play(RULES, stateOf(), { kind: "undescribed", topic: TOPIC }).state;
    expect(tableIn(named).undescribed).toBe(true);
    const doubted = play(RULES, named, seen([ID, NAME, NICK], { doubtful: [attnum(3)] })).state;
    expect(tableIn(doubted).undescribed).toBe(true);
    expect(tableIn(play(RULES, doubted, NEW).state).undescribed).toBeUndefined();
  });

  it("after rows in doubt: values of the new column are missing from their events", () => {
    const doubted = play(RULES, stateOf(), { kind: "passed", topic: TOPIC, doubt: true }).state;
    expect(amendmentIn(play(RULES, doubted, NEW).state)?.missed).toBe(true);
    expect(amendmentIn(play(RULES, stateOf(), NEW).state)?.missed).toBe(false);
  });

  it("without a withheld column forgets its amendment", () => {
    expect(amendmentIn(play(RULES, stateOf(), NEW, seen([ID, NAME])).state)).toBeUndefined();
  });

  const restated: [string, ReturnType<typeof column>][] = [
    ["renamed", { ...NICK, name: "nickname" }],
    ["retyped", column(3, "nick", "int")],
    ["made NOT NULL", { ...NICK, notNull: true }],
    ["given a default", { ...NICK, defaultExpr: "'x'::text" }],
  ];
  it.each(restated)(
    "of a withheld column that is %s has it judged again, and keeps what it missed and why it is withheld",
    (_, now) => {
      const before = play(RULES, stateOf(publishing(), REPLICA), NEW, (state) => fits(state, nick), {
        kind: "passed",
        topic: TOPIC,
        doubt: false,
      }).state;
      const step = play(RULES, before, seen([ID, NAME, now]));
      expect(effectsOf(step)).toEqual([`judge ${nick}`]);
      expect(amendmentIn(step.state)).toMatchObject({ answer: undefined, missed: true, column: now });
      const late = play(RULES, step.state, {
        kind: "judged",
        id: nick,
        answer: { kind: "fits", candidate: candidateFor(before, nick) },
      });
      expect(effectsOf(late)).toEqual([`judge ${nick}`]);
      expect(amendmentIn(late.state)?.answer).toBeUndefined();
    },
  );
});

describe("judged: the registry's answer", () => {
  const cases: [string, Rules, State, (state: State) => Input, readonly string[], Reason["kind"]][] = [
    ["fits, no contract is asked", RULES, stateOf(), (now) => fits(now, nick), [`register ${nick}`], "not-judged"],
    [
      "fits, a contract not ready",
      RULES,
      stateOf(publishing(), REPLICA),
      (now) => fits(now, nick),
      [`alert ${nick}`],
      "not-ready",
    ],
    [
      "fits, observe",
      OBSERVE,
      stateOf(publishing(), REPLICA),
      (now) => fits(now, nick),
      [`register ${nick}`],
      "not-judged",
    ],
    ["fits, manual", MANUAL, stateOf(), (now) => fits(now, nick), [`alert ${nick}`], "policy-manual"],
    [
      "fits, the table's own policy",
      { ...RULES, policyOf: new Map([[TOPIC, "manual" as const]]) },
      stateOf(),
      (now) => fits(now, nick),
      [`alert ${nick}`],
      "policy-manual",
    ],
    [
      "fits, a contract of another environment",
      RULES,
      stateOf(publishing(), { ...REPLICA, environment: "staging" }),
      (now) => fits(now, nick),
      [`register ${nick}`],
      "not-judged",
    ],
    [
      "fits, a contract of another topic",
      RULES,
      stateOf(publishing(), { ...REPLICA, topic: "other" }),
      (now) => fits(now, nick),
      [`register ${nick}`],
      "not-judged",
    ],
    [
      "refused",
      OBSERVE,
      stateOf(),
      (now) => ({
        kind: "judged",
        id: nick,
        answer: { kind: "refused", candidate: candidateFor(now, nick), text: "level" },
      }),
      [`alert ${nick}`],
      "registry-refused",
    ],
    ["unanswered", OBSERVE, stateOf(), () => unanswered, [`alert ${nick}`], "registry-unanswered"],
  ];
  it.each(cases)("%s", (_, rules, state, input, effects, reason) => {
    const step = play(rules, state, NEW, input);
    expect(effectsOf(step)).toEqual(effects);
    expect(amendmentIn(step.state)?.gate).toMatchObject({
      kind: "withheld",
      reason: { kind: reason },
    });
    expect(fieldNames(step.state)).toEqual(["id", "name"]);
  });

  it("of an unknown amendment changes nothing", () => {
    const state = stateOf();
    expect(play(RULES, state, unanswered)).toEqual({ state, effects: [] });
  });
});

describe("registered: the flip", () => {
  it("adds the field in its place, with the schema that was registered, and alerts people", () => {
    const step = play(
      RULES,
      stateOf(),
      NEW,
      (now) => fits(now, nick),
      (now) => registered(now, nick),
    );
    expect(effectsOf(step)).toEqual([`alert ${nick}`]);
    expect(fieldNames(step.state)).toEqual(["id", "name", "nick"]);
    expect(tableIn(step.state).shape.valueSchema.id).toBe(7);
    expect(tableIn(step.state).flowed).toHaveLength(2);
    expect(amendmentIn(step.state)?.gate).toMatchObject({
      kind: "released",
      schemaId: 7,
      reason: { kind: "all-ready", count: 0, policy: "contracts" },
    });
  });

  it("of a schema that differs from the candidate releases nothing and registers the right one", () => {
    const step = play(
      RULES,
      stateOf(),
      NEW,
      (now) => fits(now, nick),
      (now) => ({ ...registered(now, nick), hash: "x" }) as Input,
    );
    expect(fieldNames(step.state)).toEqual(["id", "name"]);
    expect(effectsOf(step)).toEqual([`register ${nick}`]);
  });

  it("asks the contracts as they are at that moment", () => {
    const step = play(
      RULES,
      stateOf(),
      NEW,
      (now) => fits(now, nick),
      contract(REPLICA),
      (now) => registered(now, nick),
    );
    expect(fieldNames(step.state)).toEqual(["id", "name"]);
    expect(amendmentIn(step.state)?.gate.reason).toEqual({ kind: "not-ready", consumers: ["replica"] });
  });

  it("judges the table's other amendments again, because their candidates have changed", () => {
    const both = play(
      RULES,
      stateOf(),
      seen([ID, NAME, NICK, ZIP]),
      (now) => fits(now, nick),
      (now) => fits(now, idOf(ZIP)),
    );
    const late = candidateFor(both.state, idOf(ZIP));
    const step = play(RULES, both.state, (now) => registered(now, nick));
    expect(effectsOf(step)).toEqual([`judge ${idOf(ZIP)}`, `alert ${nick}`]);
    expect(play(RULES, step.state, { kind: "settle", topic: TOPIC }).effects).toEqual([]);
    const stale: Input = { kind: "judged", id: idOf(ZIP), answer: { kind: "fits", candidate: late } };
    expect(effectsOf(play(RULES, step.state, stale))).toEqual([`judge ${idOf(ZIP)}`]);
  });

  it("under observe names the consumers that would have held it back", () => {
    const step = play(
      OBSERVE,
      stateOf(publishing(), REPLICA),
      NEW,
      (now) => fits(now, nick),
      (now) => registered(now, nick),
    );
    expect(amendmentIn(step.state)?.gate).toMatchObject({ kind: "released", wouldHaveWaitedFor: ["replica"] });
  });

  it("a registration that is reported twice changes nothing", () => {
    const once = play(RULES, stateOf(), NEW, (now) => fits(now, nick));
    const flip = registered(once.state, nick);
    const released = play(RULES, once.state, flip).state;
    expect(play(RULES, released, flip)).toEqual({ state: released, effects: [] });
  });
});

describe("registration-refused", () => {
  const fitting = play(RULES, stateOf(), NEW, (now) => fits(now, nick)).state;
  const no: Input = { kind: "registration-refused", id: nick, hash: candidateFor(fitting, nick).hash, text: "409" };

  it("keeps the field back and has it judged again; the same schema is not accepted a second time", () => {
    const step = play(RULES, fitting, no);
    expect(effectsOf(step)).toEqual([`judge ${nick}`]);
    const again = play(RULES, step.state, (now) => fits(now, nick));
    expect(effectsOf(again)).toEqual([`alert ${nick}`]);
    expect(amendmentIn(again.state)?.gate.reason).toEqual({ kind: "registry-refused", text: "409" });
  });

  it("of another schema, of one that flows, or of nothing changes nothing", () => {
    expect(play(RULES, fitting, { ...no, hash: "x" })).toEqual({ state: fitting, effects: [] });
    const released = play(RULES, fitting, (now) => registered(now, nick)).state;
    expect(play(RULES, released, no)).toEqual({ state: released, effects: [] });
    expect(play(RULES, stateOf(), no).effects).toEqual([]);
  });
});

describe("registration-awaited", () => {
  const fitting = play(RULES, stateOf(), NEW, (now) => fits(now, nick)).state;
  const { hash } = candidateFor(fitting, nick);
  const waits: Input = { kind: "registration-awaited", id: nick, hash, subject: `${TOPIC}-value` };

  it("keeps the field back until somebody else has registered its schema", () => {
    const step = play(RULES, fitting, waits);
    expect(effectsOf(step)).toEqual([`alert ${nick}`]);
    expect(amendmentIn(step.state)?.gate).toMatchObject({
      kind: "withheld",
      reason: { kind: "registration-awaited", subject: `${TOPIC}-value` },
    });
    expect(effectsOf(play(RULES, step.state, { kind: "settle", topic: TOPIC }))).toEqual([`register ${nick}`]);
    const flows = play(RULES, step.state, (now) => registered(now, nick));
    expect(amendmentIn(flows.state)?.gate.kind).toBe("released");
  });

  it("of another schema or of one that flows changes nothing", () => {
    expect(play(RULES, fitting, { ...waits, hash: "x" })).toEqual({ state: fitting, effects: [] });
    const released = play(RULES, fitting, (now) => registered(now, nick)).state;
    expect(play(RULES, released, waits)).toEqual({ state: released, effects: [] });
  });
});

describe("contract: published, replaced, withdrawn", () => {
  const waiting = play(RULES, stateOf(publishing(), REPLICA), NEW, (now) => fits(now, nick)).state;

  it("ready: the field is registered", () => {
    expect(effectsOf(play(RULES, waiting, contract(READY)))).toEqual([`register ${nick}`]);
  });
  it("withdrawn: the field no longer waits for it", () => {
    expect(effectsOf(play(RULES, waiting, contract(undefined)))).toEqual([`register ${nick}`]);
  });
  it("still not ready: people are not alerted again", () => {
    const told = play(RULES, waiting, alerted(nick, waiting)).state;
    expect(play(RULES, told, contract(REPLICA)).effects).toEqual([]);
  });
  it("against a published field: the field is still published", () => {
    const step = play(RULES, RELEASED, contract(REPLICA));
    expect(fieldNames(step.state)).toEqual(["id", "name", "nick"]);
    expect(step.effects).toEqual([]);
  });
});

describe("passed, ask, settle, alerted", () => {
  const waiting = play(RULES, stateOf(publishing(), REPLICA), NEW, (now) => fits(now, nick)).state;

  it("passed: from this position the events lack the withheld field, which is recorded once", () => {
    const step = play(RULES, waiting, PASSED);
    expect(amendmentIn(step.state)?.missed).toBe(true);
    expect(play(RULES, step.state, PASSED).state).toBe(step.state);
    expect(amendmentIn(play(RULES, RELEASED, PASSED).state)?.missed).toBe(false);
  });

  it("after a restart the registry is asked again, and nothing flows before it has answered", () => {
    const ready = play(RULES, stateOf(), NEW, (now) => fits(now, nick)).state;
    const step = play(RULES, ready, { kind: "ask", id: nick });
    expect(effectsOf(step)).toEqual([`judge ${nick}`]);
    expect(amendmentIn(step.state)?.answer).toBeUndefined();
    expect(play(RULES, step.state, { kind: "settle", topic: TOPIC }).effects).toEqual([]);
  });

  it("asking about a released amendment changes nothing", () => {
    expect(play(RULES, RELEASED, { kind: "ask", id: nick })).toEqual({ state: RELEASED, effects: [] });
  });

  it("settle: everything that may flow is registered, in the table's order", () => {
    const ready = play(
      RULES,
      stateOf(),
      seen([ID, NAME, NICK, ZIP]),
      (now) => fits(now, nick),
      (now) => fits(now, idOf(ZIP)),
    );
    expect(effectsOf(play(RULES, ready.state, { kind: "settle", topic: TOPIC }))).toEqual([
      `register ${nick}`,
      `register ${idOf(ZIP)}`,
    ]);
  });

  it("alerted: the same reason is not alerted again, a different one is", () => {
    const told = play(RULES, waiting, alerted(nick, waiting)).state;
    expect(play(RULES, told, { kind: "settle", topic: TOPIC }).effects).toEqual([]);
    expect(effectsOf(play(RULES, told, unanswered))).toEqual([`alert ${nick}`]);
  });

  const nobody: Input[] = [
    { kind: "ask", id: "x" },
    { kind: "alerted", id: "x", alerted: { key: "", time: WHEN.time, reminders: 0 } },
    { kind: "passed", topic: "x", doubt: true },
    { kind: "settle", topic: "x" },
    { kind: "undescribed", topic: "x" },
    { kind: "labels-published", topic: "x", unseen: { labels: [], at: "0/0" } },
  ];
  it.each(nobody)("$kind of something unknown changes nothing", (input) => {
    expect(play(RULES, waiting, input)).toEqual({ state: waiting, effects: [] });
  });
});

describe("a table that flows again before people were alerted that it was parked", () => {
  const why = { code: "value-unfit", field: "name", text: "it does not fit" } as const;
  const parked = play(RULES, stateOf(), { kind: "parked", topic: TOPIC, id: "p1", why }).state;
  const freeWith = (passedOver: number, lost?: number) =>
    tableIn(play(RULES, parked, { kind: "unparked", topic: TOPIC, written: 3, passedOver, lost }).state).unparked;

  it("is reported if any of its changes is in no event, and else not", () => {
    expect(freeWith(1)).toMatchObject({ written: 3, passedOver: 1 });
    expect(freeWith(0, 1)).toMatchObject({ lost: 1 });
    expect(freeWith(0)).toBeUndefined();
  });
});
