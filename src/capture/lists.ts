import type { Attnum } from "../table/column.ts";
import { javaRegex } from "./java-regex.ts";
import type { LookedTable, TablesLook } from "./look.ts";

/**
 * Compiles Debezium's include and exclude lists into a filter. An entry that cannot be used is refused, never skipped;
 * the refusal names its position in the list.
 */

/** One entry of a list: a regular expression or a plain name. */
export interface ListEntry {
  /** The entry as it is written in the list, for messages. */
  readonly text: string;
  /** True if it contains no special characters except dots, so that it names exactly one thing. */
  readonly plain: boolean;
  /** True if it matches this whole name: `schema`, `schema.table` or `schema.table.column`. Case is ignored. */
  readonly matches: (name: string) => boolean;
}

export type EntryList =
  | { readonly kind: "list"; readonly entries: readonly ListEntry[] }
  /** Each reason starts with the entry's position: `entry 2 has a possessive quantifier`. */
  | { readonly kind: "refused"; readonly why: readonly string[] };

/**
 * The lists of one connector. A list is undefined if the file does not have it. Include and exclude never occur
 * together.
 */
export interface CaptureLists {
  readonly schemas?: ListPair | undefined;
  readonly tables?: ListPair | undefined;
  readonly columns?: ListPair | undefined;
  readonly keyColumns?: readonly ListEntry[] | undefined;
}

interface ListPair {
  readonly kind: "include" | "exclude";
  readonly entries: readonly ListEntry[];
}

/** Regular expressions separated by commas; `\,` is a comma inside one (Debezium's Strings.RegExSplitter). */
export function entryList(text: string): EntryList {
  const parts = splitUnescaped(text, ",").map((part) => part.trim().replaceAll("\\,", ","));
  return compile(parts.filter((part) => part !== ""));
}

/** message.key.columns: `table:column,column;table:column`. Each part is a regular expression; columns are in key order. */
export function keyColumnList(text: string): EntryList {
  const rules = text.split(";").filter((rule) => rule.trim() !== "");
  const wrong = rules.flatMap((rule, index) =>
    /^\s*[^\s:]+:[^:\s]+\s*$/.test(rule) ? [] : [`entry ${index + 1} is not schema.table:column,column`],
  );
  if (wrong.length > 0) return { kind: "refused", why: wrong };
  const [...names] = rules.flatMap((rule) => {
    const [table = "", columns = ""] = rule.trim().split(":");
    return columns.split(",").map((column) => `${table}.${column}`);
  });
  return compile(names);
}

function splitUnescaped(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === separator) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...parts, text.slice(from)];
}

function compile(parts: readonly string[]): EntryList {
  const entries: ListEntry[] = [];
  const why: string[] = [];
  for (const [index, text] of parts.entries()) {
    const regex = javaRegex(text);
    if (regex.kind === "refused") why.push(`entry ${index + 1} ${regex.why}`);
    else entries.push({ text, plain: !/[\\^$*+?()[\]{}|]/.test(text), matches: regex.matches });
  }
  if (why.length === 0 && entries.length === 0) why.push("has no entry");
  return why.length === 0 ? { kind: "list", entries } : { kind: "refused", why };
}

/** Decides which tables and columns of the database are captured: Debezium's include and exclude lists, compiled. */
export interface CaptureFilter {
  /** True if the table is captured. Both names are spelled as in the catalog. */
  readonly table: (schema: string, table: string) => boolean;
  /** True if this column of a captured table is in the table's row. A key column is in the key in any case. */
  readonly column: (schema: string, table: string, column: string) => boolean;
  /**
   * message.key.columns: which of the table's `columns` (in the table's order) make up the events' key, in the key's
   * order. undefined if the table's own key is used.
   */
  readonly keyColumns: (schema: string, table: string, columns: readonly string[]) => readonly string[] | undefined;
}

/** A column that the lists exclude, by its attnum, and the name under which it was excluded. */
export interface ExcludedColumn {
  readonly attnum: Attnum;
  readonly as: string;
}

/** True if the table is a partition of a table that the file captures. */
export function isPartOfCaptured(
  { table: isTaken }: Pick<CaptureFilter, "table">,
  { tables }: Pick<TablesLook, "tables">,
  { ancestors }: Pick<LookedTable, "ancestors">,
): boolean {
  return ancestors.some((oid) => {
    const above = tables.get(oid);
    return above !== undefined && isTaken(above.schema, above.name);
  });
}

/**
 * System schemas are never captured (Debezium's table.ignore.builtin), and neither is Fieldgate's own schema, even if a
 * list includes it.
 */
export function captureFilter(lists: CaptureLists): CaptureFilter {
  return {
    table: (schema, table) =>
      !isBuiltin(schema, table) && passes(lists.schemas, schema) && passes(lists.tables, `${schema}.${table}`),
    column: (schema, table, column) => passes(lists.columns, `${schema}.${table}.${column}`),
    keyColumns(schema, table, columns) {
      const keys = (lists.keyColumns ?? []).flatMap((entry) =>
        columns.filter((column) => entry.matches(`${schema}.${table}.${column}`)),
      );
      return keys.length === 0 ? undefined : [...new Set(keys)];
    },
  };
}

/** The schema `fieldgate` holds the secret of the DDL trigger. */
function isBuiltin(schema: string, table: string): boolean {
  const isSystem = schema.startsWith("pg_") || schema === "information_schema";
  return isSystem || schema === "fieldgate" || table === "spatial_ref_sys";
}

function passes(list: ListPair | undefined, name: string): boolean {
  if (list === undefined) return true;
  return list.entries.some((entry) => entry.matches(name)) === (list.kind === "include");
}
