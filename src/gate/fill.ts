import { baseType } from "../event/field.ts";
import { primitiveOf } from "../event/type.ts";
import type { Field, Json } from "../table/shape.ts";
import type { Amendment } from "./amendment.ts";
import type { OperatorCommand, State, TableState } from "./state.ts";
import { withTable } from "./update.ts";

/** Why this value cannot stand for the field of a dropped column; undefined: it can. Never says the value. */
export function refusesFill(table: TableState, amendment: Amendment, value: Json | undefined): string | undefined {
  if (amendment.kind !== "dropped") return `${amendment.id}: only the field of a dropped column can be filled`;
  const fields = table.shape.fields.filter((field) => field.attnum === amendment.attnum);
  if (fields.length === 0) return `${amendment.id}: no field of it flows`;
  const kinds = [...new Set(fields.map(kindOf))];
  if (value !== undefined && kinds.some((kind) => fits(kind, value))) return undefined;
  return `${amendment.id}: the value is no Avro ${kinds.join(" or ")}`;
}

/** The kept field carries this value from here on; of several of one column those that it fits. */
export function filled(state: State, table: TableState, amendment: Amendment, { value }: OperatorCommand): State {
  const fields = table.shape.fields.map((field) =>
    field.attnum === amendment.attnum && value !== undefined && fits(kindOf(field), value)
      ? { ...field, fill: value }
      : field,
  );
  return withTable(state, { ...table, shape: { ...table.shape, fields } });
}

function kindOf(field: Field): string {
  return primitiveOf(baseType(field.avro));
}

function fits(primitive: string, value: Json): boolean {
  switch (primitive) {
    case "boolean":
      return typeof value === "boolean";
    case "int":
      return typeof value === "number" && Number.isInteger(value) && value >= -0x80000000 && value <= 0x7fffffff;
    case "long":
      return typeof value === "number" && Number.isSafeInteger(value);
    case "float":
    case "double":
      return typeof value === "number";
    case "string":
    case "bytes":
      return typeof value === "string";
    default:
      return false;
  }
}
