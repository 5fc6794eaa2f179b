import type { ColumnType } from "../../table/column.ts";
import { encodeArray } from "../values/array.ts";
import { castToText } from "../values/text.ts";
import { type AvroType, itemsOf } from "./avro-type.ts";
import { encoderOf } from "./encoder.ts";
import { asIs, type Encode, type Rewrite, UNFIT } from "./entry.ts";
import type { ValueModes } from "./modes.ts";
import { elementOf } from "./modifier.ts";
import { type Kind, kindOf, TYPES } from "./table.ts";

/**
 * The encoder of a field that was made for type `to` and whose column now has type `from`. It writes what PostgreSQL's
 * own cast to `to` gives, and returns UNFIT where that cast fails or loses something. Undefined if Fieldgate cannot
 * write such a field.
 */
export function castEncoder(
  avro: AvroType,
  from: ColumnType,
  to: ColumnType,
  modes: ValueModes,
  unseen: (label: string) => void,
): Encode | undefined {
  const items = itemsOf(avro);
  const [fromElement, toElement] = [elementOf(from), elementOf(to)];
  if (items !== undefined && fromElement !== undefined && toElement !== undefined) {
    const element = castEncoder(items.type, fromElement, toElement, modes, unseen);
    return element && encodeArray(element, items.optional);
  }
  const encode = encoderOf(avro, to, modes, unseen);
  if (encode === undefined) return undefined;
  const rewrite = rewriteOf(from, to);
  return rewrite === asIs ? encode : encodeRewritten(rewrite, encode);
}

function encodeRewritten(rewrite: Rewrite, encode: Encode): Encode {
  return (src, s, e, out, p) => {
    const text = rewrite(src.toString("utf8", s, e));
    if (text === undefined) return UNFIT;
    const bytes = Buffer.from(text);
    return encode(bytes, 0, bytes.length, out, p);
  };
}

/** For pairs of types that PostgreSQL cannot cast, or whose cast always loses something. */
const never: Rewrite = () => undefined;

function rewriteOf(from: ColumnType, to: ColumnType): Rewrite {
  const [fromKind, toKind] = [kindOf(from), kindOf(to)];
  const { isText, castFrom } = TYPES[toKind];
  if (isText) return castToText(TYPES[fromKind].toText, to, toKind === "bpchar");
  const source: Kind = TYPES[fromKind].isText ? "text" : fromKind;
  const byKind: Readonly<Partial<Record<Kind, (to: ColumnType) => Rewrite>>> = castFrom;
  const cast = byKind[source];
  if (cast !== undefined) return cast(to);
  // The same type with a different modifier: the encoder itself detects what would be lost.
  return fromKind === toKind && fromKind !== "unknown" ? asIs : never;
}
