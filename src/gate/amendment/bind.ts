import { isSameType } from "../../event/types/avro-type.ts";
import { type Attnum, attnum } from "../../table/column.ts";
import type { AvroField, Field } from "../../table/shape.ts";
import { stableText } from "../../json.ts";

/** The type of a field that somebody else registered is not known: what its column has is another. */
const UNKNOWN_TYPE = { oid: 0, typmod: -1 };

/**
 * The fields of a schema that somebody else registered, each with the column of its name. A field without one has an
 * attnum that no column has, so it is a dropped column's; one with another type is a retyped column's. `before`: what
 * these fields were until now; what the schema says otherwise of one is what became of its column.
 */
export function bind(
  registered: readonly AvroField[],
  columns: readonly Field[],
  before: readonly Field[] = [],
): readonly Field[] {
  return registered.map((avro, index) => {
    const column = columns.find((field) => field.name === avro.name);
    const was = before.find((field) => field.name === avro.name);
    const optional = isOptional(avro);
    const stays = was !== undefined && (column === undefined || isOtherColumns(avro, column, was));
    if (stays) return { ...was, avro, optional };
    if (column === undefined) {
      return { name: avro.name, attnum: noColumn(before, index), type: UNKNOWN_TYPE, optional, avro };
    }
    const retyped = !isSameType(column.avro.type, avro.type) && !(was !== undefined && isTypeNew(avro, was));
    const type = retyped ? (was?.type ?? UNKNOWN_TYPE) : column.type;
    // What is registered counts: only a column that may be null under a required field is a difference.
    const made = was === undefined ? column.made : madeNow(avro, optional, column, was);
    return { ...column, avro, optional, type, made };
  });
}

function noColumn(before: readonly Field[], index: number): Attnum {
  const lowest = Math.min(0, ...before.map((field) => field.attnum));
  return attnum(lowest - 1 - index);
}

/** A column of another type took the name, and the schema still has the old one's. */
function isOtherColumns(avro: AvroField, column: Field, was: Field): boolean {
  const other = was.attnum !== column.attnum && was.attnum > 0;
  return other && !isSameType(column.avro.type, avro.type) && isSameType(was.avro.type, avro.type);
}

function isTypeNew(avro: AvroField, was: Field): boolean {
  return !isSameType(avro.type, was.avro.type);
}

/** What the schema says as the column would, or otherwise than it did, is what becomes of the column there. */
function madeNow(avro: AvroField, optional: boolean, column: Field, was: Field): Field["made"] {
  const text = defaultText(avro);
  const defaultFollows = text === defaultText(column.avro) || text !== defaultText(was.avro);
  const nullFollows = optional === column.optional || optional !== was.optional;
  if (column.made === undefined || was.made === undefined) return column.made;
  return {
    notNull: (nullFollows ? column : was).made?.notNull ?? false,
    defaultExpr: (defaultFollows ? column : was).made?.defaultExpr,
  };
}

function defaultText({ default: value }: AvroField): string {
  return stableText(value ?? null);
}

/** May it be null? */
export function isOptional(avro: AvroField): boolean {
  return Array.isArray(avro.type) && avro.type.includes("null");
}
