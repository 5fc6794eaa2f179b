import { createHash } from "node:crypto";
import type { ColumnType, Table } from "../../table/column.ts";
import type { KnownColumn } from "../../table/prove.ts";
import type { TableState } from "../state.ts";
import type { SeenColumn } from "./differ.ts";

/**
 * Values can change without an event: `ALTER TYPE … USING` writes all rows into another file, and a renamed enum label
 * changes what rows show while their file stays the same. Either is noticed by the catalog, with or without the DDL
 * trigger, and the table's rows are published again.
 */

/** The table's file, and which definition of each column was in force with it. */
export type FileState = Pick<TableState, "filenode" | "versions">;

/** By attnum: which definition of the column this is. undefined: a trigger of an earlier version has not reported it. */
export function versionsOf({ columns }: Pick<Table, "columns">): TableState["versions"] {
  if (columns.some(({ version }) => version === undefined)) return undefined;
  return Object.fromEntries(columns.map(({ attnum, version = "" }) => [String(attnum), version]));
}

/** A catalog that is ahead of the log may show a file that a later change made. */
export function fileOf(
  before: FileState,
  table: Table,
  seen: { readonly columns: readonly unknown[]; readonly sure: readonly SeenColumn[] },
): FileState {
  const live = table.columns.filter((column) => !column.generated);
  const exact =
    seen.sure.length === seen.columns.length &&
    seen.sure.length === live.length &&
    live.every((column, index) => seen.sure[index]?.column.attnum === column.attnum);
  return exact ? { filenode: table.filenode, versions: versionsOf(table) } : before;
}

/**
 * May values of fields that flow have changed without an event? Not if the file is the same. VACUUM FULL, CLUSTER and
 * TRUNCATE also write another file, but no definition of a column changes with it.
 */
export function isRewritten({ filenode, versions, shape }: TableState, now: FileState): boolean {
  if (filenode === undefined || now.filenode === undefined || filenode === now.filenode) return false;
  if (versions === undefined || now.versions === undefined) return true;
  return shape.fields.some(({ attnum }) => {
    const [before, after] = [versions[String(attnum)], now.versions?.[String(attnum)]];
    return after !== undefined && before !== after;
  });
}

/** Was a label of a field's enum renamed since the columns were proven? */
export function hasRenamedLabel({ known, shape }: TableState, sure: readonly SeenColumn[]): boolean {
  return sure.some(({ column }) => {
    const before = known.find(({ attnum }) => attnum === column.attnum);
    const flows = shape.fields.some(({ attnum }) => attnum === column.attnum);
    return flows && before !== undefined && before.type.oid === column.type.oid && isRenamed(before, column);
  });
}

function isRenamed(before: KnownColumn, after: KnownColumn): boolean {
  const now = labelsById(after.type);
  return [...labelsById(before.type)].some(([id, label]) => now.has(id) && now.get(id) !== label);
}

/** By pg_enum.oid, which a label keeps when it is renamed; also of an enum that is a domain's or an array's. */
function labelsById({ detail }: ColumnType): ReadonlyMap<number, string> {
  if (detail === undefined || detail.kind === "named") return new Map();
  if (detail.kind !== "enum") return labelsById(detail.of);
  const { ids = [], labels } = detail;
  return new Map(ids.map((id, index) => [id, labels[index] ?? ""]));
}

/** `enums`: by type OID, a digest of the labels that it has now. */
export function hasOtherLabels({ known }: Pick<TableState, "known">, enums: ReadonlyMap<number, string>): boolean {
  return known.some(({ type }) => {
    const labels = labelsById(type);
    const now = enums.get(enumOf(type));
    return now !== undefined && now !== digestOf(labels);
  });
}

/** The OID of the enum, which may be a domain's or an array's; 0: none. */
function enumOf({ oid, detail }: ColumnType): number {
  if (detail === undefined || detail.kind === "named") return 0;
  return detail.kind === "enum" ? oid : enumOf(detail.of);
}

/** The same computation as in the look's statement (postgres/look.ts). */
function digestOf(labels: ReadonlyMap<number, string>): string {
  const text = [...labels]
    .toSorted(([left], [right]) => left - right)
    .map(([id, label]) => `${id}=${label}`)
    .join(",");
  return createHash("md5").update(text).digest("hex");
}
