import { GuardError } from "../../errors.ts";
import { rowEncoder, type RowEncoder } from "../../event/row-encoder.ts";
import type { Slab } from "../../event/slab.ts";
import type { Amendment } from "../../gate/amendment/amendment.ts";
import { isExcluded } from "../../gate/amendment/excluded.ts";
import { otherKeyOf } from "../../gate/amendment/key.ts";
import type { State, TableState } from "../../gate/state.ts";
import type { Attnum, ColumnType } from "../../table/column.ts";
import { schemaId, type Shape } from "../../table/shape.ts";
import type { Relation } from "../../wal/message.ts";
import { nextCommands } from "../../words/amendment.ts";
import type { Settings } from "../outside.ts";
import { type Captured, tableOf } from "../session.ts";
import { fullName } from "../../table/quote.ts";

/** Makes the row encoders for the stream and the chunks, from a table's current shape and the columns of its rows. */

/**
 * The encoder of a table's rows in the log. It is made at the first row after the table's shape or Relation changed.
 * @throws GuardError key-changed while the table's key is not the events' key
 */
export function rowEncoderOf(
  settings: Settings,
  slab: Slab,
  state: State,
  captured: Captured,
  topic: string,
): RowEncoder {
  if (captured.encoder !== undefined) return captured.encoder;
  const table = tableOf(state, topic);
  mustHaveItsKey(table);
  const { columns, relation } = captured;
  const rows = { columns, identity: relation.identity, unidentified: unidentifiedOf(table, columns) };
  captured.rowKeys = rowKeyEncoder(settings, slab, table, rows);
  captured.encoder = shapeEncoder(settings, slab, table, rows);
  return captured.encoder;
}

/** The rows that an encoder is for. */
export interface EncodedRows {
  /** In wire order. */
  readonly columns: readonly (Attnum | undefined)[];
  readonly identity: Relation["identity"];
  /** The columns' types when the rows were written, if they differ from the present ones. */
  readonly types?: readonly (ColumnType | undefined)[] | undefined;
  /** Columns that the rows may have, and that could not be identified among theirs. */
  readonly unidentified?: readonly Attnum[] | undefined;
}

/** The known columns that rows with these columns may have, although none of theirs is identified as that column. */
export function unidentifiedOf({ known }: TableState, columns: EncodedRows["columns"]): readonly Attnum[] {
  if (!columns.includes(undefined)) return [];
  return known.flatMap(({ attnum }) => (columns.includes(attnum) ? [] : [attnum]));
}

export function shapeEncoder(
  settings: Settings,
  slab: Slab,
  table: TableState,
  { columns, identity, types, unidentified }: EncodedRows,
  shape: Shape = table.shape,
): RowEncoder {
  const { version, modes, "tombstones.on.delete": tombstones } = settings;
  return rowEncoder({
    shape,
    columns: columns.map((column) => (isOut(settings, table, column, shape) ? undefined : column)),
    types: types ?? columns.map((column) => table.known.find(({ attnum }) => attnum === column)?.type),
    unidentified: new Set(unidentified),
    modes,
    identity,
    origin: { version, connector: "postgresql", name: settings["topic.prefix"], db: settings["database.dbname"] },
    tombstones,
    slab,
  });
}

/** The column if events have its values. */
export function publishedColumn(settings: Settings, table: TableState, column: Attnum | undefined): Attnum | undefined {
  const { fields, key } = table.shape;
  const isField = [...fields, ...key].some(({ attnum }) => attnum === column);
  return isField && !isOut(settings, table, column, table.shape) ? column : undefined;
}

/** Excluded by the file, and no part of the key. */
function isOut({ filter }: Settings, table: TableState, column: Attnum | undefined, { key }: Shape): boolean {
  const known = table.known.find(({ attnum }) => attnum === column);
  const excluded = known !== undefined && isExcluded({ filter }, table, known);
  return excluded && !key.some(({ attnum }) => attnum === column);
}

/**
 * The encoder that gives rows their table's own key, if message.key.columns gives the events a different key; otherwise
 * undefined.
 */
export function rowKeyEncoder(
  settings: Settings,
  slab: Slab,
  table: TableState,
  rows: EncodedRows,
): RowEncoder | undefined {
  const { rowKey, shape } = table;
  if (rowKey === undefined || rowKey.length === 0) return undefined;
  const key = rowKey.flatMap((column) => shape.fields.filter((field) => field.attnum === column).slice(0, 1));
  // Its keys are only compared with each other and never published, so any schema id will do.
  const keySchema = { id: schemaId(0), text: "" };
  return shapeEncoder(settings, slab, table, rows, { ...shape, key, keySchema });
}

/** @throws GuardError key-changed */
export function mustHaveItsKey(table: TableState): void {
  const other = otherKeyOf(table);
  if (other !== undefined) throw keyChanged(table.shape, other);
}

function keyChanged(shape: Shape, amendment: Amendment): GuardError {
  const before = shape.key.map((field) => field.name).join(", ");
  return new GuardError(
    "key-changed",
    `the key of ${fullName(shape.table)} is no longer (${before}): events of its rows would have a different key`,
    {
      next: `${nextCommands(amendment).join(", or ")}, or keep the old key with message.key.columns, or undo the change in the database`,
    },
  );
}
