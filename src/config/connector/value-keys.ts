import { z } from "zod";

import type { ValueModes } from "../../event/types/modes.ts";
import { flag, key, refuse, wholeNumber } from "./key.ts";

const HANDLING = "be one of Debezium's values";

/** How values and names are written, by Debezium's names; ValueModes says what becomes of each. */
export const valueKeys = {
  "tombstones.on.delete": key(flag().default(true), "be true or false", true),
  "decimal.handling.mode": key(
    z.enum(["precise", "double", "string"]).default("precise"),
    `${HANDLING}: precise, double or string`,
    "precise",
  ),
  "time.precision.mode": key(
    z
      .enum(["adaptive", "adaptive_time_microseconds", "microseconds", "nanoseconds", "connect", "isostring"])
      .default("adaptive"),
    `${HANDLING}: adaptive, adaptive_time_microseconds, microseconds, nanoseconds, connect or isostring`,
    "adaptive",
  ),
  "interval.handling.mode": key(
    z.enum(["numeric", "string"]).default("numeric"),
    `${HANDLING}: numeric or string`,
    "numeric",
  ),
  "binary.handling.mode": key(
    z.enum(["bytes", "base64", "base64-url-safe", "hex"]).default("bytes"),
    `${HANDLING}: bytes, base64, base64-url-safe or hex`,
    "bytes",
  ),
  "hstore.handling.mode": key(z.enum(["json", "map"]).default("json"), `${HANDLING}: json or map`, "json"),
  "money.fraction.digits": key(wholeNumber(0, 18).default(2), "be a whole number from 0 to 18", 2),
  "include.unknown.datatypes": key(flag().default(false), "be true or false", false),
  "field.name.adjustment.mode": key(
    z.enum(["none", "avro", "avro_unicode"]).default("avro"),
    `${HANDLING}: none, avro or avro_unicode`,
    "avro",
  ),
  "unavailable.value.placeholder": key(
    z.string().transform(placeholder).default("__debezium_unavailable_value"),
    "be a text that no column holds",
    "__debezium_unavailable_value",
  ),
};

type ValueKeys = Readonly<z.output<z.ZodObject<typeof valueKeys>>>;

/** The keys by the names that the encoders have for them. */
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

/** `hex:` and octets is Debezium's other form; a text has to come of it. */
function placeholder(value: string, context: z.RefinementCtx): string {
  if (!value.startsWith("hex:")) return value;
  const octets = Buffer.from(value.slice(4), "hex");
  const text = octets.toString("utf8");
  if (octets.length * 2 === value.length - 4 && Buffer.from(text).equals(octets)) return text;
  refuse(context, "has octets after hex: that are no UTF-8");
  return z.NEVER;
}
