import type { ColumnType } from "../../table/column.ts";
import { allowedOf, type AvroType, connectName, formName, itemsOf, scaleOf } from "./avro-type.ts";
import type { ValueModes } from "./modes.ts";
import { baseOf, elementOf, numericTypmod } from "./modifier.ts";
import { avroTypeOf, entryOf, type Kind, kindOf, OID, plainType, TYPES } from "./table.ts";

/**
 * The column type whose texts a field's Avro type is written from: `made`, the type the field was made for, if the Avro
 * type is one of those that the type can be mapped to. Otherwise the field was registered by someone else, and it is the
 * type that Debezium maps to it by default.
 */
export function textTypeOf(avro: AvroType, made: ColumnType, modes: ValueModes): ColumnType {
  const own = avroTypeOf(made, modes);
  if (own !== undefined && signature(own) === signature(avro)) return made;
  return isOwnForm(avro, made) ? made : (typeOfAvro(avro) ?? made);
}

/** Is it what the type is mapped to under some value modes? A field that someone else registered has no type of its own. */
function isOwnForm(avro: AvroType, made: ColumnType): boolean {
  const [items, element] = [itemsOf(avro), elementOf(made)];
  if (items !== undefined && element !== undefined) return isOwnForm(items.type, element);
  return made.oid !== 0 && entryOf(made).forms[formName(avro)] !== undefined;
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
