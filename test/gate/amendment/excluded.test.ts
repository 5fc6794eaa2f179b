import { describe, expect, it } from "vitest";
import { followLists, isExcluded, isListsNews } from "../../../src/gate/amendment/excluded.ts";
import type { Rules, State, TableState } from "../../../src/gate/state.ts";
import { withheldOf } from "../../../src/gate/update.ts";
import { attnum, type Column, tableOid } from "../../../src/table/column.ts";
import {
  column,
  fieldNames,
  ID,
  NAME,
  play,
  publishing,
  release,
  RULES,
  seen,
  stateOf,
  tableIn,
  tableOf,
  TOPIC,
  ZIP,
} from "../customers.ts";

const keepingOut = (...names: readonly string[]): Rules => ({
  ...RULES,
  "fieldgate.release.policy": "manual",
  filter: { ...RULES.filter, column: (_schema, _table, name) => !names.includes(name) },
});
const taking = (...names: readonly string[]): Rules => ({
  ...RULES,
  filter: { ...RULES.filter, column: (_schema, _table, name) => names.includes(name) },
});
const SSN = column(3, "ssn", "text");
const as = (name: string, of: Column): Column => ({ ...of, name });
const NO_SSN = keepingOut("ssn");
const [blank] = [stateOf(publishing([ID, NAME]))];
const out = (state: State) => tableIn(state).excluded?.map((one) => `${one.attnum} as ${one.as}`);
const told = (state: State) => withheldOf(tableIn(state)).map(({ id, kind }) => `${id} ${kind}`);
const follow = (rules: Rules, state: State): State => ({ ...state, ...followLists(rules, state, () => []) });
const isOut = (rules: Rules, table: TableState, of: Column) => isExcluded(rules, table, of);

describe("a column that the lists exclude", () => {
  const cases: readonly [string, Rules, readonly (readonly Column[])[], readonly string[], readonly string[]][] = [
    ["is remembered by its attnum", NO_SSN, [[ID, NAME, SSN]], ["3 as ssn"], []],
    [
      "remains excluded when it is renamed",
      NO_SSN,
      [
        [ID, NAME, SSN],
        [ID, NAME, as("ssn_number", SSN)],
      ],
      ["3 as ssn"],
      [],
    ],
    [
      "remains excluded under its second name, also when that belonged to a published column",
      NO_SSN,
      [
        [ID, NAME, SSN],
        [ID, as("old", NAME), as("name", SSN)],
      ],
      ["3 as ssn"],
      [`${TOPIC}/2 changed`],
    ],
    [
      "remains excluded from an include list when it takes a name of the list",
      taking("id", "name"),
      [
        [ID, NAME, SSN],
        [ID, as("name", SSN)],
      ],
      ["3 as ssn"],
      [`${TOPIC}/2 dropped`],
    ],
    [
      "is a new column after a drop, and its name decides",
      NO_SSN,
      [
        [ID, NAME, SSN],
        [ID, NAME, ZIP],
      ],
      ["3 as ssn"],
      [`${TOPIC}/4 added`],
    ],
    [
      "is excluded once it has the name, also when two names are swapped",
      NO_SSN,
      [
        [ID, NAME, SSN],
        [ID, as("ssn", NAME), as("name", SSN)],
      ],
      ["3 as ssn", "2 as ssn"],
      [`${TOPIC}/2 dropped`],
    ],
    [
      "that was published before does not return with its old name: rows written in the meantime would lack its value",
      NO_SSN,
      [
        [ID, as("ssn", NAME)],
        [ID, NAME],
      ],
      ["2 as ssn"],
      [`${TOPIC}/2 dropped`],
    ],
  ];
  it.each(cases)("%s", (_, rules, looks, expected, amendments) => {
    const { state } = play(rules, blank, ...looks.map((columns) => seen(columns)));
    expect(out(state)).toEqual(expected);
    expect(told(state)).toEqual(amendments);
  });

  it("is decided by its name alone in watch mode, as Debezium does", () => {
    const { state } = play({ ...NO_SSN, mode: "watch" }, blank, seen([ID, NAME, SSN]), seen([ID, NAME, as("s", SSN)]));
    expect(out(state)).toBeUndefined();
    expect(tableIn(state).amendments.map(({ id }) => id)).toEqual([`${TOPIC}/3`]);
  });

  it("remains excluded from a replacement table, by the lists and by its last name", () => {
    const { state } = play(NO_SSN, blank, seen([ID, NAME, SSN]), seen([ID, NAME, as("tax", SSN)]));
    const columns = [ID, column(2, "tax", "text"), column(3, "name", "text"), column(4, "ssn", "text")];
    const table = { ...tableOf(columns), oid: tableOid(6000) };
    const id = `${TOPIC}/table`;
    const placed = play(
      NO_SSN,
      state,
      { kind: "replaced", topic: TOPIC, table },
      release([id], { reason: "restored" }),
    );
    expect(out(placed.state)).toEqual(["2 as ssn", "4 as ssn"]);
    const table2 = tableIn(placed.state);
    expect(columns.filter((one) => !isOut(NO_SSN, table2, one)).map(({ name }) => name)).toEqual(["id", "name"]);
  });
});

describe("a change of the lists in the file", () => {
  const hidden = play(NO_SSN, blank, seen([ID, NAME, SSN]), seen([ID, NAME, as("tax", SSN)])).state;

  it("that no longer excludes a column: it is an amendment at the next look, with the values that were missed", () => {
    const state = follow(RULES, hidden);
    expect(out(state)).toEqual([]);
    expect(isListsNews(RULES, tableIn(state))).toBe(true);
    const { state: next } = play(keepingOut(), state, seen([ID, NAME, as("tax", SSN)]));
    expect(told(next)).toEqual([`${TOPIC}/3 added`]);
    expect(withheldOf(tableIn(next))[0]?.missed).toBe(true);
    expect(isListsNews(RULES, tableIn(next))).toBe(false);
  });

  it("that excludes a column's current name: it remains excluded under that name", () => {
    const state = follow(keepingOut("tax"), hidden);
    expect(out(state)).toEqual(["3 as tax"]);
    expect(isListsNews(keepingOut("tax"), tableIn(state))).toBe(false);
  });

  it("about other columns: an excluded column remains excluded although its name is not listed", () => {
    const state = follow(keepingOut("ssn", "name"), hidden);
    expect(out(state)).toEqual(["3 as ssn", "2 as name"]);
    expect(isListsNews(keepingOut("ssn", "name"), tableIn(state))).toBe(true);
    const { state: next } = play(keepingOut("ssn", "name"), state, seen([ID, NAME, as("tax", SSN)]));
    expect(told(next)).toEqual([`${TOPIC}/2 dropped`]);
  });

  it("that includes a column again whose field is still published: all rows are published again", () => {
    const gone = follow(keepingOut("name"), play(RULES, blank, seen([ID, NAME])).state);
    const noted = play(keepingOut("name"), gone, seen([ID, NAME])).state;
    expect(told(noted)).toEqual([`${TOPIC}/2 dropped`]);
    const back = follow(keepingOut(), noted);
    expect([...back.jobs.values()]).toEqual([expect.objectContaining({ id: `repair/${TOPIC}`, state: "running" })]);
    const { state } = play(keepingOut(), back, seen([ID, NAME]));
    expect(told(state)).toEqual([]);
    expect(fieldNames(state)).toEqual(["id", "name"]);
  });

  it("that changes nothing leads to nothing", () => {
    expect(followLists(NO_SSN, hidden, () => [])).toBe(hidden);
  });
});

describe("a state written by a version that did not remember exclusions", () => {
  it("excludes columns by the names they were proven with, or by the catalog if none were", () => {
    const known = [ID, NAME, SSN].map(({ attnum: at, name, type }) => ({ attnum: at, name, type }));
    const old = stateOf({ ...publishing([ID, NAME]), known });
    expect(out(follow(NO_SSN, old))).toEqual(["3 as ssn"]);
    const unread = stateOf({ ...publishing([ID, NAME]), known: [] });
    const state = { ...unread, ...followLists(NO_SSN, unread, () => [{ attnum: attnum(3), name: "ssn" }]) };
    expect(out(state)).toEqual(["3 as ssn"]);
  });
});
