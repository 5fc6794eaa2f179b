import { describe, expect, it } from "vitest";
import { canWiden } from "../../src/gate/amendment/candidate.ts";
import { refusesFill } from "../../src/gate/amendment/fill.ts";
import type { Input, OperatorCommand, State } from "../../src/gate/state.ts";
import { findAmendment, withheldOf } from "../../src/gate/update.ts";
import type { Attnum, Column, Table } from "../../src/table/column.ts";
import {
  candidateFor,
  column,
  effectsOf,
  fieldNames,
  fits,
  ID,
  idOf,
  madeOf,
  MANUAL,
  NAME,
  NICK,
  OBSERVE,
  PASSED,
  play,
  publishing,
  registered,
  release,
  REPLICA,
  RULES,
  seen,
  stateOf,
  tableIn,
  tableOf,
  TOPIC,
  ZIP,
} from "./customers.ts";
import type { Json } from "../../src/json.ts";
import { renderOutcome, type OutcomeText } from "../../src/words/reason.ts";

const [name, nick, zip] = [NAME, NICK, ZIP].map(idOf) as [string, string, string]; // three columns
const RANK = { ...NICK, name: "rank" };
const ALL = [ID, NAME, NICK];
const outcome = (state: State, id = "c1"): OutcomeText | undefined => {
  const found = state.outcomes.get(id);
  return found && renderOutcome(found);
};
const refused = (message: string) => ({ kind: "refused", message: expect.stringContaining(message) as unknown });
const as = (kind: OperatorCommand["kind"], ids: readonly string[], more: Partial<OperatorCommand> = {}) =>
  release(ids, { kind, ...more });
const fill = (value: Json | undefined, ids = [nick], more = {}) => as("fill", ids, { value, ...more });

/** Each table's columns in turn: every amendment is judged to fit, and rows are published. */
function judged(before: readonly Column[], now: readonly Column[], rules = MANUAL, keyed = true): State {
  const first = play(rules, stateOf(publishing(before, keyed)), seen(now, { keyed })).state;
  const ids = withheldOf(tableIn(first)).map(({ id }) => id);
  return play(rules, first, ...ids.map((id) => (state: State) => fits(state, id)), PASSED).state;
}
const flip =
  (id: string, wide = false) =>
  (state: State) =>
    registered(state, id, { wide });

describe("fields whose names would collide are released together", () => {
  const swapped = [ID, { ...NAME, name: "nick" }, { ...NICK, name: "name" }];
  const again = [ID, NAME, { ...ZIP, name: "nick" }];
  const cases: [string, readonly Column[], string, readonly string[], readonly string[]][] = [
    ["two columns that swap their names are released together", swapped, name, [nick], ["id", "nick", "name"]],
    ["either of two columns that swap names takes the other with it", swapped, nick, [name], ["id", "nick", "name"]],
    [
      "a column that is added under the name of a dropped one is released together with the drop",
      again,
      zip,
      [nick],
      ["id", "name", "nick"],
    ],
    [
      "three columns that pass their names on are released together",
      [ID, { ...NAME, name: "nick" }, { ...NICK, name: "rank" }, { ...ZIP, name: "name" }],
      zip,
      [name, nick],
      ["id", "nick", "rank", "name"],
    ],
  ];
  it.each(cases)("%s", (_, now, id, together, names) => {
    const state = judged(ALL, now);
    expect(candidateFor(state, id).together).toEqual(together);
    const released = play(MANUAL, state, release([id, ...together]), flip(id));
    expect(fieldNames(released.state)).toEqual(names);
    expect(effectsOf(released)).toEqual([id, ...together].map((one) => `alert ${one}`));
    expect(withheldOf(tableIn(released.state))).toEqual([]);
    expect(outcome(released.state)?.kind).toBe("done");
    expect(play(MANUAL, released.state, seen(now)).effects).toEqual([]);
  });

  it("a registered candidate does not flow once one of its members has changed", () => {
    const renamed = (to: string) => [ID, { ...NAME, name: to }, NICK, { ...ZIP, name: "name" }];
    const state = judged(ALL, renamed("alias"), OBSERVE);
    const late = registered(state, zip);
    const step = play(OBSERVE, state, seen(renamed("other")), late);
    expect(tableIn(step.state).shape).toEqual(tableIn(state).shape);
    expect(effectsOf(step)).toEqual([`judge ${zip}`]);
  });

  it("a dropped column is released without the column that takes its name", () => {
    const state = judged(ALL, again);
    expect(candidateFor(state, nick).together).toEqual([]);
    expect(fieldNames(play(MANUAL, state, release([nick]), flip(nick)).state)).toEqual(["id", "name"]);
  });

  it("under manual a release of only one of them is refused, with the others' ids", () => {
    const step = play(MANUAL, judged(ALL, swapped), release([name]));
    expect(outcome(step.state)).toMatchObject(refused(`${name}: it goes together with ${nick}: release both`));
    expect(step.effects).toEqual([]);
  });

  it("one that a person withholds holds back the others", () => {
    const { state } = play(OBSERVE, judged(ALL, again), as("withhold", [nick], { id: "w" }));
    const step = play(OBSERVE, state, { kind: "settle", topic: TOPIC });
    expect(effectsOf(step)).not.toContain(`register ${zip}`);
    expect(findAmendment(step.state, zip)?.amendment.gate.reason).toEqual({ kind: "member-withheld", id: nick });
    expect(outcome(play(RULES, state, release([zip])).state)).toMatchObject(refused(`${nick}, which is withheld`));
  });

  it("under contracts one that a consumer still reads holds back the others", () => {
    const reads = { ...REPLICA, fields: ["id", "name"] };
    const first = play(RULES, stateOf(publishing(ALL), reads), seen(swapped), (now) => fits(now, nick));
    expect(effectsOf(first)).toEqual([`alert ${nick}`]);
    const { gate, verdicts } = findAmendment(first.state, nick)?.amendment ?? {};
    expect(gate?.reason).toEqual({ kind: "not-ready", consumers: ["replica"] });
    expect(verdicts).toMatchObject([{ findings: [{ rule: "meaning/another-column", field: "after.name" }] }]);
  });

  it("under contracts one that no consumer reads is released", () => {
    const reads = { ...REPLICA, fields: ["id"], unknownFields: "accept" as const };
    const first = play(RULES, stateOf(publishing(ALL), reads), seen(swapped), (now) => fits(now, nick));
    expect(effectsOf(first)).toEqual([`register ${nick}`]);
  });

  it("without a key all of them need rows to be published again", () => {
    const rules = OBSERVE;
    const now = [ID, { ...NAME, name: "alias" }, NICK, { ...ZIP, name: "name" }];
    const keyless = stateOf(publishing(ALL, false));
    const { state, effects } = play(rules, keyless, seen(now, { keyed: false }), (one) => fits(one, zip));
    expect(effects).toEqual([{ kind: "alert", id: zip }]);
    expect(findAmendment(state, zip)?.amendment.gate.reason).toEqual({ kind: "member-keyless", id: name });
    expect(outcome(play(rules, state, release([zip])).state)).toMatchObject(refused("--backfill none"));
  });

  it("a name that belongs to another column's published field is refused", () => {
    const beside = play(
      MANUAL,
      judged(ALL, [ID, NAME, RANK]),
      as("release", [nick], { beside: { name: "zip" } }),
      (now) => fits(now, nick),
      flip(nick),
    );
    const { state } = play(MANUAL, beside.state, seen([ID, NAME, RANK, ZIP]));
    expect(() => candidateFor(state, zip)).toThrow("field-name-taken");
    const none: Input = {
      kind: "judged",
      id: zip,
      answer: { kind: "no-candidate", why: { kind: "field-name-taken", field: "zip" } },
    };
    const asked = play(MANUAL, state, release([zip], { id: "c2" }), none);
    expect(outcome(asked.state, "c2")).toEqual({
      kind: "refused",
      message: `${zip}: another column already fills a field named zip`,
    });
  });
});

describe("release --beside", () => {
  const renamed = judged(ALL, [ID, NAME, RANK]);
  const retyped = judged(ALL, [ID, NAME, column(3, "nick", "int")]);
  const beside = (state: State, by: string | undefined, id = "c1") =>
    play(MANUAL, state, release([nick], { id, beside: { name: by } }));

  it("asks about a different schema, then both fields flow, and the old one waits", () => {
    const asked = beside(renamed, undefined);
    expect(effectsOf(asked)).toContain(`judge ${nick}`);
    expect(outcome(asked.state)).toMatchObject({ kind: "pending" });
    const both = play(MANUAL, asked.state, (now) => fits(now, nick), flip(nick));
    expect(fieldNames(both.state)).toEqual(["id", "name", "nick", "rank"]);
    expect(outcome(both.state)).toMatchObject({ kind: "done" });
    expect(both.state.jobs.get(`backfill/${nick}`)).toMatchObject({ state: "running" });
    expect(findAmendment(both.state, nick)?.amendment).toMatchObject({ order: undefined, gate: { kind: "withheld" } });
    expect(effectsOf(both)).toContain(`judge ${nick}`);
    const after = play(MANUAL, both.state, seen([ID, NAME, RANK]), (now) => fits(now, nick)).state;
    const only = play(MANUAL, after, release([nick], { id: "c2" }), flip(nick)).state;
    expect(fieldNames(only)).toEqual(["id", "name", "rank"]);
    expect(withheldOf(tableIn(play(MANUAL, only, seen([ID, NAME, RANK])).state))).toEqual([]);
  });

  it("keeps both fields until a later drop of the column removes them", () => {
    const both = play(MANUAL, beside(retyped, "nick_2").state, (now) => fits(now, nick), flip(nick)).state;
    const dropped = play(MANUAL, both, seen([ID, NAME]), (now) => fits(now, nick)).state;
    expect(fieldNames(dropped)).toEqual(["id", "name", "nick", "nick_2"]);
    expect(fieldNames(play(MANUAL, dropped, release([nick], { id: "c2" }), flip(nick)).state)).toEqual(["id", "name"]);
  });

  it("gives the new type its own name, which it keeps", () => {
    const both = play(MANUAL, beside(retyped, "nick_2").state, (now) => fits(now, nick), flip(nick)).state;
    expect(fieldNames(both)).toEqual(["id", "name", "nick", "nick_2"]);
    const done = { ...both, jobs: new Map() };
    const only = play(MANUAL, done, (now) => fits(now, nick), release([nick], { id: "c2" }), flip(nick)).state;
    expect(fieldNames(only)).toEqual(["id", "name", "nick_2"]);
    // Its values are published already.
    expect(only.jobs.size).toBe(0);
    expect(withheldOf(tableIn(play(MANUAL, only, seen([ID, NAME, column(3, "nick", "int")])).state))).toEqual([]);
  });

  it.each([
    ["becomes optional, because values of the new type need not fit it", "int", "nick", true],
    ["of a column of the key stays as it is, because the key needs every value", "bigint", "id", false],
  ] as const)("an old required field %s", (_, type, of, optional) => {
    const before = [{ ...ID }, NAME, { ...NICK, notNull: true }];
    const now = before.map((one) => (one.name === of ? { ...column(one.attnum, of, type), notNull: true } : one));
    const [id = ""] = now.filter((one) => one.name === of).map(idOf);
    const asked = play(MANUAL, judged(before, now), release([id], { beside: { name: "other" } })).state;
    const both = play(MANUAL, asked, (state) => fits(state, id), flip(id)).state;
    expect(tableIn(both).shape.fields.find((one) => one.name === of)?.optional).toBe(optional);
    expect(fieldNames(both)).toContain("other");
  });

  it("rejected by the registry leaves the plain release unchanged", () => {
    const asked = beside(renamed, undefined);
    const candidate = candidateFor(asked.state, nick);
    const no = play(MANUAL, asked.state, {
      kind: "judged",
      id: nick,
      answer: { kind: "refused", candidate, text: "409" },
    });
    expect(outcome(no.state)).toMatchObject(refused("409"));
    expect(effectsOf(no)).toContain(`judge ${nick}`);
    const plain = play(MANUAL, no.state, release([nick], { id: "c2" }), (now) => fits(now, nick), flip(nick));
    expect(fieldNames(plain.state)).toEqual(["id", "name", "rank"]);
  });

  const refusals: [string, State, string | undefined, string][] = [
    ["of an added column", judged([ID, NAME], ALL), undefined, nick],
    ["of a dropped column", judged(ALL, [ID, NAME]), undefined, nick],
    ["of another default", judged(ALL, [ID, NAME, { ...NICK, defaultExpr: "'x'::text" }]), "other", nick],
    ["a retyped one without a name", retyped, undefined, nick],
    ["a name that a field has", renamed, "name", nick],
    ["a name that is not a valid Avro name", renamed, "2nd", nick],
    ["an empty name", renamed, "", nick],
  ];
  it.each(refusals)("%s is refused", (_, state, by) => {
    const step = beside(state, by, "c9");
    expect(outcome(step.state, "c9")).toMatchObject(refused("--beside is for"));
    expect(step.state.tables).toBe(state.tables);
  });

  it("uses the field's name if the column's name is not a valid Avro name", () => {
    const state = judged(ALL, [ID, NAME, { ...NICK, name: "nick-name" }]);
    const both = play(MANUAL, beside(state, undefined).state, (now) => fits(now, nick), flip(nick)).state;
    expect(fieldNames(both)).toEqual(["id", "name", "nick", "nick_name"]);
  });
});

describe("fill", () => {
  const required = { ...NICK, notNull: true };
  const dropped = (of: Column) => judged([ID, NAME, of], [ID, NAME]);
  const kinds: [string, Column, readonly Json[], readonly Json[]][] = [
    ["text", required, ["x", ""], [1, true, null, {}, []]],
    ["int", column(3, "nick", "int", { notNull: true }), [0, -2_147_483_648], [2_147_483_648, 1.5, "1", true, null]],
    ["bigint", column(3, "nick", "bigint", { notNull: true }), [0, 2 ** 52], [2 ** 53, 0.5, "1"]],
    ["bool", { ...required, type: { oid: 16, typmod: -1 } }, [true, false], [1, "t", null]],
    ["float8", { ...required, type: { oid: 701, typmod: -1 } }, [1, 1.5], ["1", true]],
  ];
  it.each(kinds)("of %s accepts only values that fit, and never shows the value", (_, of, good, bad) => {
    const state = dropped(of);
    for (const value of good) {
      const step = play(MANUAL, state, fill(value));
      expect(outcome(step.state)?.kind).toBe("done");
      expect(tableIn(step.state).shape.fields.at(-1)?.fill).toBe(value);
      expect(tableIn(step.state).shape.valueSchema).toBe(tableIn(state).shape.valueSchema);
    }
    for (const value of [...bad, "secret", undefined]) {
      if (good.some((one) => typeof one === typeof value) && value === "secret") continue;
      const step = play(MANUAL, state, fill(value));
      expect(outcome(step.state)).toMatchObject(refused("the value is not an Avro"));
      expect(JSON.stringify(outcome(step.state))).not.toContain("secret");
      expect(step.state.tables).toBe(state.tables);
    }
  });

  it("is refused for a column that is not dropped, and for one without a field in the events", () => {
    expect(outcome(play(MANUAL, judged([ID, NAME], ALL), fill("x")).state)).toMatchObject(refused("dropped column"));
    expect(outcome(play(MANUAL, judged(ALL, [ID, NAME, RANK]), fill("x")).state)).toMatchObject(refused("dropped"));
    const released = play(MANUAL, dropped(NICK), release([nick]), flip(nick)).state;
    expect(outcome(play(MANUAL, released, fill("x", [nick], { id: "c2" })).state, "c2")).toMatchObject(
      refused("released"),
    );
  });

  it("fills only those of a column's fields that the value fits", () => {
    const retyped = judged(ALL, [ID, NAME, column(3, "nick", "int")]);
    const both = play(
      MANUAL,
      retyped,
      release([nick], { beside: { name: "nick_2" } }),
      (now) => fits(now, nick),
      flip(nick),
    ).state;
    const state = play(MANUAL, both, seen([ID, NAME])).state;
    const fills = (given: State) => tableIn(given).shape.fields.map((field) => field.fill);
    const one = play(MANUAL, state, fill(7, [nick], { id: "c2" })).state;
    expect(fills(one)).toEqual([undefined, undefined, undefined, 7]);
    expect(fills(play(MANUAL, one, fill("x", [nick], { id: "c3" })).state)).toEqual([undefined, undefined, "x", 7]);
    const amendment = findAmendment(state, nick)?.amendment;
    expect(amendment && refusesFill(tableIn(state), amendment, true)).toMatchObject({ kind: "fill-value-unfit" });
  });

  it("does not release the drop: the field is kept until it is released", () => {
    const { state } = play(MANUAL, dropped(required), fill("x"));
    expect(withheldOf(tableIn(state)).map(({ id }) => id)).toEqual([nick]);
    expect(fieldNames(play(MANUAL, state, release([nick], { id: "c2" }), flip(nick)).state)).toEqual(["id", "name"]);
  });
});

describe("the events' key", () => {
  const key = `${TOPIC}/key`;
  const [first, second, third] = [[ID.attnum], [NAME.attnum], [NICK.attnum]];
  /**
   * The table has these keys at its next row. `identified`: the columns that old rows have; empty if they have all of
   * them.
   */
  const next = (
    keys: readonly (readonly Attnum[])[],
    identity: Table["replicaIdentity"] = "full",
    identified: readonly Attnum[] = [],
  ) => {
    const [best = [], ...otherKeys] = keys;
    const catalog = { ...tableOf(ALL), key: best, otherKeys, identified, replicaIdentity: identity };
    const input = seen(ALL, { catalog });
    const columns = input.relation.columns.map((one, index) => {
      const attnumAt = input.columns[index];
      return { ...one, key: attnumAt !== undefined && identified.includes(attnumAt) };
    });
    return { ...input, relation: { ...input.relation, identity, columns } };
  };

  it.each([
    ["another index comes first now that its own was rebuilt", next([second, first])],
    ["old rows have all its columns", next([[...second, ...first], first], "index", [...second, ...first])],
    ["a primary key is added and old rows are complete", next([third, second, first])],
  ])("stays when %s", (_, input) => {
    expect(findAmendment(play(MANUAL, stateOf(publishing(ALL)), input).state, key)).toBeUndefined();
  });

  it.each([
    ["its index was dropped", next([second]), second],
    ["there is no unique index left", next([]), []],
    ["old rows have another key", next([second, first], "index", second), second],
    ["a primary key is added and old rows have only that", next([third, first], "default", third), third],
  ])("changes when %s", (_, input, expected) => {
    const { state } = play(MANUAL, stateOf(publishing(ALL)), input);
    expect(findAmendment(state, key)?.amendment).toMatchObject({ key: expected, gate: { kind: "withheld" } });
  });
});

describe("a key", () => {
  const key = `${TOPIC}/key`;
  const asked = (state: State) => play(MANUAL, state, seen(ALL, { key: [1, 3] }), (now) => fits(now, key)).state;
  it("is released only with a reason, under every policy", () => {
    const state = asked(stateOf(publishing(ALL)));
    for (const reason of [undefined, ""]) {
      expect(outcome(play(MANUAL, state, release([key], { reason })).state)).toMatchObject(refused("--reason"));
    }
    const step = play(MANUAL, state, release([key], { reason: "agreed" }), flip(key));
    expect(tableIn(step.state).shape.key.map((field) => field.name)).toEqual(["id", "nick"]);
  });
  it("that the table did not have before lets its rows be published", () => {
    const state = asked(stateOf(publishing(ALL, false)));
    const step = play(MANUAL, state, release([key], { reason: "agreed" }), flip(key));
    expect(step.state.jobs.get(`backfill/${key}`)?.state).toBe("running");
  });
  it("that the table no longer has gives its own reason", () => {
    const { state } = play(MANUAL, stateOf(publishing(ALL)), seen(ALL, { keyed: false }));
    expect(() => candidateFor(state, key)).toThrow("no-primary-key");
  });
});

describe("topic.field", () => {
  it("names two amendments after a swap, and the refusal lists both", () => {
    const state = judged(ALL, [ID, { ...NAME, name: "nick" }, { ...NICK, name: "name" }]);
    expect(outcome(play(MANUAL, state, release([`${TOPIC}.nick`])).state)).toMatchObject(refused(`${name}, ${nick}`));
  });
  it("means the published field or the column", () => {
    const state = judged(ALL, [ID, NAME, RANK]);
    for (const id of ["nick", "rank"]) {
      expect(effectsOf(play(MANUAL, state, release([`${TOPIC}.${id}`])))).toEqual([`register ${nick}`]);
    }
  });
});

describe("any subset is released, in any order", () => {
  const now = [ID, { ...NAME, name: "alias" }, { ...NICK, defaultExpr: "'x'::text" }, column(5, "born", "int")];
  const ids = [name, nick, zip, `${TOPIC}/5`];
  const orders = [ids, ids.toReversed(), [zip, name], [nick], [`${TOPIC}/5`, nick]];
  it.each(orders.map((order) => [order.join(" "), order] as const))("%s", (_, order) => {
    let state = judged([ID, NAME, NICK, ZIP], now);
    for (const id of order) {
      state = play(MANUAL, state, (one) => fits(one, id), release([id], { id: `release ${id}` }), flip(id)).state;
    }
    const left = withheldOf(tableIn(state)).map(({ id }) => id);
    expect(left.toSorted()).toEqual(ids.filter((id) => !order.includes(id)));
    const either = (id: string, before: string, after: string[]) => (order.includes(id) ? after : [before]);
    expect(fieldNames(state)).toEqual([
      "id",
      ...either(name, "name", ["alias"]),
      "nick",
      ...either(zip, "zip", []),
      ...(order.includes(`${TOPIC}/5`) ? ["born"] : []),
    ]);
  });
});

describe("a compatibility level that rejects a required field", () => {
  it("accepts a new type of a column that is now NOT NULL too, if the field remains optional", () => {
    const { state } = play(
      MANUAL,
      stateOf(publishing([ID, column(2, "level", "int")])),
      seen([ID, column(2, "level", "bigint", { notNull: true })]),
    );
    const amendment = findAmendment(state, name)?.amendment;
    if (amendment === undefined) throw new Error("no amendment");
    expect(amendment.changes).toEqual(["retyped", "not-null-set"]);
    expect(canWiden(madeOf(tableIn(state), amendment), amendment)).toBe(true);
    const wide = madeOf(tableIn(state), amendment, true);
    expect(wide.field).toMatchObject({ optional: true, avro: { type: ["null", "long"], default: null } });
    const only = { ...amendment, changes: ["not-null-set" as const] };
    expect(canWiden(madeOf(tableIn(state), only), only)).toBe(false);
  });
});
