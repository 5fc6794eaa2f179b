import { isSameType } from "../../event/types/avro-type.ts";
import { type Attnum, attnum } from "../../table/column.ts";
import type { AvroField, Field } from "../../table/shape.ts";
import { stableText } from "../../json.ts";

/**
 * The type given to a field whose type is not known because someone else registered it. It differs from every column's
 * type.
 */
const UNKNOWN_TYPE = { oid: 0, typmod: -1 };

/**
 * Binds the fields of a schema that someone else registered to the columns with the same names. A field without such a
 * column gets an attnum that no column has, as if its column had been dropped. A field whose type differs counts as
 * retyped. `before` holds the fields as they were until now: where the schema differs from them, it already shows the
 * column's change.
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
    // The registered schema decides: only a nullable column under a required field counts as a difference.
    const made = was === undefined ? column.made : madeNow(avro, optional, column, was);
    return { ...column, avro, optional, type, made };
  });
}

function noColumn(before: readonly Field[], index: number): Attnum {
  const lowest = Math.min(0, ...before.map((field) => field.attnum));
  return attnum(lowest - 1 - index);
}

/** Whether a column of a different type took over the name while the schema still has the field of the old column. */
function isOtherColumns(avro: AvroField, column: Field, was: Field): boolean {
  const other = was.attnum !== column.attnum && was.attnum > 0;
  return other && !isSameType(column.avro.type, avro.type) && isSameType(was.avro.type, avro.type);
}

function isTypeNew(avro: AvroField, was: Field): boolean {
  return !isSameType(avro.type, was.avro.type);
}

/**
 * Each property is taken from the column if the schema agrees with the column, or no longer agrees with the old field.
 */
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

/** Whether the field may be null. */
export function isOptional(avro: AvroField): boolean {
  return Array.isArray(avro.type) && avro.type.includes("null");
}
