import { fieldOf } from "../../event/field.ts";
import { envelopeSchema, rowSchema } from "../../event/envelope/schema.ts";
import type { Attnum } from "../../table/column.ts";
import { type Field, type RegisteredSchema, schemaId } from "../../table/shape.ts";
import { isCaptured, type SeenColumn } from "../amendment/differ.ts";
import type { Rules, TableState } from "../state.ts";

/** A stand-in for the schema that these fields would have. It is not registered, so its id is 0. */
export function noSchema({ unwrapped }: Rules, topic: string, fields: readonly Field[]): RegisteredSchema {
  const schema = unwrapped === undefined ? envelopeSchema(topic, fields) : rowSchema(topic, fields);
  return { id: schemaId(0), text: JSON.stringify(schema) };
}

/** Sets the shape of a table without published events to its columns, so that it has no differences. */
export function asItsColumns(
  rules: Rules,
  table: TableState,
  seen: readonly SeenColumn[],
  key: readonly Attnum[],
): TableState {
  const fields = fieldsOf(rules, table, seen);
  const of = (column: Attnum) => fields.filter((field) => field.attnum === column);
  const valueSchema = noSchema(rules, table.shape.topic, fields);
  const known = seen.map(({ column: { attnum, name, type } }) => ({ attnum, name, type }));
  return {
    ...table,
    known,
    shape: { ...table.shape, fields, key: key.flatMap(of), valueSchema },
    flowed: [valueSchema],
  };
}

/** The fields of the captured columns, without columns that cannot be mapped. */
export function fieldsOf(rules: Rules, table: TableState, seen: readonly SeenColumn[]): readonly Field[] {
  const captured = seen.filter(({ column }) => isCaptured(rules, table, column));
  return captured.flatMap(({ column }) => {
    const mapped = fieldOf(column, rules.modes);
    return mapped.kind === "field" ? [mapped.field] : [];
  });
}
