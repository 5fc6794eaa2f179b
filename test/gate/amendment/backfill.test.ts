import { describe, expect, it } from "vitest";
import { dueRows, needsBackfill, type Published } from "../../../src/gate/amendment/backfill.ts";
import { added, column, madeOf, NAME, publishing, RULES } from "../customers.ts";

type Type = "int" | "text";

const PUBLISHED: Published = { flowed: publishing().flowed, writersSchemaRead: false, modes: RULES.modes };
const WRITERS_SCHEMA = { ...PUBLISHED, writersSchemaRead: true };

function needs(type: Type, more: Parameters<typeof column>[3], published = PUBLISHED, how: object = {}) {
  const amendment = { ...added(column(3, "level", type, more)), ...how };
  return needsBackfill(amendment, madeOf(publishing(), amendment).field, published);
}

describe("does an added field need a backfill, if no row was published while it was withheld", () => {
  // Expressions as pg_get_expr prints them, and the value that the catalog keeps for older rows.
  const cases: [string, Type, string | undefined, string | null | undefined, boolean][] = [
    ["no default: older rows are NULL", "text", undefined, null, false],
    ["a null default", "text", "NULL::character varying", null, false],
    ["a text", "text", "'new'::text", "new", false],
    ["an empty text", "text", "''::text", "", false],
    ["a text with a quote", "text", "'it''s'::text", "it's", false],
    ["a text of a type with a length", "text", "'new'::character varying(20)", "new", false],
    ["a number", "int", "5", "5", false],
    ["a negative number", "int", "'-5'::integer", "-5", false],
    ["the default was dropped: older rows keep their value", "text", undefined, "legacy", true],
    ["the default was replaced: older rows keep the first", "text", "'fresh'::text", "legacy", true],
    ["the default was set later: older rows are NULL", "text", "'fresh'::text", null, true],
    ["a number whose default was replaced", "int", "6", "5", true],
    ["the catalog does not show it", "text", undefined, undefined, true],
    ["the catalog does not show it, and the default is a literal", "int", "5", undefined, true],
    ["a literal that is not the schema's default", "int", "(-5)", "-5", true],
    ["a volatile function", "text", "gen_random_uuid()", null, true],
    ["a stable function", "text", "now()", "2026-01-01", true],
    ["CURRENT_USER", "text", "CURRENT_USER", "anna", true],
    ["a sequence", "int", "nextval('s'::regclass)", null, true],
    ["an expression of literals", "text", "('a'::text || 'b'::text)", "ab", true],
  ];

  it.each(cases)("%s", (_, type, defaultExpr, missing, expected) => {
    expect(needs(type, { notNull: true, defaultExpr, missing })).toBe(expected);
    expect(needs(type, { defaultExpr, missing })).toBe(expected);
  });

  it("an identity column numbers every row: yes", () => {
    expect(needs("int", { notNull: true, identity: true })).toBe(true);
  });

  it("a literal default that only readers with their own schema see: yes for the other readers", () => {
    expect(needs("int", { notNull: true, defaultExpr: "5", missing: "5" }, WRITERS_SCHEMA)).toBe(true);
    expect(needs("int", {}, WRITERS_SCHEMA)).toBe(false);
  });

  it("rows were published without it: always", () => {
    expect(needs("text", {}, PUBLISHED, { missed: true })).toBe(true);
    expect(needs("int", { notNull: true, defaultExpr: "5", missing: "5" }, PUBLISHED, { missed: true })).toBe(true);
  });

  it("the table was rewritten, or the column existed before: always", () => {
    expect(needs("text", {}, PUBLISHED, { unproven: true })).toBe(true);
  });

  it("a field of the same name was once published from a dropped column: always, including NULLs", () => {
    const amendment = added(column(3, "name", "text"));
    const { field } = madeOf(publishing(), added(column(3, "level", "text")));
    const named = field && { ...field, name: "name" };
    expect(needsBackfill(amendment, named, PUBLISHED)).toBe(true);
    expect(dueRows(amendment, named, PUBLISHED)).toBe("all");
  });

  it("a field widened to a null default does not show the value of older rows: yes", () => {
    const amendment = added(column(3, "level", "int", { notNull: true, defaultExpr: "5", missing: "5" }));
    expect(needsBackfill(amendment, madeOf(publishing(), amendment, true).field, PUBLISHED)).toBe(true);
  });

  it("with a null default only rows that hold a value are published, otherwise all", () => {
    const nullable = added(column(3, "nick", "text"));
    const filled = added(column(3, "nick", "text", { defaultExpr: "'x'::text" }));
    const required = added(column(3, "nick", "text", { notNull: true }));
    const due = [nullable, filled, required].map((one) => dueRows(one, madeOf(publishing(), one).field, PUBLISHED));
    expect(due).toEqual(["not-null", "all", "all"]);
  });
});

describe("does a changed default need a backfill", () => {
  const [field] = publishing().shape.fields.slice(1);
  const amendment = { ...added(NAME), kind: "changed" as const, changes: ["default" as const] };

  it("no, if every event has the field", () => {
    expect(needsBackfill(amendment, field, PUBLISHED)).toBe(false);
  });

  it("yes, if a published schema lacks it: its readers would now see the new default", () => {
    const without = publishing().flowed.map((schema) => ({
      ...schema,
      text: schema.text.replaceAll('name":"name', 'name":"other'),
    }));
    expect(needsBackfill(amendment, field, { ...PUBLISHED, flowed: without })).toBe(true);
  });
});
