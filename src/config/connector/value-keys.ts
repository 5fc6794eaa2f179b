import { z } from "zod";

import type { ValueModes } from "../../event/types/modes.ts";
import { choice, flag, key, refuse, wholeNumber } from "./key.ts";

/** How values and names are written. The names are Debezium's; ValueModes explains the effect of each. */
export const valueKeys = {
  "tombstones.on.delete": flag(true),
  "decimal.handling.mode": choice(["precise", "double", "string"], "precise"),
  "time.precision.mode": choice(
    ["adaptive", "adaptive_time_microseconds", "microseconds", "nanoseconds", "connect", "isostring"],
    "adaptive",
  ),
  "interval.handling.mode": choice(["numeric", "string"], "numeric"),
  "binary.handling.mode": choice(["bytes", "base64", "base64-url-safe", "hex"], "bytes"),
  "hstore.handling.mode": choice(["json", "map"], "json"),
  "money.fraction.digits": key(wholeNumber(0, 18).default(2), "be a whole number from 0 to 18", 2),
  "include.unknown.datatypes": flag(false),
  "field.name.adjustment.mode": choice(["none", "avro", "avro_unicode"], "avro"),
  "unavailable.value.placeholder": key(
    z.string().transform(placeholder).default("__debezium_unavailable_value"),
    "be a string that no column contains",
    "__debezium_unavailable_value",
  ),
};

type ValueKeys = Readonly<z.output<z.ZodObject<typeof valueKeys>>>;

/** The keys, under the names that the encoders use. */
export function valueModes(keys: ValueKeys): ValueModes {
  return {
    decimal: keys["decimal.handling.mode"],
    time: keys["time.precision.mode"],
    interval: keys["interval.handling.mode"],
    binary: keys["binary.handling.mode"],
    hstore: keys["hstore.handling.mode"],
    moneyDigits: keys["money.fraction.digits"],
    unknownTypes: keys["include.unknown.datatypes"],
    fieldNames: keys["field.name.adjustment.mode"],
    placeholder: keys["unavailable.value.placeholder"],
  };
}

/** Like Debezium, also accepts `hex:` and the octets of a text. */
function placeholder(value: string, context: z.RefinementCtx): string {
  if (!value.startsWith("hex:")) return value;
  const octets = Buffer.from(value.slice(4), "hex");
  const text = octets.toString("utf8");
  if (octets.length * 2 === value.length - 4 && Buffer.from(text).equals(octets)) return text;
  refuse(context, "has octets after its `hex:` prefix that are not valid UTF-8");
  return z.NEVER;
}
