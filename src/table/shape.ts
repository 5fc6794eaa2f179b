import type { Attnum, ColumnType, TableOid } from "./column.ts";
import type { Json } from "../json.ts";

/** A registry's schema id. */
export type SchemaId = number & { readonly __brand: "SchemaId" };
export function schemaId(value: number): SchemaId {
  return value as SchemaId; // the brand's constructor
}

/** One field of a topic's row record, and the column it is filled from. */
export interface Field {
  readonly name: string;
  readonly attnum: Attnum;
  /** The column's type when the field was made: it decides the bytes. */
  readonly type: ColumnType;
  /** The union has null: `["null", T]`, or `[T, "null"]` when there is a default other than null. */
  readonly optional: boolean;
  /** The Avro type and default exactly as registered, e.g. `{"name":"zip","type":["null","string"],"default":null}`. */
  readonly avro: AvroField;
  /** The column's NOT NULL and default (pg_get_expr) when the field was made; absent: not known. */
  readonly made?: { readonly notNull: boolean; readonly defaultExpr?: string | undefined } | undefined;
  /** Its name was chosen by an operator and does not follow the column's. */
  readonly alias?: true | undefined;
  /** What events carry, by an operator's word, once the column is not in the log any more. */
  readonly fill?: Json | undefined;
}

export interface AvroField {
  readonly name: string;
  readonly type: Json;
  /** Absent: no default. */
  readonly default?: Json;
}

/** A schema that is registered: what goes into an event's header, and its text. */
export interface RegisteredSchema {
  readonly id: SchemaId;
  readonly text: string;
}

/** What a topic's events look like now. Stored, never recomputed. */
export interface Shape {
  readonly topic: string;
  readonly table: { readonly oid: TableOid; readonly schema: string; readonly name: string };
  readonly fields: readonly Field[];
  /** Key columns in the key record's order; empty: events have no key. */
  readonly key: readonly Field[];
  readonly valueSchema: RegisteredSchema;
  readonly keySchema: RegisteredSchema | undefined;
}
