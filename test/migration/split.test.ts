import { expect, test } from "vitest";
import { splitStatements } from "../../src/migration/split.ts";

const texts = (sql: string) => splitStatements(sql).map(({ text }) => text.trim());

test.each([
  ["a; b ;\n-- ;\nc", ["a", "b", "c"]],
  [
    "a ';' ; b \";\" ; c $$;$$; d $x$ ; $$ ; $x$; e E'\\';'; f /* ; */ g",
    ["a ';'", 'b ";"', "c $$;$$", "d $x$ ; $$ ; $x$", "e E'\\';'", "f /* ; */ g"],
  ],
  ["create rule r as on delete to t do (a; b); c", ["create rule r as on delete to t do (a; b)", "c"]],
  [
    "create function f() begin atomic select case when x then 1 end; b; end; begin; end;",
    ["create function f() begin atomic select case when x then 1 end; b; end", "begin", "end"],
  ],
  ["copy t from stdin;\n1\t';\n\\.\na", ["copy t from stdin", "a"]],
  ["a 'never closed; b", ["a 'never closed; b"]],
  ["\\set x ';'\n\\timing on\na;", ["a"]],
])("%j has the statements %j", (sql, expected) => {
  expect(texts(sql)).toStrictEqual(expected);
});

test("statements of rows are recognised without being parsed, and psql commands that may run something are kept", () => {
  const kinds = splitStatements("insert into t values (1);\n\\i more.sql\n-- x\nUPDATE t SET a = 1; select 1").map(
    ({ kind }) => kind,
  );
  expect(kinds).toStrictEqual(["rows", "command", "rows", "sql"]);
});

test("a comment that is only the word down hides nothing unless the file also has one with up", () => {
  expect(texts("-- down\na;")).toStrictEqual(["a"]);
  expect(texts("-- up\na;\n-- down\nb;")).toStrictEqual(["a"]);
});

test.each([
  "-- ROLLBACK",
  "-- migration down",
  "-- Reverse",
  "/* DOWN */",
  "-- +++ DOWN +++",
  "-- down:begin",
  "-- name: down",
  "-- 001.down.sql",
  "-- Undo migration 12",
])("what follows the comment %s may undo what came before it", (comment) => {
  const kinds = splitStatements(`-- forward\na;\n${comment}\nb;\nc;`).map(({ kind }) => kind);
  expect(kinds).toStrictEqual(["sql", "undo", "sql", "sql"]);
  expect(texts(`${comment}\nb;`)).toStrictEqual(["b"]);
  expect(texts(`a;\n${comment}\n`)).toStrictEqual(["a"]);
});

test.each([
  "-- rollback is not possible: the values are gone",
  "--rollback DROP TABLE t;",
  "-- drop the reverse index",
  "-- scroll down",
])("%s is only a remark", (comment) => {
  expect(texts(`a;\n${comment}\nb;`)).toStrictEqual(["a", "b"]);
});

test("a comment inside a statement is part of it, whatever it says", () => {
  expect(texts("a;\nb -- rollback\n c;\nd")).toStrictEqual(["a", "b -- rollback\n c", "d"]);
});
