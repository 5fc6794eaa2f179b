import { readFileSync } from "node:fs";
import { attnum, columnType, tableOid, type Column, type TypeDetail } from "../../src/table/column.ts";
import { schemaId, type Field, type Shape } from "../../src/table/shape.ts";
import { lsn } from "../../src/wal/lsn.ts";
import type { RowChange } from "../../src/wal/message.ts";
import { fieldOf } from "../../src/event/field.ts";
import { DEFAULT_MODES } from "../../src/event/types/modes.ts";
import { envelopeSchema, keySchema } from "../../src/event/envelope/schema.ts";
import type { EventMark, Origin } from "../../src/event/envelope/source.ts";
import { rowEncoder, type RowEncoder, type RowEncoderOptions } from "../../src/event/row-encoder.ts";

/** A text, null, or an unchanged value stored out of line. */
export type Sent = string | null | typeof UNCHANGED;
export const UNCHANGED = Symbol("unchanged");

export function cases(file: string): readonly unknown[] {
  const text = readFileSync(new URL(`../cases/${file}`, import.meta.url), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
}

/** TupleData as pgoutput sends it. */
export function tupleData(values: readonly Sent[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeUInt16BE(values.length);
  const parts = values.map((value) => {
    if (value === null) return Buffer.from("n");
    if (typeof value === "symbol") return Buffer.from("u");
    const body = Buffer.from(value);
    const head = Buffer.from("t\0\0\0\0");
    head.writeInt32BE(body.length, 1);
    return Buffer.concat([head, body]);
  });
  return Buffer.concat([count, ...parts]);
}

/** A change at an offset, as in a message. */
export function change(
  kind: RowChange["kind"],
  now: readonly Sent[] | undefined,
  old?: { readonly kind: "key" | "full"; readonly values: readonly Sent[] },
): RowChange {
  const head = Buffer.from("I\0\0\0\x01");
  const oldBytes = old === undefined ? Buffer.alloc(0) : tupleData(old.values);
  const bytes = Buffer.concat([head, oldBytes, now === undefined ? Buffer.alloc(0) : tupleData(now)]);
  return {
    kind,
    relation: 1,
    bytes,
    oldKind: old?.kind ?? "none",
    oldAt: old === undefined ? -1 : head.length,
    newAt: now === undefined ? -1 : head.length + oldBytes.length,
  };
}

export interface ColumnSpec {
  readonly name: string;
  readonly oid: number;
  readonly typmod?: number;
  readonly notNull?: boolean;
  readonly defaultExpr?: string | undefined;
  readonly detail?: TypeDetail | undefined;
}

export function column(spec: ColumnSpec, position: number): Column {
  return {
    attnum: attnum(position + 1),
    name: spec.name,
    type: columnType(spec.oid, spec.typmod ?? -1, spec.detail),
    typeName: `type ${spec.oid}`,
    notNull: spec.notNull ?? false,
    defaultExpr: spec.defaultExpr,
    identity: false,
    generated: false,
  };
}

export function field(spec: ColumnSpec, position = 0, modes = DEFAULT_MODES): Field {
  const mapped = fieldOf(column(spec, position), modes);
  if (mapped.kind !== "field") throw new Error(mapped.finding.message);
  return mapped.field;
}

export function shapeOf(topic: string, fields: readonly Field[], key: readonly Field[]): Shape {
  const [, schema = "", name = ""] = topic.split(".");
  const keyText = keySchema(topic, key);
  return {
    topic,
    table: { oid: tableOid(1), schema, name },
    fields,
    key,
    valueSchema: { id: schemaId(7), text: JSON.stringify(envelopeSchema(topic, fields)) },
    keySchema: keyText === undefined ? undefined : { id: schemaId(8), text: JSON.stringify(keyText) },
  };
}

const ORIGIN: Origin = { version: "3.7.0.Test", connector: "postgresql", name: "test_server", db: "postgres" };

/** The position and times of the golden events. */
export const MARK: EventMark = {
  lsn: lsn(23_456_789n),
  tx: { commitTime: 1_700_000_000_000_123n, xid: 777, lastCommitLsn: lsn(23_456_788n) },
  now: 1_700_000_000_456_789n,
};

export function rowEncoderOf(shape: Shape, options: Partial<RowEncoderOptions> = {}): RowEncoder {
  const columns = shape.fields.map((one) => one.attnum);
  return rowEncoder({ shape, columns, identity: "default", origin: ORIGIN, tombstones: true, ...options });
}
