import { describe, expect, it } from "vitest";
import type { TableState } from "../../src/gate/state.ts";
import { cannotWithhold } from "../../src/gate/unsupported.ts";
import { attnum, type Column } from "../../src/table/column.ts";
import {
  column,
  ID,
  NAME,
  NICK,
  publishing,
  relationOf,
  seen,
  stateOf,
  play,
  RULES,
  tableIn,
  tableOf,
} from "./customers.ts";

/** id and name are published, nick is withheld. */
const WITHHELD: TableState = tableIn(play(RULES, stateOf(), seen([ID, NAME, NICK])).state);

describe("what cannot be withheld stops before its first row", () => {
  const cases: [string, readonly Column[], RegExp | undefined][] = [
    ["nothing changed", [ID, NAME, NICK], undefined],
    ["a published column dropped", [ID, NICK], /published column name was dropped/],
    ["dropped and added again", [ID, NICK, column(4, "name", "text")], /published column name was dropped/],
    ["renamed", [ID, { ...NAME, name: "full_name" }, NICK], /published column name was renamed to full_name/],
    ["retyped", [ID, column(2, "name", "int"), NICK], /published column name has another type/],
    [
      "of another length",
      [ID, { ...NAME, type: { oid: 25, typmod: 24 } }, NICK],
      /published column name has another type/,
    ],
    ["the withheld column dropped", [ID, NAME], undefined],
    ["the withheld column renamed", [ID, NAME, { ...NICK, name: "nickname" }], undefined],
    ["the withheld column retyped", [ID, NAME, column(3, "nick", "int")], undefined],
    ["a column added", [ID, NAME, NICK, column(4, "zip", "text")], undefined],
    ["a column of an unmapped type added", [ID, NAME, NICK, column(4, "at", "pg_lsn")], undefined],
    ["DROP name; RENAME nick TO name", [ID, { ...NICK, name: "name" }], /published column name was dropped/],
  ];

  it.each(cases)("%s", (_, columns, expected) => {
    const error = cannotWithhold(WITHHELD, seen(columns));
    if (expected === undefined) expect(error).toBeUndefined();
    else
      expect(error).toMatchObject({
        code: "amendment-unsupported",
        message: expect.stringMatching(expected) as unknown,
      });
  });

  it("names every fault at once, and the way on", () => {
    const error = cannotWithhold(WITHHELD, seen([{ ...ID, name: "no" }, column(2, "name", "int")]));
    expect(error?.message).toMatch(/public\.customers: .*id was renamed to no; .*name has another type/);
    expect(error?.next).toContain("new topic.prefix");
  });

  it("a column that may be the published one is not taken for it", () => {
    expect(cannotWithhold(WITHHELD, seen([ID, NAME, NICK], { doubtful: [attnum(2)] }))?.message).toMatch(
      /name was dropped/,
    );
    expect(cannotWithhold(WITHHELD, seen([ID, NAME, NICK], { doubtful: [attnum(3)] }))).toBeUndefined();
  });
});

describe("the key", () => {
  const flagged = (...keys: readonly string[]) => {
    const relation = relationOf([ID, NAME, NICK]);
    const columns = relation.columns.map((one) => ({ ...one, key: keys.includes(one.name) }));
    return { ...relation, columns };
  };
  const cases: [string, ReturnType<typeof relationOf>, readonly number[], RegExp | undefined][] = [
    ["another column by the Relation's flags", flagged("name"), [2], /key changed from \(id\)/],
    ["one column more", flagged("id", "name"), [1, 2], /key changed from \(id\)/],
    ["the flags count while the catalog is ahead", flagged("id"), [2], undefined],
    [
      "under FULL every column is flagged: the catalog counts",
      { ...flagged("id", "name", "nick"), identity: "full" },
      [1],
      undefined,
    ],
    [
      "under FULL another key by the catalog",
      { ...flagged("id", "name", "nick"), identity: "full" },
      [1, 2],
      /key changed/,
    ],
    ["dropped: no flags, the catalog has none", flagged(), [], /key changed from \(id\)/],
    ["no flags under NOTHING, the catalog has it", { ...flagged(), identity: "nothing" }, [1], undefined],
  ];

  it.each(cases)("%s", (_, relation, key, expected) => {
    const table = { ...tableOf([ID, NAME, NICK]), key: key.map(attnum) };
    const error = cannotWithhold(WITHHELD, { ...seen([ID, NAME, NICK]), relation, table });
    if (expected === undefined) expect(error).toBeUndefined();
    else expect(error?.message).toMatch(expected);
  });

  it("given to a table that had none stops too: its events have none", () => {
    const keyless = publishing([ID, NAME], false);
    expect(cannotWithhold(keyless, seen([ID, NAME], { keyed: false }))).toBeUndefined();
    expect(cannotWithhold(keyless, seen([ID, NAME]))?.message).toMatch(/key changed from \(\)/);
  });
});
