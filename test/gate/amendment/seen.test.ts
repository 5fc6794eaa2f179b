import { describe, expect, it } from "vitest";
import type { Explanation } from "../../../src/gate/amendment/amendment.ts";
import type { Input, Rules, State } from "../../../src/gate/state.ts";
import { findAmendment, withheldOf } from "../../../src/gate/update.ts";
import { attnum, type Column } from "../../../src/table/column.ts";
import { lsn } from "../../../src/wal/lsn.ts";
import {
  column,
  effectsOf,
  fieldNames,
  fits,
  ID,
  idOf,
  MANUAL,
  NAME,
  NICK,
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
  withPolicy,
  ZIP,
} from "../customers.ts";
import { tableOid } from "../../../src/table/column.ts";

const nick = idOf(NICK);
const RANK = { ...NICK, name: "rank" };
const ALL = [ID, NAME, NICK];
const publishes = (columns: readonly Column[] = ALL, rows = {}) => stateOf({ ...publishing(columns), ...rows });
const amendmentIn = (state: State, id = nick) => findAmendment(state, id)?.amendment;
const withheld = (state: State) => withheldOf(tableIn(state)).map(({ id, changes }) => [id, ...changes].join(" "));
const repair = `repair/${TOPIC}`;

it("the version of a column's definition counts from the earliest position at which it was seen", () => {
  const at = (position: bigint, version: string): Input => ({
    ...seen([ID, { ...NAME, version }]),
    tableAt: lsn(position),
  });
  const since = (...inputs: Input[]) => tableIn(play(RULES, publishes([ID, NAME]), ...inputs).state).defined?.["2"];
  expect(since(at(200n, "7"))).toEqual({ version: "7", since: "0/C8" });
  expect(since(at(200n, "7"), at(300n, "7"))).toEqual({ version: "7", since: "0/C8" });
  expect(since(at(200n, "7"), at(100n, "7"))).toEqual({ version: "7", since: "0/64" });
  expect(since(at(200n, "7"), at(300n, "8"))).toEqual({ version: "8", since: "0/12C" });
  expect(since(at(200n, "7"), seen([ID, NAME]))).toEqual({ version: "7", since: "0/C8" });
});

/** The amendment is judged to fit and released. */
const letIn =
  (id: string) =>
  (state: State): State =>
    play(
      MANUAL,
      state,
      (now) => fits(now, id),
      release([id], { id: `${id} over ${tableIn(state).flowed.length}`, reason: "r", force: true }),
      (now) => registered(now, id),
    ).state;

describe("only the present difference is withheld, whatever came before", () => {
  const cases: [string, readonly (readonly Column[])[], readonly string[]][] = [
    ["renamed", [[ID, NAME, RANK]], [`${nick} renamed`]],
    ["renamed back", [[ID, NAME, RANK], ALL], []],
    [
      "renamed twice",
      [
        [ID, NAME, RANK],
        [ID, NAME, { ...NICK, name: "grade" }],
      ],
      [`${nick} renamed`],
    ],
    [
      "renamed, then retyped",
      [
        [ID, NAME, RANK],
        [ID, NAME, column(3, "rank", "int")],
      ],
      [`${nick} renamed retyped`],
    ],
    ["retyped and back", [[ID, NAME, column(3, "nick", "int")], ALL], []],
    [
      "renamed, then dropped",
      [
        [ID, NAME, RANK],
        [ID, NAME],
      ],
      [nick],
    ],
    ["NOT NULL set and lost", [[ID, NAME, { ...NICK, notNull: true }], ALL], []],
    ["a default set and dropped", [[ID, NAME, { ...NICK, defaultExpr: "'x'::text" }], ALL], []],
    ["a column added and dropped", [[...ALL, ZIP], ALL], []],
    ["names swapped and swapped back", [[ID, { ...NAME, name: "nick" }, { ...NICK, name: "name" }], ALL], []],
  ];
  it.each(cases)("%s", (_, tables, expected) => {
    const { state } = play(MANUAL, publishes(), ...tables.map((columns) => seen(columns)));
    expect(withheld(state)).toEqual(expected);
    expect(fieldNames(state)).toEqual(["id", "name", "nick"]);
  });

  it("a released change is the shape: undoing it is a new amendment", () => {
    const renamed = letIn(nick)(play(MANUAL, publishes(), seen([ID, NAME, RANK])).state);
    expect(fieldNames(renamed)).toEqual(["id", "name", "rank"]);
    expect(amendmentIn(renamed)?.gate.kind).toBe("released");
    const back = play(MANUAL, renamed, seen(ALL));
    expect(withheld(back.state)).toEqual([`${nick} renamed`]);
    expect(amendmentIn(back.state)).toMatchObject({
      name: "rank",
      order: undefined,
      alerted: undefined,
      answer: undefined,
    });
    expect(effectsOf(back)).toEqual([`judge ${nick}`]);
  });

  it("a released field whose column is dropped has one amendment, for the drop", () => {
    const state = letIn(nick)(play(MANUAL, stateOf(), seen(ALL)).state);
    const dropped = play(MANUAL, state, seen([ID, NAME]));
    expect(amendmentIn(dropped.state)).toMatchObject({ kind: "dropped", name: "nick", gate: { kind: "withheld" } });
    expect(fieldNames(dropped.state)).toEqual(["id", "name", "nick"]);
    expect(fieldNames(letIn(nick)(dropped.state))).toEqual(["id", "name"]);
  });
});

describe("an operator's command on a column that changes again", () => {
  const said = (kind: "release" | "withhold"): Input => {
    const input = release([nick], { kind });
    return input;
  };
  const ordered = (kind: "release" | "withhold", ...after: readonly Input[]) =>
    play(MANUAL, publishes(), seen([ID, NAME, RANK]), (now) => fits(now, nick), said(kind), ...after);

  it("a withhold remains in force", () => {
    const { state } = ordered("withhold", seen([ID, NAME, { ...NICK, name: "grade" }]));
    expect(amendmentIn(state)?.order?.kind).toBe("withhold");
  });
  it("a release was meant for the column as it was: it is answered and has to be repeated", () => {
    const { state } = ordered("release", seen([ID, NAME, { ...NICK, name: "grade" }]));
    expect(amendmentIn(state)?.order).toBeUndefined();
    expect(state.outcomes.get("c1")).toEqual({ kind: "refused", refusals: [{ kind: "superseded" }] });
  });
  it("a release remains in force if nothing changed", () => {
    const { state } = ordered("release", seen([ID, NAME, RANK]));
    expect(amendmentIn(state)?.order?.kind).toBe("release");
    expect(state.outcomes.get("c1")).toMatchObject({ kind: "pending" });
  });
});

describe("who made a change, and with which command", () => {
  const explained: Explanation = { command: "ALTER TABLE", role: "anna", time: "2026-01-01T00:00:00.000Z" };
  it("is in the amendment, and remains when the first row arrives", () => {
    const { state } = play(MANUAL, stateOf(), seen(ALL, { explained }), seen(ALL));
    expect(amendmentIn(state)?.explained).toEqual(explained);
  });
  it("is added when it arrives after the row, and nothing is judged again", () => {
    const judged = play(MANUAL, stateOf(), seen(ALL), (now) => fits(now, nick));
    const step = play(MANUAL, judged.state, seen(ALL, { explained }));
    expect(amendmentIn(step.state)).toEqual({ ...amendmentIn(judged.state), explained });
  });
  it("is that of the last change", () => {
    const later = { ...explained, role: "bob" };
    const { state } = play(MANUAL, stateOf(), seen(ALL, { explained }), seen([ID, NAME, RANK], { explained: later }));
    expect(amendmentIn(state)?.explained).toEqual(later);
  });
});

describe("values that published rows lacked", () => {
  it("of a column that existed before it could be a field: missed", () => {
    const at = column(3, "at", "tid");
    const known = [ID, NAME, at].map(({ attnum: a, name, type }) => ({ attnum: a, name, type }));
    const { state } = play(MANUAL, stateOf({ ...publishing(), known }), seen([ID, NAME, column(3, "at", "text")]));
    expect(amendmentIn(state)?.missed).toBe(true);
    expect(letIn(nick)(state).jobs.get(`backfill/${nick}`)?.state).toBe("running");
  });
  it("of a column that was just added: not missed until a row is published", () => {
    const { state } = play(MANUAL, stateOf(), seen(ALL));
    expect(amendmentIn(state)?.missed).toBe(false);
    expect(amendmentIn(play(MANUAL, state, PASSED, seen([ID, NAME, RANK])).state)?.missed).toBe(true);
  });
});

describe("columns in doubt", () => {
  const doubtful = [attnum(3)];
  const doubt = play(MANUAL, publishes(), seen(ALL, { doubtful }), { ...PASSED, doubt: true }).state;

  it("that are fields: every row is published again once they are identified", () => {
    expect(tableIn(doubt)).toMatchObject({ doubt: true, emptied: true, amendments: [] });
    expect(doubt.jobs.size).toBe(0);
    const { state } = play(MANUAL, doubt, seen(ALL));
    expect(tableIn(state).emptied).toBe(false);
    expect(state.jobs.get(repair)).toMatchObject({
      state: "running",
      due: "all",
      column: undefined,
      cursor: undefined,
    });
  });
  it("remain in doubt until they are identified", () => {
    const still = play(MANUAL, doubt, seen([...ALL, ZIP], { doubtful: [attnum(4)] })).state;
    expect(tableIn(still).emptied).toBe(true);
    expect(play(MANUAL, still, seen([...ALL, ZIP])).state.jobs.has(repair)).toBe(true);
  });
  it("that are not fields: no field was emptied", () => {
    const { state } = play(MANUAL, stateOf(), seen(ALL, { doubtful }), { ...PASSED, doubt: true }, seen(ALL));
    expect(state.jobs.size).toBe(0);
    expect(amendmentIn(state)?.missed).toBe(true);
  });
  it("next to the kept field of a dropped column: that field has no values anyway", () => {
    const table = play(MANUAL, publishes([...ALL, ZIP]), seen(ALL)).state;
    const { state } = play(MANUAL, table, seen([...ALL, column(5, "new", "text")], { doubtful: [attnum(5)] }));
    expect(tableIn(state).emptied).toBe(false);
  });
  it("keep their withheld amendments", () => {
    const { state } = play(MANUAL, publishes(), seen([ID, NAME, RANK]), seen([ID, NAME, RANK], { doubtful }));
    expect(withheld(state)).toEqual([`${nick} renamed`]);
    const dropped = play(MANUAL, publishes(), seen([ID, NAME]), seen([ID, NAME, ZIP], { doubtful: [attnum(4)] }));
    expect(withheld(dropped.state)).toEqual([nick]);
  });
  it("of a table without a key cannot be published again, which is reported", () => {
    const keyless = stateOf(publishing(ALL, false));
    const { state } = play(MANUAL, keyless, seen(ALL, { doubtful, keyed: false }), seen(ALL, { keyed: false }));
    expect(state.jobs.get(repair)).toMatchObject({ state: "refused", reason: { kind: "keyless-repair" } });
  });
});

describe("a rewritten table", () => {
  it("has new values that no event carries: every row is published again", () => {
    const { state } = play(MANUAL, publishes(), seen(ALL, { rewritten: true }));
    expect(state.jobs.get(repair)?.state).toBe("running");
    expect(play(MANUAL, publishes(), seen(ALL)).state.jobs.size).toBe(0);
  });
  it("starts its repair again when it is rewritten again in the meantime", () => {
    const { state } = play(MANUAL, publishes(), seen(ALL, { rewritten: true }));
    const job = state.jobs.get(repair);
    if (job === undefined) throw new Error("no job");
    const half = { ...state, jobs: new Map([[repair, { ...job, cursor: ["500"] }]]) };
    expect(play(MANUAL, half, seen(ALL, { rewritten: true })).state.jobs.get(repair)?.cursor).toBeUndefined();
  });
});

describe("a renamed table", () => {
  it("keeps its topic, and the name under which the file captures it", () => {
    const { state, effects } = play(MANUAL, publishes(), seen(ALL, { as: "clients" }), seen(ALL, { as: "patrons" }));
    expect(tableIn(state)).toMatchObject({
      shape: { table: { oid: 5000, name: "patrons" } },
      capturedAs: { schema: "public", name: "customers" },
      amendments: [],
    });
    const before = { oid: tableOid(5000), schema: "public", name: "clients" };
    expect(effects).toEqual([{ kind: "report-rename", topic: TOPIC, before }]);
  });
  it("keeps the key that the file sets for its events", () => {
    const keyColumns = (_: string, table: string) => (table === "customers" ? ["name"] : undefined);
    const pinned: Rules = { ...MANUAL, filter: { ...RULES.filter, keyColumns } };
    const table = publishing();
    const [, name] = table.shape.fields;
    if (name === undefined) throw new Error("no field");
    const state = stateOf({ ...table, shape: { ...table.shape, key: [name] }, rowKey: [attnum(1)] });
    expect(withheld(play(pinned, state, seen([ID, NAME])).state)).toEqual([]);
    expect(withheld(play(pinned, state, seen([ID, NAME], { as: "clients" })).state)).toEqual([]);
  });
});

describe("a new key", () => {
  const key = `${TOPIC}/key`;
  const composed = { key: [1, 3] };
  it("is an amendment that no policy releases", () => {
    for (const policy of ["observe", "contracts", "manual"] as const) {
      const step = play(withPolicy(policy), publishes(), seen(ALL, composed), (now) => fits(now, key));
      expect(withheld(step.state)).toContain(key);
      expect(effectsOf(step)).toEqual([`alert ${key}`]);
      expect(amendmentIn(step.state, key)?.gate.reason.kind).toBe("key-changed");
    }
  });
  it("is no difference if the same columns have a different order, or if it is undone", () => {
    const table = { ...tableOf(ALL), key: [attnum(3), attnum(1)] };
    const both = letIn(key)(play(MANUAL, publishes(), seen(ALL, composed)).state);
    expect(tableIn(both).shape.key.map(({ name }) => name)).toEqual(["id", "nick"]);
    expect(withheld(play(MANUAL, both, seen(ALL, { ...composed, catalog: table })).state)).toEqual([]);
    expect(withheld(play(MANUAL, publishes(), seen(ALL, composed), seen(ALL)).state)).toEqual([]);
  });
  it("has the order of the table's index, as at a fresh start", () => {
    const table = { ...tableOf(ALL), key: [attnum(3), attnum(1)] };
    const state = letIn(key)(play(MANUAL, publishes(), seen(ALL, { ...composed, catalog: table })).state);
    expect(tableIn(state).shape.key.map(({ name }) => name)).toEqual(["nick", "id"]);
  });
  it("has every row published under it once it is released", () => {
    const state = letIn(key)(play(MANUAL, publishes(), seen(ALL, composed)).state);
    expect(state.jobs.get(`backfill/${key}`)).toMatchObject({ state: "running", due: "all" });
    expect(tableIn(state).shape.keySchema?.text).toContain("nick");
    expect(tableIn(state).flowed).toHaveLength(1);
  });
  it("with a column that is still withheld waits for it, then is judged again", () => {
    const before = play(MANUAL, publishes([ID, NAME]), seen(ALL, composed)).state;
    const none = play(MANUAL, before, {
      kind: "judged",
      id: key,
      answer: { kind: "no-candidate", why: { kind: "key-columns-withheld" } },
    });
    expect(amendmentIn(none.state, key)?.gate.reason.kind).toBe("key-columns-withheld");
    const open = play(
      MANUAL,
      none.state,
      (now) => fits(now, nick),
      release([nick]),
      (now) => registered(now, nick),
    );
    expect(effectsOf(open)).toContain(`judge ${key}`);
    expect(fits(open.state, key)).toMatchObject({ answer: { candidate: { part: "key" } } });
  });
  it("is an amendment too if its field was released under a new name, although rows flow", () => {
    const renamed = { ...ID, name: "nr" };
    const value = letIn(idOf(ID))(play(MANUAL, publishes([ID, NAME]), seen([renamed, NAME])).state);
    const { state } = play(MANUAL, value, seen([renamed, NAME]));
    expect(amendmentIn(state, key)).toMatchObject({ kind: "key", key: [1] });
    expect(tableIn(letIn(key)(state)).shape.key.map(({ name }) => name)).toEqual(["nr"]);
  });
  it("of a Relation whose columns are in doubt is not relied on", () => {
    expect(withheld(play(MANUAL, publishes(), seen(ALL, { ...composed, doubtful: [attnum(2)] })).state)).toEqual([]);
  });
});

describe("a type that has become mapped since the last start", () => {
  it("is judged, although the column has not changed", () => {
    const unmapped = {
      rule: "column/type-not-mapped",
      severity: "warning",
      certainty: "always",
      message: "no",
    } as const;
    const { state } = play(MANUAL, stateOf(), seen(ALL));
    const table = tableIn(state);
    const amendments = table.amendments.map((one) => ({ ...one, unmapped }));
    const before = stateOf({ ...table, amendments });
    expect(amendmentIn(play(MANUAL, before, seen(ALL)).state)?.unmapped).toBeUndefined();
  });
});

describe("a column dropped under contracts", () => {
  const reads = { ...REPLICA, fields: ["id", "name", "nick"] };
  it("keeps its field while a contract reads it, and loses it afterwards", () => {
    const kept = play(RULES, stateOf(publishing(ALL), reads), seen([ID, NAME]), (now) => fits(now, nick));
    expect(fieldNames(kept.state)).toEqual(["id", "name", "nick"]);
    expect(amendmentIn(kept.state)?.gate.reason).toEqual({ kind: "not-ready", consumers: ["replica"] });
    const free = play(RULES, stateOf(publishing(ALL), REPLICA), seen([ID, NAME]), (now) => fits(now, nick));
    expect(effectsOf(free)).toEqual([`register ${nick}`]);
  });
});

describe("a null in a required field", () => {
  const required = { ...NAME, notNull: true };
  const found: Input = { kind: "null-found", topic: TOPIC, field: "name" };

  it("counts as a lost NOT NULL, whatever the catalog shows now, and its release makes the field optional", () => {
    const before = stateOf(publishing([ID, required]));
    const step = play(MANUAL, before, seen([ID, required]), found);
    expect(amendmentIn(step.state, idOf(NAME))).toMatchObject({ kind: "changed", changes: ["not-null-lost"] });
    expect(effectsOf(step)).toContain(`judge ${idOf(NAME)}`);
    const again = play(MANUAL, step.state, found);
    expect(again.effects).toEqual([]);
    expect(again.state).toBe(step.state);
  });

  it("of an unknown field or topic changes nothing", () => {
    const before = stateOf(publishing([ID, required]));
    for (const input of [
      { ...found, field: "nobody" },
      { ...found, topic: "elsewhere" },
    ]) {
      expect(play(MANUAL, before, input)).toEqual({ state: before, effects: [] });
    }
  });
});
