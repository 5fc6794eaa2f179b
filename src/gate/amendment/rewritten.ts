import { createHash } from "node:crypto";
import { oncePer } from "../../once.ts";
import type { Attnum, ColumnType, Table } from "../../table/column.ts";
import type { KnownColumn } from "../../table/prove.ts";
import { formatLsn, type Lsn } from "../../wal/lsn.ts";
import type { TableState } from "../state.ts";
import type { SeenColumn } from "./differ.ts";

/**
 * Detects values that changed without an event. `ALTER TYPE … USING` writes all rows to a new file. Renaming an enum
 * label changes the values that rows show, while their file stays the same. The catalog shows both, with or without the
 * DDL trigger, and the table's rows are then published again.
 */

/** The table's file, and the version of each column's definition at the time of that file. */
export type FileState = Pick<TableState, "filenode" | "versions">;

/**
 * By attnum: the version of the column's definition. Undefined if a trigger of an earlier version has not reported it.
 */
export function versionsOf({ columns }: Pick<Table, "columns">): TableState["versions"] {
  if (columns.some(({ version }) => version === undefined)) return undefined;
  return Object.fromEntries(columns.map(({ attnum, version = "" }) => [String(attnum), version]));
}

/** These versions, as a catalog read from before the first row that will be read after this position shows them. */
export function definedAt(versions: TableState["versions"], position: Lsn): TableState["defined"] {
  const since = formatLsn(position);
  const all = Object.entries(versions ?? {}).map(([attnum, version]) => [attnum, { version, since }] as const);
  return versions === undefined ? undefined : Object.fromEntries(all);
}

/**
 * The table's file, if the catalog shows exactly the log's columns. A catalog that is ahead may show a file from a
 * later change.
 */
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
  return exact
    ? { filenode: table.filenode, versions: versionsOf(table) }
    : { filenode: before.filenode, versions: before.versions };
}

/**
 * True if values of published fields may have changed without an event. They have not if the file is the same. VACUUM
 * FULL, CLUSTER and TRUNCATE also write a new file, but they do not change any column's definition.
 */
export function isRewritten({ filenode, versions, shape }: TableState, now: FileState): boolean {
  if (isUnknown(filenode) || isUnknown(now.filenode) || filenode === now.filenode) return false;
  if (versions === undefined || now.versions === undefined) return true;
  return shape.fields.some(({ attnum }) => {
    const [before, after] = [versions[String(attnum)], now.versions?.[String(attnum)]];
    return after !== undefined && before !== after;
  });
}

/** A DDL message, and a state of an earlier version, have 0 for a partitioned table. */
function isUnknown(filenode: number | undefined): boolean {
  return filenode === undefined || filenode === 0;
}

/** The fields' columns of whose enums a label was renamed since the columns were last proven. */
export function renamedLabels({ known, shape }: TableState, sure: readonly SeenColumn[]): readonly Attnum[] {
  return sure.flatMap(({ column }) => {
    const before = known.find(({ attnum }) => attnum === column.attnum);
    const flows = shape.fields.some(({ attnum }) => attnum === column.attnum);
    const isSameType = before !== undefined && before.type.oid === column.type.oid;
    return flows && isSameType && isRenamed(before, column) ? [column.attnum] : [];
  });
}

function isRenamed(before: KnownColumn, after: KnownColumn): boolean {
  const now = labelsById(after.type);
  return [...labelsById(before.type)].some(([id, label]) => now.has(id) && now.get(id) !== label);
}

/**
 * The labels of an enum by pg_enum.oid, which does not change when a label is renamed. The enum may be the base of a
 * domain or the element type of an array.
 */
export function labelsById({ detail }: ColumnType): ReadonlyMap<number, string> {
  if (detail === undefined || detail.kind === "named") return new Map();
  if (detail.kind !== "enum") return labelsById(detail.of);
  const { ids = [], labels } = detail;
  return new Map(ids.map((id, index) => [id, labels[index] ?? ""]));
}

/** The labels of a column's enum, which may be the base of a domain or the element type of an array; undefined: none. */
export function enumLabels(columns: readonly KnownColumn[], attnum: Attnum): readonly string[] | undefined {
  let type = columns.find((column) => column.attnum === attnum)?.type;
  while (type?.detail !== undefined && type.detail.kind !== "enum") {
    type = type.detail.kind === "named" ? undefined : type.detail.of;
  }
  return type?.detail?.labels;
}

/** The highest id of the labels of a column's enum; 0 if there is none. */
export function newestLabel(columns: readonly KnownColumn[], attnum: Attnum): number {
  const type = columns.find((column) => column.attnum === attnum)?.type;
  return Math.max(0, ...(type === undefined ? [] : labelsById(type).keys()));
}

/**
 * True if the table's columns are not those of the last catalog read or DDL message: some DDL changed the definition of
 * a column, added one or dropped one. `digest`: see LookedTable.columns.
 */
export function hasOtherColumns({ versions }: Pick<TableState, "versions">, digest: string): boolean {
  return versions === undefined || columnsDigest(versions) !== digest;
}

/** True if an enum's labels have changed. `enums`: by type OID, a digest of its current labels. */
export function hasOtherLabels({ known }: Pick<TableState, "known">, enums: ReadonlyMap<number, string>): boolean {
  return known.some(({ type }) => {
    const now = enums.get(enumOf(type));
    return now !== undefined && now !== digestOf(type);
  });
}

/**
 * The OID of the type's enum, which may be the base of a domain or the element type of an array; 0 if there is none.
 */
function enumOf({ oid, detail }: ColumnType): number {
  if (detail === undefined || detail.kind === "named") return 0;
  return detail.kind === "enum" ? oid : enumOf(detail.of);
}

/** Computes the same digest as the look's statement (postgres/look.ts). */
const columnsDigest = oncePer((versions: NonNullable<TableState["versions"]>): string => {
  const columns = Object.entries(versions).toSorted(([left], [right]) => Number(left) - Number(right));
  return columns.length === 0 ? "" : md5(columns.map(([attnum, version]) => `${attnum}=${version}`).join(","));
});

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

/** Looks are frequent, and an enum may have thousands of labels, so each type's digest is computed once. */
const digestOf = oncePer((type: ColumnType): string => {
  const labels = [...labelsById(type)].toSorted(([left], [right]) => left - right);
  return md5(labels.map(([id, label]) => `${id}=${label}`).join(","));
});
