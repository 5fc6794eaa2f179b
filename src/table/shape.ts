import type { Attnum, ColumnType, TableOid } from "./column.ts";
import type { Json } from "../json.ts";

/** A schema's id in the registry. */
export type SchemaId = number & { readonly __brand: "SchemaId" };
export function schemaId(value: number): SchemaId {
  return value as SchemaId; // the brand's constructor
}

/** One field of a topic's row record, and the column that it is filled from. */
export interface Field {
  readonly name: string;
  readonly attnum: Attnum;
  /** The column's type when the field was made, which determines the bytes. */
  readonly type: ColumnType;
  /** True if its type is a union with null: `["null", T]`, or `[T, "null"]` if it has a default other than null. */
  readonly optional: boolean;
  /** The Avro type and default exactly as registered, e.g. `{"name":"zip","type":["null","string"],"default":null}`. */
  readonly avro: AvroField;
  /** The column's NOT NULL and default (pg_get_expr) when the field was made; absent if they are not known. */
  readonly made?: { readonly notNull: boolean; readonly defaultExpr?: string | undefined } | undefined;
  /** An operator chose its name, so it does not follow the column's name. */
  readonly alias?: true | undefined;
  /** The value that an operator chose for events once the log no longer contains the column. */
  readonly fill?: Json | undefined;
}

export interface AvroField {
  readonly name: string;
  readonly type: Json;
  /** Absent if there is no default. */
  readonly default?: Json;
}

/** A registered schema: the id that goes into an event's header, and the text. */
export interface RegisteredSchema {
  readonly id: SchemaId;
  readonly text: string;
}

/** The current form of a topic's events. It is stored, and never recomputed. */
export interface Shape {
  readonly topic: string;
  readonly table: { readonly oid: TableOid; readonly schema: string; readonly name: string };
  readonly fields: readonly Field[];
  /** The key's columns in the order of the key record; empty if events have no key. */
  readonly key: readonly Field[];
  readonly valueSchema: RegisteredSchema;
  readonly keySchema: RegisteredSchema | undefined;
}
