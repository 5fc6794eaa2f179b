import type { ColumnType } from "../../table/column.ts";
import { allowedOf, type AvroType, connectName, formName, itemsOf, scaleOf } from "./avro-type.ts";
import type { ValueModes } from "./modes.ts";
import { baseOf, elementOf, numericTypmod } from "./modifier.ts";
import { avroTypeOf, type Kind, kindOf, OID, plainType, TYPES } from "./table.ts";

/**
 * The column type whose texts a field's Avro type is written from. This is `made`, the type the field was made for,
 * unless that type maps to a different Avro type, because the field was registered by someone else or under other
 * modes. In that case it is the type that Debezium maps to the Avro type by default.
 */
export function textTypeOf(avro: AvroType, made: ColumnType, modes: ValueModes): ColumnType {
  const own = avroTypeOf(made, modes);
  return own !== undefined && signature(own) === signature(avro) ? made : (typeOfAvro(avro) ?? made);
}

/** Equal for Avro types whose values have the same bytes with the same meaning. */
function signature(avro: AvroType): string {
  const items = itemsOf(avro);
  const of = items === undefined ? "" : `<${items.optional ? "?" : ""}${signature(items.type)}>`;
  const small = typeof avro === "object" && avro["connect.type"] === "int16" ? "16" : "";
  return `${formName(avro)}${small}${of}/${scaleOf(avro)}`;
}

function typeOfAvro(avro: AvroType): ColumnType | undefined {
  const name = formName(avro);
  const items = itemsOf(avro);
  const element = items && typeOfAvro(items.type);
  if (name === "array" && element !== undefined) return { oid: 0, typmod: -1, detail: { kind: "array", of: element } };
  if (typeof avro === "object") {
    const { precision } = avro;
    if (typeof precision === "number") return { oid: OID.numeric, typmod: numericTypmod(precision, scaleOf(avro)) };
    if (avro["connect.type"] === "int16") return plainType("int2");
    if (connectName(avro) === "io.debezium.data.Enum") {
      return { oid: 0, typmod: -1, detail: { kind: "enum", name: "", labels: allowedOf(avro).split(",") } };
    }
  }
  return ADOPTED.get(name);
}

const ADOPTED: ReadonlyMap<string, ColumnType> = new Map(
  Object.entries(TYPES).flatMap(([kind, { adopts }]) =>
    // the keys of TYPES are the kinds
    Object.entries(adopts).map(([name, typmod]) => [name, { ...plainType(kind as Kind), typmod }] as const),
  ),
);

/** True if a text has the same meaning under both types. */
export function isSameText(a: ColumnType, b: ColumnType): boolean {
  const [x, y] = [baseOf(a), baseOf(b)];
  const [ofX, ofY] = [elementOf(x), elementOf(y)];
  if (ofX !== undefined && ofY !== undefined) return isSameText(ofX, ofY);
  const isSameKind = kindOf(x) === "unknown" ? x.oid === y.oid : kindOf(x) === kindOf(y);
  return isSameKind && x.typmod === y.typmod && (kindOf(x) !== "enum" || x.oid === y.oid);
}
