import { describe, expect, it } from "vitest";
import { type Difference, differences } from "../../../src/gate/amendment/differ.ts";
import type { Rules, TableState } from "../../../src/gate/state.ts";
import { attnum, type Column, type ColumnType, type TypeDetail } from "../../../src/table/column.ts";
import type { Field } from "../../../src/table/shape.ts";
import { added, column, fieldFor, ID, madeOf, NAME, NICK, publishing, RULES, ZIP } from "../customers.ts";

const LEVEL = column(3, "level", "int", { notNull: true, defaultExpr: "5" });
const TABLE = publishing([ID, NAME, LEVEL]);
const varchar = (length: number): ColumnType => ({ oid: 1043, typmod: length + 4 });
const mood = (...labels: readonly string[]): ColumnType => {
  const detail: TypeDetail = { kind: "enum", name: "mood", labels };
  return { oid: 90_000, typmod: -1, detail };
};

/** `3 changed renamed`, `3 dropped`. */
function short({ kind, attnum: at, changes }: Difference): string {
  return [at, kind, ...changes].join(" ");
}

function differ(table: TableState, columns: readonly Column[], rules: Rules = RULES, proven = true) {
  const seen = columns.map((one) => ({ column: one, gone: false }));
  return differences(rules, table, seen, proven).map(short);
}

function withField(table: TableState, at: number, more: Partial<Field>): TableState {
  const fields = table.shape.fields.map((field) => (field.attnum === attnum(at) ? { ...field, ...more } : field));
  return { ...table, shape: { ...table.shape, fields } };
}

describe("how a table differs from the published fields", () => {
  const cases: [string, readonly Column[], readonly string[]][] = [
    ["nothing", [ID, NAME, LEVEL], []],
    ["a column added", [ID, NAME, LEVEL, ZIP], ["4 added"]],
    ["a column dropped", [ID, NAME], ["3 dropped"]],
    ["renamed", [ID, NAME, { ...LEVEL, name: "rank" }], ["3 changed renamed"]],
    ["a different type", [ID, NAME, { ...LEVEL, type: { oid: 20, typmod: -1 } }], ["3 changed retyped"]],
    ["a type that is not mapped", [ID, NAME, { ...LEVEL, type: { oid: 27, typmod: -1 } }], ["3 changed retyped"]],
    ["NOT NULL set", [ID, { ...NAME, notNull: true }, LEVEL], ["2 changed not-null-set"]],
    ["NOT NULL lost", [ID, NAME, { ...LEVEL, notNull: false }], ["3 changed not-null-lost"]],
    ["a different default", [ID, NAME, { ...LEVEL, defaultExpr: "6" }], ["3 changed default"]],
    ["a default added", [ID, { ...NAME, defaultExpr: "'x'::text" }, LEVEL], ["2 changed default"]],
    ["a default removed", [ID, NAME, { ...LEVEL, defaultExpr: undefined }], ["3 changed default"]],
    ["a default spelled differently", [ID, NAME, { ...LEVEL, defaultExpr: "'5'::integer" }], []],
    ["a default that no schema has", [ID, { ...NAME, defaultExpr: "CURRENT_USER" }, LEVEL], []],
    [
      "two differences of one column",
      [ID, NAME, { ...LEVEL, name: "rank", notNull: false }],
      ["3 changed renamed not-null-lost"],
    ],
    ["two columns", [ID, LEVEL, ZIP], ["2 dropped", "4 added"]],
    ["dropped and added of one name", [ID, NAME, { ...LEVEL, attnum: attnum(4) }], ["3 dropped", "4 added"]],
    [
      "names swapped",
      [ID, { ...NAME, name: "level" }, { ...LEVEL, name: "name" }],
      ["2 changed renamed", "3 changed renamed"],
    ],
    ["a generated column", [ID, NAME, LEVEL, { ...ZIP, generated: true }], []],
  ];
  it.each(cases)("%s", (_, columns, expected) => {
    expect(differ(TABLE, columns)).toEqual(expected);
  });

  it("a default is not compared if the type differs, because the new type has its own", () => {
    expect(differ(TABLE, [ID, NAME, { ...LEVEL, type: { oid: 20, typmod: -1 }, defaultExpr: "6" }])).toEqual([
      "3 changed retyped",
    ]);
  });

  it("varchar(10), varchar(20) and text differ only in the log: no difference", () => {
    const named = { ...NAME, type: varchar(10) };
    const table = publishing([ID, named]);
    expect(differ(table, [ID, { ...named, type: varchar(20) }])).toEqual([]);
    expect(differ(table, [ID, NAME])).toEqual([]);
  });

  it("numeric(10,2) and numeric(12,2) have different Avro types: retyped", () => {
    const money = (precision: number) => ({ ...NAME, type: { oid: 1700, typmod: ((precision << 16) | 2) + 4 } });
    expect(differ(publishing([ID, money(10)]), [ID, money(12)])).toEqual(["2 changed retyped"]);
  });

  it("a column that the catalog no longer has shows nothing about NOT NULL and default", () => {
    const gone = { column: { ...LEVEL, notNull: false, defaultExpr: undefined, name: "rank" }, gone: true };
    const seen = [ID, NAME].map((one) => ({ column: one, gone: false }));
    expect(differences(RULES, TABLE, [...seen, gone], true)).toMatchObject([{ changes: ["renamed"], gone: true }]);
  });

  it("a column that cannot be told from another is neither present nor lost", () => {
    expect(differ(TABLE, [ID, NAME], RULES, false)).toEqual([]);
    expect(differ(TABLE, [ID, NAME, ZIP], RULES, false)).toEqual(["4 added"]);
  });
});

describe("enum labels", () => {
  const table = publishing([ID, { ...NAME, type: mood("sad", "ok") }]);
  it("additional labels are data, not a different type", () => {
    expect(differ(table, [ID, { ...NAME, type: mood("sad", "ok", "happy") }])).toEqual(["2 changed labels"]);
    expect(differ(table, [ID, { ...NAME, type: mood("sad", "ok") }])).toEqual([]);
  });
  it("of another enum are a different type, unless they are the same", () => {
    expect(differ(table, [ID, { ...NAME, type: { ...mood("a", "b"), oid: 90_001 } }])).toEqual(["2 changed retyped"]);
    expect(differ(table, [ID, { ...NAME, type: { ...mood("sad", "ok"), oid: 90_001 } }])).toEqual([]);
  });
  it("that become text are a different type", () => {
    expect(differ(table, [ID, NAME])).toEqual(["2 changed retyped"]);
    expect(differ(publishing([ID, NAME]), [ID, { ...NAME, type: mood("sad") }])).toEqual(["2 changed retyped"]);
  });
});

describe("a column without a field", () => {
  const at = column(3, "at", "tid");
  const leftOut: TableState = {
    ...publishing(),
    known: [ID, NAME, at].map(({ attnum: a, name, type }) => ({ attnum: a, name, type })),
  };

  it("left out from the start because of its type stays out until the type changes", () => {
    expect(differ(leftOut, [ID, NAME, at])).toEqual([]);
    expect(differ(leftOut, [ID, NAME, { ...at, name: "since" }])).toEqual([]);
    expect(differ(leftOut, [ID, NAME, { ...at, type: NAME.type }])).toEqual(["3 added"]);
  });

  it("added later with such a type is reported", () => {
    expect(differ(publishing(), [ID, NAME, at])).toEqual(["3 added"]);
    expect(differ({ ...leftOut, amendments: [added(at)] }, [ID, NAME, at])).toEqual(["3 added"]);
  });

  it("of a type that has been mapped since is reported: a fresh start would publish it", () => {
    const known = [ID, NAME, NICK].map(({ attnum: a, name, type }) => ({ attnum: a, name, type }));
    expect(differ({ ...publishing(), known }, [ID, NAME, NICK])).toEqual(["3 added"]);
  });
});

describe("columns that the connector's file excludes", () => {
  const rules: Rules = {
    ...RULES,
    filter: { ...RULES.filter, column: (_, table, name) => table === "customers" && name !== "nick" },
  };
  it("are not reported", () => {
    expect(differ(publishing(), [ID, NAME, NICK], rules)).toEqual([]);
  });
  it("count as dropped", () => {
    expect(differ(publishing([ID, NAME, NICK]), [ID, NAME, NICK], rules)).toEqual(["3 dropped"]);
    expect(differ(publishing([ID, NAME, NICK]), [ID, NAME, NICK], rules, false)).toEqual(["3 dropped"]);
    expect(differ(publishing([ID, NAME, ZIP]), [ID, NAME, { ...ZIP, name: "nick" }], rules)).toEqual(["4 dropped"]);
  });
  it("are added under a name that is not excluded", () => {
    const known = [ID, NAME, NICK].map(({ attnum: a, name, type }) => ({ attnum: a, name, type }));
    expect(differ({ ...publishing(), known }, [ID, NAME, { ...NICK, name: "alias" }], rules)).toEqual(["3 added"]);
  });
  it("are matched by the name under which the file captures a renamed table", () => {
    const { shape, ...table } = publishing();
    const renamed = { ...table, shape: { ...shape, table: { ...shape.table, name: "clients" } } };
    expect(differ({ ...renamed, capturedAs: { schema: "public", name: "customers" } }, [ID, NAME], rules)).toEqual([]);
  });
});

describe("a field that differs from the one its column would make", () => {
  it("widened: no difference", () => {
    const wide = madeOf(publishing(), added(column(3, "level", "int", { notNull: true })), true).shape;
    const required = column(3, "level", "int", { notNull: true });
    expect(differ({ ...publishing(), shape: wide }, [ID, NAME, required])).toEqual([]);
    expect(differ({ ...publishing(), shape: wide }, [ID, NAME, { ...required, notNull: false }])).toEqual([]);
  });

  it("adopted from a subject: a different type is retyped, the same type is no difference", () => {
    const unknown = { oid: 0, typmod: -1 };
    expect(differ(withField(publishing(), 2, { type: unknown }), [ID, NAME])).toEqual([]);
    const bytes = { name: "name", type: ["null", "bytes"], default: null };
    expect(differ(withField(publishing(), 2, { type: unknown, avro: bytes }), [ID, NAME])).toEqual([
      "2 changed retyped",
    ]);
  });

  it("adopted without a column of its name: dropped", () => {
    const { shape } = publishing();
    const old = { ...fieldFor(column(3, "old", "text")), attnum: attnum(-1) };
    const table = { ...publishing(), shape: { ...shape, fields: [...shape.fields, old] } };
    expect(differ(table, [ID, NAME])).toEqual(["-1 dropped"]);
  });

  it("made before NOT NULL and default were recorded: unknown facts are no difference", () => {
    const table = withField(publishing(), 2, { made: undefined });
    expect(differ(table, [ID, { ...NAME, notNull: true, defaultExpr: "'x'::text" }])).toEqual([]);
  });

  it("one of several of a column: the one that is out of date is reported", () => {
    const zip = fieldFor({ ...NICK, name: "zip" });
    const old = fieldFor(NICK);
    const both = {
      ...publishing(),
      shape: { ...publishing().shape, fields: [...publishing().shape.fields, old, zip] },
    };
    const now = { ...NICK, name: "zip" };
    const seen = [ID, NAME, now].map((one) => ({ column: one, gone: false }));
    expect(differences(RULES, both, seen, true)).toMatchObject([{ name: "nick", changes: ["renamed"] }]);
    const alias = { ...zip, name: "nick_2", avro: { ...zip.avro, name: "nick_2" }, alias: true as const };
    const one = { ...both, shape: { ...both.shape, fields: [...publishing().shape.fields, old, alias] } };
    expect(differ(one, [ID, NAME, NICK])).toEqual([]);
    expect(differ(one, [ID, NAME])).toEqual(["3 dropped"]);
  });
});
