import type { Finding } from "../finding.ts";
import type { Column } from "../table/column.ts";
import type { AvroField, Field } from "../table/shape.ts";
import { defaultOf } from "./types/default.ts";
import { DEFAULT_MODES, type ValueModes } from "./types/modes.ts";
import { fieldName } from "./envelope/names.ts";
import { avroTypeOf, entryOf } from "./types/table.ts";
import type { Json } from "../json.ts";
import type { AvroType } from "./types/avro-type.ts";

/**
 * Maps a column to its Avro field, with the name, type, default and optionality that Debezium and Confluent's converter
 * give it.
 */

export type Mapped =
  | { readonly kind: "field"; readonly field: Field }
  | { readonly kind: "left-out"; readonly finding: Finding };

/**
 * The field that Debezium's PostgreSQL connector (3.7, under these modes) and Confluent's AvroConverter give a column.
 * It is optional if the column may be null, and its type is `[T,"null"]` if it also has a default. A generated column,
 * or a column whose type is not mapped, is left out; the finding says why.
 */
export function fieldOf(column: Column, modes: ValueModes = DEFAULT_MODES): Mapped {
  const { type, notNull, defaultExpr } = column;
  const avro = avroTypeOf(type, modes);
  if (column.generated) return leftOut(column, "column/generated", "is generated: its value is not in the log");
  if (avro === undefined)
    return leftOut(column, "column/type-not-mapped", `has type ${column.typeName}, which is not mapped to Avro`);
  const value = defaultExpr === undefined ? undefined : defaultOf(type, avro, defaultExpr, modes);
  const name = fieldName(column.name, modes.fieldNames);
  const optional = !notNull || entryOf(type).isAlwaysOptional;
  return {
    kind: "field",
    field: {
      name,
      attnum: column.attnum,
      type,
      optional,
      avro: avroField(name, avro, optional, value),
      made: { notNull, defaultExpr },
    },
  };
}

function avroField(name: string, type: AvroType, optional: boolean, value: Json | undefined): AvroField {
  if (value === undefined) return optional ? { name, type: ["null", type], default: null } : { name, type };
  const withDefault = connectDefault(type, value);
  return { name, type: optional ? [withDefault, "null"] : withDefault, default: value };
}

/** AvroData puts `connect.default` before these properties and after all others. */
const AFTER_DEFAULT = new Set(["connect.name", "connect.type", "logicalType"]);

function connectDefault(type: AvroType, value: Json): AvroType {
  if (typeof type === "string") return { type, "connect.default": value };
  const entries = Object.entries(type);
  const before = entries.filter(([key]) => !AFTER_DEFAULT.has(key));
  const after = entries.filter(([key]) => AFTER_DEFAULT.has(key));
  return Object.fromEntries([...before, ["connect.default", value], ...after]);
}

/** The field as `["null", T]` with default null, for compatibility levels that reject a new field without a default. */
export function widen(field: Field): Field {
  const avro: AvroField = {
    name: field.avro.name,
    type: ["null", withoutDefault(baseType(field.avro))],
    default: null,
  };
  return { ...field, optional: true, avro };
}

/** The type of a field without its null: the first branch of a union that is not null. */
export function baseType(field: AvroField): AvroType {
  const type = Array.isArray(field.type) ? field.type.find((branch: Json) => branch !== "null") : field.type;
  return type as AvroType; // not a union: a name or an object
}

function withoutDefault(type: AvroType): AvroType {
  if (typeof type === "string" || !("connect.default" in type)) return type;
  const { "connect.default": _, ...rest } = type;
  return Object.keys(rest).length === 1 && typeof rest["type"] === "string" ? rest["type"] : rest;
}

function leftOut(column: Column, rule: string, what: string): Mapped {
  return {
    kind: "left-out",
    finding: {
      rule,
      severity: "warning",
      certainty: "always",
      field: column.name,
      message: `Column ${column.name} ${what}; it is left out of the events.`,
    },
  };
}
