import { describe, expect, it } from "vitest";
import { dueRows, needsBackfill } from "../../../src/gate/amendment/backfill.ts";
import { added, column, madeOf, publishing } from "../customers.ts";

type Type = "int" | "text";

function needs(type: Type, more: Parameters<typeof column>[3], missed = false, writersSchemaRead = false) {
  const amendment = { ...added(column(3, "level", type, more)), missed };
  return needsBackfill(amendment, madeOf(publishing(), amendment).field, writersSchemaRead);
}

describe("does a field need a backfill when nothing of it was missed", () => {
  // Expressions as pg_get_expr prints them.
  const cases: [string, Type, string | undefined, boolean][] = [
    ["no default", "text", undefined, false],
    ["a null default", "text", "NULL::character varying", false],
    ["a text", "text", "'new'::text", false],
    ["an empty text", "text", "''::text", false],
    ["a text with a quote", "text", "'it''s'::text", false],
    ["a text of a type with a length", "text", "'new'::character varying(20)", false],
    ["a number", "int", "5", false],
    ["a negative number", "int", "'-5'::integer", false],
    ["a literal that is no default of the schema", "int", "(-5)", true],
    ["a volatile function", "text", "gen_random_uuid()", true],
    ["a stable function", "text", "now()", true],
    ["CURRENT_USER", "text", "CURRENT_USER", true],
    ["a sequence", "int", "nextval('s'::regclass)", true],
    ["an expression of literals", "text", "('a'::text || 'b'::text)", true],
  ];

  it.each(cases)("%s", (_, type, defaultExpr, expected) => {
    expect(needs(type, { notNull: true, defaultExpr })).toBe(expected);
    expect(needs(type, { defaultExpr })).toBe(expected);
  });

  it("an identity column numbers every row: yes", () => {
    expect(needs("int", { notNull: true, identity: true })).toBe(true);
  });

  it("a literal default that only readers with a schema of their own see: yes for the others", () => {
    expect(needs("int", { notNull: true, defaultExpr: "5" }, false, true)).toBe(true);
    expect(needs("int", {}, false, true)).toBe(false);
  });

  it("rows that went out without it: always", () => {
    expect(needs("text", {}, true)).toBe(true);
    expect(needs("int", { notNull: true, defaultExpr: "5" }, true)).toBe(true);
  });

  it("a field widened to a null default says nothing of its old rows' value: yes", () => {
    const amendment = added(column(3, "level", "int", { notNull: true, defaultExpr: "5" }));
    expect(needsBackfill(amendment, madeOf(publishing(), amendment, true).field, false)).toBe(true);
  });

  it("with a null default only rows that hold a value are due, else all", () => {
    const nullable = added(column(3, "nick", "text"));
    const filled = added(column(3, "nick", "text", { defaultExpr: "'x'::text" }));
    const required = added(column(3, "nick", "text", { notNull: true }));
    const due = [nullable, filled, required].map((one) => dueRows(one, madeOf(publishing(), one).field));
    expect(due).toEqual(["not-null", "all", "all"]);
  });
});
