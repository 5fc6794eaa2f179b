import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { captureFilter, type CaptureLists, entryList, keyColumnList } from "../../src/capture/lists.ts";
import { javaRegex } from "../../src/capture/java-regex.ts";

interface Case {
  readonly pattern: string;
  /** The texts that java.util.regex.Pattern matches as a whole with CASE_INSENSITIVE; null if it rejects the pattern. */
  readonly matches: readonly string[] | null;
}

function cases(file: string): { readonly texts: readonly string[]; readonly rows: readonly Case[] } {
  const [head = "", ...rows] = readFileSync(new URL(`../cases/${file}`, import.meta.url), "utf8")
    .trim()
    .split("\n");
  const { texts } = JSON.parse(head) as { readonly texts: readonly string[] }; // written by the Java program
  return { texts, rows: rows.map((row) => JSON.parse(row) as Case) }; // likewise
}

describe("a regular expression of a list", () => {
  const known = cases("java-regex.jsonl");
  it.each(known.rows)("$pattern matches what Java matches", ({ pattern, matches }) => {
    const regex = javaRegex(pattern);
    const ours = regex.kind === "regex" ? known.texts.filter((text) => regex.matches(text)) : null;
    expect(ours).toEqual(matches);
  });

  it("means the same as in Java when it is accepted (400 random patterns)", () => {
    const { texts, rows } = cases("java-regex-random.jsonl");
    const different = rows.filter(({ pattern, matches }) => {
      const regex = javaRegex(pattern);
      if (regex.kind === "refused" || matches === null) return false;
      return JSON.stringify(texts.filter((text) => regex.matches(text))) !== JSON.stringify(matches);
    });
    expect(different).toEqual([]);
  });

  it.each<[string, RegExp]>([
    ["public\\.a++", /possessive quantifier `\+\+`/],
    ["public\\.(?>a|b)", /atomic group/],
    ["(?s)public.a", /flags `\(\?s`/],
    ["(?-i)public.a", /flags `\(\?-i`/],
    ["(public)\\.\\1", /back reference/],
    ["public\\.\\bcust", /`\\b`/],
    ["public\\.[a[bc]]", /class within a class/],
    ["public\\.[a-z&&[^b]]", /class within a class|intersection/],
    ["public\\.\\p{Lower}", /`\\p\{Lower\}`/],
    ["public\\.(a", /is not a regular expression/],
    ["public\\.[a", /class that is not closed/],
    ["*.customers", /is not a regular expression/],
    ["a)(b", /is not a regular expression/],
    ["public\\", /ends with a backslash/],
    ["public\\.{2", /nothing before it to repeat/],
  ])("%s is refused, naming the construct", (pattern, why) => {
    expect(javaRegex(pattern)).toEqual({ kind: "refused", why: expect.stringMatching(why) });
  });
});

function listed(text: string) {
  const list = entryList(text);
  if (list.kind === "refused") throw new Error(list.why.join());
  return list.entries;
}

function filter(lists: {
  readonly [K in "schemas" | "tables" | "columns"]?: readonly ["include" | "exclude", string];
}) {
  const pair = (name: "schemas" | "tables" | "columns"): CaptureLists => {
    const [kind, text] = lists[name] ?? [];
    return kind === undefined ? {} : { [name]: { kind, entries: listed(text ?? "") } };
  };
  return captureFilter({ ...pair("schemas"), ...pair("tables"), ...pair("columns") });
}

describe("the lists", () => {
  it("an entry without special characters is plain, and a comma inside an entry is escaped", () => {
    const entries = listed("public.customers, public\\.o{1\\,2},,sales.a-b ");
    expect(entries.map(({ text, plain }) => [text, plain])).toEqual([
      ["public.customers", true],
      ["public\\.o{1,2}", false],
      ["sales.a-b", true],
    ]);
  });

  it("every entry that cannot be used is reported with its position", () => {
    expect(entryList("a.b, a++, (")).toEqual({
      kind: "refused",
      why: [expect.stringMatching(/^entry 2 has a possessive/), expect.stringMatching(/^entry 3 is not a regular/)],
    });
    expect(entryList(" , ")).toEqual({ kind: "refused", why: ["has no entry"] });
  });

  it.each([
    [{}, ["public.a", "public.b", "sales.a"]],
    [{ tables: ["include", "public.A"] }, ["public.a"]],
    [{ tables: ["include", ".*\\.a"] }, ["public.a", "sales.a"]],
    [{ tables: ["exclude", "public\\..*"] }, ["sales.a"]],
    [{ schemas: ["include", "public"] }, ["public.a", "public.b"]],
    [{ schemas: ["exclude", "pub.*"] }, ["sales.a"]],
    [{ schemas: ["include", "public"], tables: ["exclude", ".*b"] }, ["public.a"]],
    [{ tables: ["include", "a"] }, []],
  ] as const)("%j captures %j", (lists, tables) => {
    const names = [
      ["public", "a"],
      ["public", "b"],
      ["sales", "a"],
    ] as const;
    const captured = names.filter(([schema, table]) => filter(lists).table(schema, table));
    expect(captured.map((name) => name.join("."))).toEqual(tables);
  });

  it.each([
    [{ columns: ["include", "public.a.(id|name)"] }, ["id", "name"]],
    [{ columns: ["exclude", ".*\\.secret"] }, ["id", "name"]],
    [{}, ["id", "name", "secret"]],
  ] as const)("%j publishes %j", (lists, columns) => {
    const { column } = filter(lists);
    expect(["id", "name", "secret"].filter((name) => column("public", "a", name))).toEqual(columns);
  });
});

describe("message.key.columns", () => {
  const keys = (text: string, schema: string, table: string, columns = ["id", "pk", "aa"]) => {
    const list = keyColumnList(text);
    if (list.kind === "refused") throw new Error(list.why.join());
    return captureFilter({ keyColumns: list.entries }).keyColumns(schema, table, columns);
  };

  // case key.message_key_columns of Debezium's PostgresConnectorIT.shouldRewriteIdentityKey
  it("sets the key of the tables that it matches, in its own order, and leaves other keys unchanged", () => {
    expect(keys("(.*)1.a:pk,aa", "s1", "a")).toEqual(["pk", "aa"]);
    expect(keys("(.*)1.a:aa,pk", "s1", "a")).toEqual(["aa", "pk"]);
    expect(keys("(.*)1.a:pk,aa", "s2", "a")).toBeUndefined();
    expect(keys("s1.a:pk; s2.a:id,id", "s2", "a")).toEqual(["id"]);
    expect(keys("s1.a:nothing", "s1", "a")).toBeUndefined();
    expect(keys("s1.a:.*", "s1", "a")).toEqual(["id", "pk", "aa"]);
  });

  it("with an entry of a different form is refused with the entry's position", () => {
    expect(keyColumnList("s.a:id;s.b")).toEqual({
      kind: "refused",
      why: ["entry 2 is not schema.table:column,column"],
    });
  });
});
