import { jsonBytes } from "../../avro/value.ts";
import { baseType } from "../../event/field.ts";
import { primitiveOf } from "../../event/types/avro-type.ts";
import type { Field } from "../../table/shape.ts";
import type { Refusal } from "../decision/reason.ts";
import type { Amendment } from "./amendment.ts";
import type { OperatorCommand, State, TableState } from "../state.ts";
import { withTable } from "../update.ts";
import type { Json } from "../../json.ts";

/**
 * Why this value cannot be used for the field of a dropped column; undefined if it can. The reason never contains the
 * value.
 */
export function refusesFill(table: TableState, amendment: Amendment, value: Json | undefined): Refusal | undefined {
  const { id } = amendment;
  if (amendment.kind !== "dropped") return { kind: "fill-not-dropped", id };
  const fields = table.shape.fields.filter((field) => field.attnum === amendment.attnum);
  if (fields.length === 0) return { kind: "fill-without-field", id };
  if (value !== undefined && fields.some((field) => fits(field, value))) return undefined;
  const types = new Set(fields.map((field) => primitiveOf(baseType(field.avro))));
  return { kind: "fill-value-unfit", id, types: [...types] };
}

/**
 * Writes this value into the kept field from this position on. If several fields come from the column, only those whose
 * type it fits are filled.
 */
export function filled(state: State, table: TableState, amendment: Amendment, { value }: OperatorCommand): State {
  const fields = table.shape.fields.map((field) =>
    field.attnum === amendment.attnum && value !== undefined && fits(field, value) ? { ...field, fill: value } : field,
  );
  return withTable(state, { ...table, shape: { ...table.shape, fields } });
}

/**
 * True if the field's type can hold the value. A long that a JSON number cannot represent exactly is rejected, because
 * its value would change.
 */
function fits(field: Field, value: Json): boolean {
  const type = baseType(field.avro);
  const rounded = primitiveOf(type) === "long" && !Number.isSafeInteger(value);
  return !rounded && jsonBytes(type, value) !== undefined;
}
