import type { ColumnType } from "../../table/column.ts";
import { type AvroType, formName } from "./avro-type.ts";
import type { Encode, Form } from "./entry.ts";
import { DEFAULT_MODES, type ValueModes } from "./modes.ts";
import { entryOf, TYPES } from "./table.ts";

/**
 * The encoder that writes texts of this column type as this Avro type. It returns UNFIT for a text that the Avro type
 * cannot hold without loss. Undefined if Fieldgate cannot write such a field. `unseen` is called for a label that the
 * field does not list.
 */
export function encoderOf(
  avro: AvroType,
  type: ColumnType,
  modes: ValueModes = DEFAULT_MODES,
  unseen: (label: string) => void = () => {},
): Encode | undefined {
  return formOf(avro, type)?.encode(avro, type, {
    modes,
    unseen,
    elementEncoder: (items, element) => encoderOf(items, element, modes, unseen),
  });
}

/**
 * How texts of the column type are written as this Avro type. A form that only one type has, such as a Point, is also
 * used for columns of other types: their values do not fit, but their nulls do.
 */
export function formOf(avro: AvroType, type: ColumnType): Form | undefined {
  const name = formName(avro);
  return entryOf(type).forms[name] ?? SOLE_FORMS.get(name);
}

const FORMS = Object.values(TYPES).flatMap(({ forms }) => Object.entries(forms));

const SOLE_FORMS: ReadonlyMap<string, Form> = new Map(
  FORMS.filter(([name]) => FORMS.filter(([other]) => other === name).length === 1),
);

/** The form with this name. If several types have one, the first type in the table counts. */
export function formNamed(name: string): Form | undefined {
  return FORMS.find(([one]) => one === name)?.[1];
}
