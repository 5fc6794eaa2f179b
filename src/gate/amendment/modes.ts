import { placeholderOf } from "../../event/cell.ts";
import { baseType } from "../../event/field.ts";
import { fieldName } from "../../event/envelope/names.ts";
import { bareType, connectName, isSameType, itemsOf, primitiveOf } from "../../event/types/avro-type.ts";
import type { AvroType } from "../../event/types/avro-type.ts";
import type { ValueModes } from "../../event/types/modes.ts";
import { elementOf } from "../../event/types/modifier.ts";
import { avroTypeOf, kindOf } from "../../event/types/table.ts";
import { isObject, type Json } from "../../json.ts";
import type { ColumnType } from "../../table/column.ts";
import type { Field } from "../../table/shape.ts";
import type { Rules, TableState } from "../state.ts";
import { withheldOf } from "../update.ts";

/**
 * Value modes that were changed in the connector's file. A field keeps the form in which it was made. If the change
 * shows in its Avro type, it becomes an amendment, which is judged like a column with a new type. If it does not show,
 * as between base64 and hex, no reader could be asked about it, and the connector refuses to start.
 */

/** True if the file's modes give the field's column a different Avro type than the field has, or none. */
export function isOtherMode({ mode, modes }: Pick<Rules, "mode" | "modes">, { type, avro }: Field): boolean {
  // In watch mode the fields are as Debezium's own file defines them.
  if (mode === "watch") return false;
  const now = avroTypeOf(type, modes);
  return now === undefined || !isSameType(withoutLabels(now), withoutLabels(avro.type));
}

/** True if the table must be compared with its columns, because the modes were changed or changed back. */
export function isModesNews(rules: Rules, table: TableState): boolean {
  const waiting = withheldOf(table);
  if (waiting.some(({ byFile }) => byFile === true)) return true;
  return table.shape.fields.some((field) => {
    const column = table.known.find(({ attnum }) => attnum === field.attnum);
    if (column === undefined || waiting.some(({ attnum }) => attnum === field.attnum)) return false;
    const isNamed = field.alias === true || fieldName(column.name, rules.modes.fieldNames) === field.name;
    return !isNamed || isOtherMode(rules, field);
  });
}

/** The type without an enum's labels, which are data and may change without a new type. */
export function withoutLabels(type: Json): Json {
  const bare = bareType(type);
  if (!isObject(bare)) return bare;
  const { "connect.parameters": _, ...rest } = bare;
  return connectName(bare) === ENUM ? rest : bare;
}

export const ENUM = "io.debezium.data.Enum";

/** A key of the file whose new value would change the contents of events without a difference in their schemas. */
export interface HiddenChange {
  readonly key: "binary.handling.mode" | "unavailable.value.placeholder";
  /** `topic.field` of every field that it would change. */
  readonly fields: readonly string[];
}

export function hiddenChanges(
  before: Pick<ValueModes, "binary" | "placeholder">,
  now: ValueModes,
  tables: Iterable<TableState>,
): readonly HiddenChange[] {
  const all = [...tables];
  const fieldsOf = (isMeant: (field: Field) => boolean) =>
    all.flatMap(({ shape }) => shape.fields.filter(isMeant).map(({ name }) => `${shape.topic}.${name}`));
  const binary = textOfBytes(before.binary) === textOfBytes(now.binary) ? [] : fieldsOf(isBytesAsText);
  const placeholder =
    before.placeholder === now.placeholder ? [] : fieldsOf((field) => placeholderOf(field, now) !== undefined);
  const changes: readonly HiddenChange[] = [
    { key: "binary.handling.mode", fields: binary },
    { key: "unavailable.value.placeholder", fields: placeholder },
  ];
  return changes.filter(({ fields }) => fields.length > 0);
}

/** A field that is a string although the mode is `bytes` contains hexadecimal digits. */
function textOfBytes(binary: ValueModes["binary"]): ValueModes["binary"] {
  return binary === "bytes" ? "hex" : binary;
}

function isBytesAsText({ type, avro }: Field): boolean {
  return isTextOf(baseType(avro), type);
}

function isTextOf(avro: AvroType, type: ColumnType): boolean {
  const [items, element] = [itemsOf(avro), elementOf(type)];
  if (items !== undefined && element !== undefined) return isTextOf(items.type, element);
  return primitiveOf(avro) === "string" && ["bytea", "unknown"].includes(kindOf(type));
}
