import { GuardError } from "../../errors.ts";
import { rowEncoder, type RowEncoder } from "../../event/row-encoder.ts";
import type { Amendment } from "../../gate/amendment/amendment.ts";
import { waysOn } from "../../words/amendment.ts";
import { isOtherKey } from "../../gate/amendment/key.ts";
import type { TableState } from "../../gate/state.ts";
import type { Attnum, ColumnType } from "../../table/column.ts";
import { schemaId, type Shape } from "../../table/shape.ts";
import type { Relation } from "../../wal/message.ts";
import type { Outside } from "../outside.ts";
import { type Captured, type Session, tableOf } from "../session.ts";

/**
 * The encoder of a table's rows for its current shape; made at the first row after either changed. Throws
 * GuardError("key-changed") while the table has another key than the events.
 */
export function rowEncoderOf(session: Session, captured: Captured, topic: string): RowEncoder {
  if (captured.encoder !== undefined) return captured.encoder;
  const table = tableOf(session, topic);
  mustHaveItsKey(table);
  captured.rowKeys = rowKeys(session, table, captured.columns, captured.relation.identity);
  captured.encoder = shapeEncoder(session, table, captured.columns, captured.relation.identity);
  return captured.encoder;
}

/** The encoder of rows with these columns. */
export function shapeEncoder(
  session: Session,
  table: TableState,
  columns: readonly (Attnum | undefined)[],
  identity: Relation["identity"],
  shape: Shape = table.shape,
): RowEncoder {
  const { "tombstones.on.delete": tombstones, filter, modes } = session.outside.settings;
  const types = columns.map((column) => typeNow(table, column));
  const origin = originOf(session.outside);
  const { schema, name } = table.capturedAs ?? table.shape.table;
  const captured = columns.map((column) => {
    const known = table.known.find((one) => one.attnum === column);
    const excluded = known !== undefined && !filter.column(schema, name, known.name);
    return excluded && !shape.key.some((field) => field.attnum === column) ? undefined : column;
  });
  return rowEncoder({
    shape,
    columns: captured,
    types,
    modes,
    identity,
    origin,
    tombstones,
    slab: session.slab,
  });
}

/** An encoder that gives rows their table's own key, where message.key.columns gives the events another. */
export function rowKeys(
  session: Session,
  table: TableState,
  columns: readonly (Attnum | undefined)[],
  identity: Relation["identity"],
): RowEncoder | undefined {
  const { rowKey, shape } = table;
  if (rowKey === undefined || rowKey.length === 0) return undefined;
  const key = rowKey.flatMap((column) => shape.fields.filter((field) => field.attnum === column).slice(0, 1));
  // Its keys are compared with each other and never published: the schema's id is any.
  const keySchema = { id: schemaId(0), text: "" };
  return shapeEncoder(session, table, columns, identity, { ...shape, key, keySchema });
}

function originOf(outside: Outside) {
  const { version, "topic.prefix": name, "database.dbname": db } = outside.settings;
  return { version, connector: "postgresql", name, db };
}

function typeNow({ known }: TableState, column: Attnum | undefined): ColumnType | undefined {
  return known.find((one) => one.attnum === column)?.type;
}

function mustHaveItsKey({ shape, amendments }: TableState): void {
  const other = amendments.find(
    ({ kind, gate, key }) => kind === "key" && gate.kind === "withheld" && isOtherKey(shape, key),
  );
  if (other !== undefined) throw keyChanged(shape, other);
}

function keyChanged(shape: Shape, amendment: Amendment): GuardError {
  const { schema, name } = shape.table;
  const was = shape.key.map((field) => field.name).join(", ");
  return new GuardError(
    "key-changed",
    `the key of ${schema}.${name} is not (${was}) any more: events of its rows would have another key`,
    {
      next: `${waysOn(amendment).join(", or ")}, or keep the old with message.key.columns, or undo it in the database`,
    },
  );
}
