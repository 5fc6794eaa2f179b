import { baseType } from "../event/field.ts";
import { primitiveOf } from "../event/type.ts";
import type { Field, Json } from "../table/shape.ts";
import type { Amendment } from "./amendment.ts";
import type { OperatorCommand, State, TableState } from "./state.ts";
import { withTable } from "./update.ts";

/** Why this value cannot stand for the field of a dropped column; undefined: it can. Never says the value. */
export function refusesFill(table: TableState, amendment: Amendment, value: Json | undefined): string | undefined {
  if (amendment.kind !== "dropped") return `${amendment.id}: only the field of a dropped column can be filled`;
  const field = fieldOf(table, amendment);
  if (field === undefined) return `${amendment.id}: no field of it flows`;
  const primitive = primitiveOf(baseType(field.avro));
  if (value === undefined || !fits(primitive, value)) return `${amendment.id}: the value is no Avro ${primitive}`;
  return undefined;
}

/** The kept field carries this value from here on. */
export function filled(state: State, table: TableState, amendment: Amendment, command: OperatorCommand): State {
  const fields = table.shape.fields.map((field) =>
    field.attnum === amendment.attnum && command.value !== undefined ? { ...field, fill: command.value } : field,
  );
  return withTable(state, { ...table, shape: { ...table.shape, fields } });
}

function fieldOf({ shape }: TableState, { attnum }: Amendment): Field | undefined {
  return shape.fields.find((field) => field.attnum === attnum);
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
