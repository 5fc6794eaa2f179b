import { ownValue } from "../../json.ts";
import type { AvroMembers } from "../../avro/value.ts";
import type { ColumnType } from "../../table/column.ts";
import type { AvroType } from "../types/avro-type.ts";
import {
  asIs,
  casts,
  type Defaults,
  type Encode,
  type Form,
  NO_PLACEHOLDER,
  ORDINARY,
  TEXT_PLACEHOLDER,
  TEXT_ROOM,
  type TypeEntry,
  UNFIT,
  fixed,
  type Samples,
} from "../types/entry.ts";
import type { ValueModes } from "../types/modes.ts";
import { numericOf } from "../types/modifier.ts";
import {
  byteAt,
  copyBytes,
  unscaledBytes,
  writeBigUnscaled,
  writeInt,
  writeString,
  writeUnscaled,
} from "../../avro/bytes.ts";
import { numericCasts } from "./cast-number.ts";
import { decimalText, fitDecimal, unscaled } from "./number-text.ts";
import { encodeFloat64 } from "./number.ts";

/** numeric and money under each decimal.handling.mode. */

const MINUS = 45;
const DOT = 46;
/** Every integer with at most this many decimal digits is exact in a Number. */
const EXACT_DIGITS = 15;

/**
 * Connect's Decimal: the unscaled integer. Missing fractional digits are padded with zeros; excess digits must be
 * zeros. A number with more digits than `precision`, NaN and Infinity do not fit (Debezium's task stops at such values,
 * too).
 */
function encodeDecimal(scale: number, precision: number): Encode {
  const bound = 10n ** BigInt(precision);
  const limit = precision > EXACT_DIGITS ? Infinity : 10 ** precision;
  return (src, s, e, out, p) => {
    const value = e - s <= EXACT_DIGITS && scale >= 0 ? unscaledFast(src, s, e, scale) : Number.NaN;
    if (value < limit && value > -limit) return writeUnscaled(out, p, value);
    const big = unscaled(src.toString("latin1", s, e), scale);
    return big !== undefined && big < bound && big > -bound ? writeBigUnscaled(out, p, big) : UNFIT;
  };
}

/**
 * The unscaled value of a text with exactly `scale` fractional digits, which is the common case; NaN for any other
 * text.
 */
function unscaledFast(src: Buffer, s: number, e: number, scale: number): number {
  const dot = scale === 0 ? -1 : e - 1 - scale;
  if (dot >= 0 && (dot <= s || byteAt(src, dot) !== DOT)) return Number.NaN;
  const negative = byteAt(src, s) === MINUS;
  let value = 0;
  for (let i = negative ? s + 1 : s; i < e; i++) {
    if (i === dot) continue;
    const digit = byteAt(src, i) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** Debezium's VariableScaleDecimal: scale and unscaled value, without trailing fractional zeros. */
const encodeVariableScale: Encode = (src, s, e, out, p) => {
  const text = src.toString("latin1", s, e);
  const dot = text.indexOf(".");
  const scale = dot < 0 ? 0 : text.replace(/0+$/, "").length - dot - 1;
  const value = unscaled(text, scale);
  return value === undefined ? UNFIT : writeBigUnscaled(out, writeInt(out, p, scale), value);
};

/** decimal.handling.mode=string: the plain text. NaN and infinities get SpecialValueDecimal's names. */
const encodeDecimalText: Encode = (src, s, e, out, p) => {
  const last = byteAt(src, e - 1);
  if (last >= 48 && last <= 57) return copyBytes(src, s, e, out, writeInt(out, p, e - s));
  const name = ownValue(SPECIAL, src.toString("latin1", s, e));
  return name === undefined ? UNFIT : writeString(out, p, name);
};

const SPECIAL: Readonly<Record<string, string>> = {
  NaN: "NAN",
  Infinity: "POSITIVE_INFINITY",
  "-Infinity": "NEGATIVE_INFINITY",
};

/** A decimal number as an unscaled integer and its scale. */
interface Amount {
  readonly value: bigint;
  readonly scale: number;
}

/**
 * Reads a money text under any lc_monetary: `-$1,234.11`, `(1.234,11 €)`, `¥1,234`. The last point or comma is the
 * decimal point. If exactly three digits follow it, it separates thousands instead, unless it follows a lone 0 or the
 * other mark occurs before it. A currency with three fractional digits looks the same below a thousand units, so such
 * an amount is misread.
 */
function moneyOf(text: string): Amount | undefined {
  const digits = text.replaceAll(/[^0-9.,]/g, "").replace(/^[.,]+/, "");
  if (!/\d/.test(digits)) return undefined;
  const [, whole = "", mark = "", fraction = ""] = /^(.*)([.,])(\d*)$/.exec(digits) ?? [];
  const isPoint = mark !== "" && (fraction.length !== 3 || whole === "0" || /[.,]/.test(whole.replaceAll(mark, "")));
  const value = BigInt(digits.replaceAll(/[.,]/g, ""));
  return { value: /^[^0-9]*[-(]|-$/.test(text) ? -value : value, scale: isPoint ? fraction.length : 0 };
}

/** Rounds half away from zero (RoundingMode.HALF_UP). */
function rescale({ value, scale }: Amount, to: number): bigint {
  if (to >= scale) return value * 10n ** BigInt(to - scale);
  const unit = 10n ** BigInt(scale - to);
  const half = value < 0n ? -(unit / 2n) : unit / 2n;
  return (value + half) / unit;
}

/** money as Connect's Decimal; `scale` is money.fraction.digits. */
function encodeMoney(scale: number): Encode {
  return (src, s, e, out, p) => {
    const amount = moneyOf(src.toString("utf8", s, e));
    return amount === undefined ? UNFIT : writeBigUnscaled(out, p, rescale(amount, scale));
  };
}

/** money under decimal.handling.mode=string, with the digits that PostgreSQL prints. */
const encodeMoneyText: Encode = (src, s, e, out, p) => {
  const amount = moneyOf(src.toString("utf8", s, e));
  return amount === undefined ? UNFIT : writeString(out, p, decimalText(amount.value, amount.scale));
};

/** money under decimal.handling.mode=double. */
const encodeMoneyDouble: Encode = (src, s, e, out, p) => {
  const amount = moneyOf(src.toString("utf8", s, e));
  return amount === undefined ? UNFIT : out.writeDoubleLE(Number(decimalText(amount.value, amount.scale)), p);
};

const DECIMAL_NAME = "org.apache.kafka.connect.data.Decimal";
const VARIABLE_SCALE_NAME = "io.debezium.data.VariableScaleDecimal";

const VARIABLE_SCALE_TYPE: AvroType = {
  type: "record",
  name: "VariableScaleDecimal",
  namespace: "io.debezium.data",
  fields: [
    { name: "scale", type: "int" },
    { name: "value", type: "bytes" },
  ],
  "connect.doc": "Variable scaled decimal",
  "connect.version": 1,
  "connect.name": VARIABLE_SCALE_NAME,
};

/** The precision that AvroData gives a Decimal that has none. */
const MONEY_PRECISION = 64;

function decimalType(scale: number, precision?: number): AvroType {
  return {
    type: "bytes",
    scale,
    precision: precision ?? MONEY_PRECISION,
    "connect.version": 1,
    "connect.parameters": {
      scale: String(scale),
      ...(precision !== undefined && { "connect.decimal.precision": String(precision) }),
    },
    "connect.name": DECIMAL_NAME,
    logicalType: "decimal",
  };
}

function numericType(type: ColumnType, { decimal }: ValueModes): AvroType {
  if (decimal !== "precise") return decimal;
  const numeric = numericOf(type);
  return numeric === undefined ? VARIABLE_SCALE_TYPE : decimalType(numeric.scale, numeric.precision);
}

/** A form that is written with the scale and precision of the field's Avro type. */
function decimalForm(encode: (scale: number, precision: number) => Encode): Form {
  return {
    encode: (avro) => {
      if (typeof avro === "string") return undefined;
      const { scale, precision } = avro;
      return typeof scale === "number" && typeof precision === "number" ? encode(scale, precision) : undefined;
    },
    unchanged: NO_PLACEHOLDER,
    room: TEXT_ROOM,
    samples: "by-avro-type",
  };
}

function looseForms(text: Encode, double: Encode): { readonly string: Form; readonly double: Form } {
  return {
    string: { encode: () => text, unchanged: TEXT_PLACEHOLDER, room: TEXT_ROOM, samples: decimalTexts },
    double: { encode: () => double, unchanged: NO_PLACEHOLDER, room: TEXT_ROOM, samples: "by-avro-type" },
  };
}

/** Samples such as `12.25`, with as many fractional digits as `numeric(p,s)` and `money` print. */
function decimalTexts({ columnType }: { readonly columnType: string }): Samples {
  const scale = Number(/^numeric\(\d+(?:,(\d+))?\)$/.exec(columnType)?.[1] ?? 2);
  const withFraction = (text: string) => (scale === 0 ? text : `${text}.${"25".padEnd(scale, "0").slice(0, scale)}`);
  return fixed(withFraction("12"), scale === 0 ? "0" : `0.${"0".repeat(scale)}`, withFraction("-12"));
}

function variableScale(scale: number, value: bigint): AvroMembers {
  return { scale, value: unscaledBytes(value) };
}

/**
 * Pads a default to the scale of numeric(p,s): a row's text has all these digits, but a default's expression may have
 * fewer.
 */
function withColumnScale(text: string, type: ColumnType): string | undefined {
  const numeric = numericOf(type);
  return numeric === undefined ? text : fitDecimal(text, numeric.precision, numeric.scale);
}

const NUMERIC_DEFAULTS: Defaults = {
  onCall: "0.0",
  literal: withColumnScale,
  bare: (text, type) => withColumnScale(text.trim(), type),
};

export const NUMERIC: TypeEntry = {
  ...ORDINARY,
  avro: numericType,
  forms: {
    [DECIMAL_NAME]: decimalForm(encodeDecimal),
    [VARIABLE_SCALE_NAME]: {
      encode: () => encodeVariableScale,
      unchanged: NO_PLACEHOLDER,
      room: { factor: 8, extra: 192 },
      samples: fixed(
        variableScale(2, 1234n),
        variableScale(0, 0n),
        variableScale(2, -1234n),
        variableScale(20, 10n ** 30n),
        variableScale(0, 10n ** 40n),
      ),
    },
    ...looseForms(encodeDecimalText, encodeFloat64),
  },
  adopts: { [VARIABLE_SCALE_NAME]: -1 },
  defaults: NUMERIC_DEFAULTS,
  fallback: (type) => decimalText(0n, numericOf(type)?.scale ?? 0),
  castFrom: numericCasts,
};

export const MONEY: TypeEntry = {
  ...ORDINARY,
  avro: (_, modes) => (modes.decimal === "precise" ? decimalType(modes.moneyDigits) : modes.decimal),
  inArrays: "left-out",
  forms: {
    [DECIMAL_NAME]: decimalForm(encodeMoney),
    ...looseForms(encodeMoneyText, encodeMoneyDouble),
  },
  adopts: {},
  defaults: "none",
  fallback: (_, modes) => decimalText(0n, modes.moneyDigits),
  // Assumes two fractional digits, whatever lc_monetary is set to.
  castFrom: casts({ int2: asIs, int4: asIs, int8: asIs, numeric: (text) => fitDecimal(text, 19, 2) }),
};
