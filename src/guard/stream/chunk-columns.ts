import type { ChunkJob, JobReason } from "../../chunk/job.ts";
import { sameColumnType } from "../../gate/amendment/differ.ts";
import type { TableState } from "../../gate/state.ts";
import type { Attnum, Table } from "../../table/column.ts";
import { readTuple, tupleSlots } from "../../wal/tuple.ts";

/** The columns of the published fields and of the key, without those that the table no longer has. */
export function readableColumns({ shape, known, rowKey }: TableState): readonly Attnum[] {
  const wanted = [...shape.fields, ...shape.key].map((field) => field.attnum);
  return [...new Set([...wanted, ...(rowKey ?? [])])].filter((column) => known.some(({ attnum }) => attnum === column));
}

/** Chunks are read in the order of the table's own key, which may differ from the events' key. */
export function keyOfRows({ shape, rowKey }: TableState): readonly Attnum[] {
  return rowKey ?? shape.key.map((field) => field.attnum);
}

/** True if the table still has the columns that were last identified, by name and type. */
export function isKnown({ known }: TableState, table: Table): boolean {
  const live = table.columns.filter((column) => !column.generated);
  return (
    live.length === known.length &&
    live.every((column) => {
      const before = known.find((one) => one.attnum === column.attnum);
      return before?.name === column.name && sameColumnType(before.type, column.type);
    })
  );
}

/** Why the job is over. undefined if there is more to read, or if the table's columns have not been identified yet. */
export function overBecause(job: ChunkJob, table: TableState): JobReason | undefined {
  const { known, shape } = table;
  if (known.length === 0) return undefined;
  const isLive = (column: Attnum) => known.some(({ attnum }) => attnum === column);
  if (keyOfRows(table).length === 0 || !keyOfRows(table).every(isLive)) return { kind: "key-changed" };
  if (job.column === undefined) return undefined;
  const flows = isLive(job.column) && shape.fields.some(({ attnum }) => attnum === job.column);
  return flows ? undefined : { kind: "column-dropped" };
}

/** The key's columns of a chunk's row, as text in key order. */
export function keyText(table: TableState, columns: readonly Attnum[], row: Buffer | undefined): readonly string[] {
  return row === undefined ? [] : keyTexts(table, columns, row, 0);
}

/**
 * The table's own key, read from a tuple with these columns, as text in key order. `from` is the offset of the tuple.
 */
export function keyTexts(
  table: TableState,
  columns: readonly (Attnum | undefined)[],
  bytes: Buffer,
  from: number,
): readonly string[] {
  const slots = tupleSlots();
  readTuple(bytes, from, slots);
  return keyOfRows(table).map((column) => {
    const at = columns.indexOf(column);
    return bytes.toString("utf8", slots.start[at], slots.end[at]);
  });
}
