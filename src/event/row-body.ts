import { GuardError } from "../errors.ts";
import { formatLsn } from "../wal/lsn.ts";
import { copyBytes } from "../avro/bytes.ts";
import type { Cell } from "./cell.ts";
import { UNFIT } from "./types/entry.ts";
import type { EventMark } from "./envelope/source.ts";
import { NULL_VALUE, TEXT_VALUE, UNCHANGED_VALUE } from "../wal/tuple.ts";
import type { Tuple } from "./tuple.ts";

/**
 * Writes one row as an Avro record body: for each cell the column's text, or prepared bytes if the tuple has no text
 * for it. This is the innermost loop; it allocates nothing.
 */

/** A row to write: its tuple, and an optional second tuple that supplies values missing from the first one. */
export interface RowSource {
  /** Which row of the event it is. */
  readonly part: "before" | "after";
  readonly tuple: Tuple;
  readonly other: Tuple | undefined;
  /**
   * What a null in a required field means. `refuse`: an error. `fallback`: the key tuple does not contain the column.
   * `other`: take the value from the tuple `other`.
   */
  readonly nulls: "refuse" | "fallback" | "other";
}

export interface RowBody {
  /** An upper bound for the bytes the row takes. */
  room(row: RowSource): number;
  /** Throws value-unfit with the field and the position. `mark` is undefined if there is no position yet. */
  write(row: RowSource, out: Buffer, p: number, mark: EventMark | undefined): number;
}

/** `table` appears in messages only: `schema.table`. `isKey`: the cells are those of the key. */
export function rowBody(table: string, cells: readonly Cell[], isKey: boolean): RowBody {
  const growth = cells.reduce((sum, cell) => sum + cell.growth, 0);
  const fanOut = mostUses(cells);
  return {
    room: (row) => growth + fanOut * (row.tuple.size + (row.other?.size ?? 0)),
    write: (row, out, p, mark) => {
      const { tuple } = row;
      for (const cell of cells) {
        const end =
          cell.column >= 0 && tuple.kinds[cell.column] === TEXT_VALUE
            ? writeText(cell, tuple, out, p)
            : writeOther(cell, row, out, p);
        if (end !== UNFIT) p = end;
        else if (cell.unfit !== undefined) p = copyBytes(cell.unfit, 0, cell.unfit.length, out, p);
        else throw unfit(table, cell, row, mark, isKey);
      }
      return p;
    },
  };
}

/** The largest growth factor of any column, summed over the fields that are filled from it. */
function mostUses(cells: readonly Cell[]): number {
  const uses = new Map<number, number>();
  for (const { column, factor } of cells) uses.set(column, (uses.get(column) ?? 0) + factor);
  return Math.max(1, ...uses.values());
}

function writeText(cell: Cell, tuple: Tuple, out: Buffer, p: number): number {
  if (cell.branch !== -1) out[p++] = cell.branch;
  const start = tuple.starts[cell.column] as number; // a cell's column is always in the tuple
  const end = tuple.ends[cell.column] as number; // likewise
  return cell.encode(tuple.bytes, start, end, out, p);
}

/**
 * Writes a value that has no text in the tuple because it is null, missing from the log, or unchanged and stored out of
 * line.
 */
function writeOther(cell: Cell, row: RowSource, out: Buffer, p: number): number {
  const kind = kindOf(cell, row);
  if (row.other !== undefined && cell.column >= 0 && row.other.kinds[cell.column] === TEXT_VALUE) {
    const isKeyOutsideIdentity = row.nulls === "other" && cell.nothing === undefined;
    if (kind === UNCHANGED_VALUE || isKeyOutsideIdentity) return writeText(cell, row.other, out, p);
  }
  const bytes = constantFor(cell, kind, row.nulls === "fallback");
  return bytes === undefined ? UNFIT : copyBytes(bytes, 0, bytes.length, out, p);
}

/** The kind of the column's value in the tuple; undefined if the column is not in the log. */
function kindOf(cell: Cell, row: RowSource): number | undefined {
  return cell.column < 0 ? undefined : row.tuple.kinds[cell.column];
}

function constantFor(cell: Cell, kind: number | undefined, fallback: boolean): Buffer | undefined {
  if (kind === UNCHANGED_VALUE) return cell.toast;
  if (fallback) return cell.fallback;
  return kind === NULL_VALUE ? cell.nothing : cell.absent;
}

function unfit(table: string, cell: Cell, row: RowSource, mark: EventMark | undefined, isKey: boolean): GuardError {
  const at = mark === undefined ? "" : ` at ${formatLsn(mark.lsn)}`;
  const kind = kindOf(cell, row);
  const { what, next } = reason(kind, cell);
  const isNull = kind === NULL_VALUE;
  const unfitting = {
    table,
    field: cell.name,
    isNull,
    isValue: !isNull && kind !== undefined,
    isUnsent: kind === UNCHANGED_VALUE,
    part: isKey ? "key" : row.part,
  } as const;
  return new GuardError("value-unfit", `${table}.${cell.name}${at}: ${what}`, { next, unfit: unfitting });
}

function reason(
  kind: number | undefined,
  { holds, unidentified }: Cell,
): { readonly what: string; readonly next: string } {
  const next = "release or resolve the field's amendments: fieldgate amendments";
  switch (kind) {
    case undefined:
      if (unidentified) {
        return {
          what: "the field is required, and which column of the row it is from cannot be identified",
          next: "nothing: once the catalog shows the table's present columns, all its rows are published again",
        };
      }
      return { what: "the column was dropped, and the field is required and has no default", next };
    case NULL_VALUE:
      return { what: "the value is null, and the field is required", next };
    case UNCHANGED_VALUE:
      return {
        what: "the value is stored out of line and did not change, so the log does not contain it",
        next: "ALTER TABLE ... REPLICA IDENTITY FULL on this table",
      };
    default:
      return { what: `the value does not fit the field's type ${holds}`, next };
  }
}
