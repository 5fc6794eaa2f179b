import {
  byteAt,
  copyBytes,
  writeBigLong,
  writeBigUnscaled,
  writeInt,
  writeLong,
  writeString,
  writeUnscaled,
} from "./bytes.ts";
import { UNFIT, type Encode } from "./encode.ts";

const MINUS = 45;
const DOT = 46;
/** So many decimal digits are always exact in a Number. */
const EXACT_DIGITS = 15;

/** Integers of at most EXACT_DIGITS digits; NaN for anything else. */
function parseInteger(src: Buffer, s: number, e: number): number {
  const negative = byteAt(src, s) === MINUS;
  const from = negative ? s + 1 : s;
  if (from >= e || e - from > EXACT_DIGITS) return Number.NaN;
  let value = 0;
  for (let i = from; i < e; i++) {
    const digit = byteAt(src, i) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** An integer text of any length, also `5.00` of a column that became numeric; undefined for anything else. */
function parseBigInteger(src: Buffer, s: number, e: number): bigint | undefined {
  const match = /^(-?\d+)(?:\.0+)?$/.exec(src.toString("latin1", s, e));
  return match?.[1] === undefined ? undefined : BigInt(match[1]);
}

function encodeInteger(min: bigint, max: bigint): Encode {
  const low = Number(min);
  const high = Number(max);
  return (src, s, e, out, p) => {
    const value = parseInteger(src, s, e);
    if (value >= low && value <= high) return writeLong(out, p, value);
    const big = parseBigInteger(src, s, e);
    return big !== undefined && big >= min && big <= max ? writeBigLong(out, p, big) : UNFIT;
  };
}

export const encodeInt16: Encode = encodeInteger(-0x8000n, 0x7fffn);
export const encodeInt32: Encode = encodeInteger(-0x80000000n, 0x7fffffffn);
export const encodeInt64: Encode = encodeInteger(-0x8000000000000000n, 0x7fffffffffffffffn);

/** A number as PostgreSQL prints floats: `-1.5e-07`, `NaN`, `Infinity`; undefined for anything else. */
function parseFloatText(src: Buffer, s: number, e: number): number | undefined {
  const text = src.toString("latin1", s, e);
  const value = Number(text);
  if (Number.isFinite(value)) return isPlain(src, s, e) ? value : undefined;
  return value === Infinity || value === -Infinity || text === "NaN" ? value : undefined;
}

/** Only what Number also reads: digits, point, sign and `e`; not a blank or hexadecimal text. */
function isPlain(src: Buffer, s: number, e: number): boolean {
  for (let i = s; i < e; i++) {
    const c = byteAt(src, i);
    if ((c < 48 || c > 57) && c !== DOT && c !== MINUS && c !== 43 && c !== 101) return false;
  }
  return e > s;
}

/** NaN has Java's canonical bits. */
export const encodeFloat32: Encode = (src, s, e, out, p) => {
  const value = parseFloatText(src, s, e);
  if (value === undefined) return UNFIT;
  const float = Math.fround(value);
  if (!Number.isFinite(float) && Number.isFinite(value)) return UNFIT;
  return Number.isNaN(float) ? out.writeUInt32LE(0x7fc00000, p) : out.writeFloatLE(float, p);
};

export const encodeFloat64: Encode = (src, s, e, out, p) => {
  const value = parseFloatText(src, s, e);
  if (value === undefined) return UNFIT;
  if (Number.isNaN(value)) return out.writeUInt32LE(0x7ff80000, out.writeUInt32LE(0, p));
  return out.writeDoubleLE(value, p);
};

/**
 * Digits of a numeric text as one integer at `scale`, which may be negative; undefined when digits would be lost or
 * it is NaN or infinite.
 */
function unscaled(text: string, scale: number): bigint | undefined {
  const match = /^(-?\d+)(?:\.(\d*))?$/.exec(text);
  if (match?.[1] === undefined) return undefined;
  const fraction = (match[2] ?? "").replace(/0+$/, "");
  if (fraction.length > Math.max(scale, 0)) return undefined;
  const value = BigInt(`${match[1]}${fraction.padEnd(Math.max(scale, 0), "0")}`);
  const unit = 10n ** BigInt(Math.max(-scale, 0));
  return value % unit === 0n ? value / unit : undefined;
}

/**
 * Connect's Decimal: the unscaled integer. A text with fewer digits of fraction is padded, one with more fits while
 * they are zeros; more digits than `precision`, NaN and Infinity do not fit (Debezium's task stops there too).
 */
export function encodeDecimal(scale: number, precision: number): Encode {
  const bound = 10n ** BigInt(precision);
  const limit = precision > EXACT_DIGITS ? Infinity : 10 ** precision;
  return (src, s, e, out, p) => {
    const value = e - s <= EXACT_DIGITS && scale >= 0 ? unscaledFast(src, s, e, scale) : Number.NaN;
    if (value < limit && value > -limit) return writeUnscaled(out, p, value);
    const big = unscaled(src.toString("latin1", s, e), scale);
    return big !== undefined && big < bound && big > -bound ? writeBigUnscaled(out, p, big) : UNFIT;
  };
}

/** The usual text, with exactly `scale` digits of fraction; NaN for anything else. */
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

/** Debezium's VariableScaleDecimal: scale and unscaled value without trailing zeros of the fraction. */
export const encodeVariableScale: Encode = (src, s, e, out, p) => {
  const text = src.toString("latin1", s, e);
  const dot = text.indexOf(".");
  const scale = dot < 0 ? 0 : text.replace(/0+$/, "").length - dot - 1;
  const value = unscaled(text, scale);
  return value === undefined ? UNFIT : writeBigUnscaled(out, writeInt(out, p, scale), value);
};

/** decimal.handling.mode=string: the plain text, and SpecialValueDecimal's names of what is no number. */
export const encodeDecimalText: Encode = (src, s, e, out, p) => {
  const last = byteAt(src, e - 1);
  if (last >= 48 && last <= 57) return copyBytes(src, s, e, out, writeInt(out, p, e - s));
  const name = SPECIAL[src.toString("latin1", s, e)];
  return name === undefined ? UNFIT : writeString(out, p, name);
};

const SPECIAL: Readonly<Record<string, string>> = {
  NaN: "NAN",
  Infinity: "POSITIVE_INFINITY",
  "-Infinity": "NEGATIVE_INFINITY",
};

/** A plain decimal as integer and scale. */
interface Amount {
  readonly value: bigint;
  readonly scale: number;
}

/**
 * A money text of any lc_monetary: `-$1,234.11`, `(1.234,11 €)`, `¥1,234`. The last mark is the decimal point, but
 * one before exactly three digits only after a lone 0 or another kind of mark: else it parts thousands. (Currencies
 * with three digits of fraction and less than a thousand units look the same, and are read as thousands.)
 */
function moneyOf(text: string): Amount | undefined {
  const digits = text.replaceAll(/[^0-9.,]/g, "").replace(/^[.,]+/, "");
  if (!/\d/.test(digits)) return undefined;
  const [, whole = "", mark = "", fraction = ""] = /^(.*)([.,])(\d*)$/.exec(digits) ?? [];
  const isPoint = mark !== "" && (fraction.length !== 3 || whole === "0" || /[.,]/.test(whole.replaceAll(mark, "")));
  const value = BigInt(digits.replaceAll(/[.,]/g, ""));
  return { value: /^[^0-9]*[-(]|-$/.test(text) ? -value : value, scale: isPoint ? fraction.length : 0 };
}

/** Half away from zero (RoundingMode.HALF_UP). */
function rescale({ value, scale }: Amount, to: number): bigint {
  if (to >= scale) return value * 10n ** BigInt(to - scale);
  const unit = 10n ** BigInt(scale - to);
  const half = value < 0n ? -(unit / 2n) : unit / 2n;
  return (value + half) / unit;
}

/** money as Connect's Decimal with money.fraction.digits. */
export function encodeMoney(scale: number): Encode {
  return (src, s, e, out, p) => {
    const amount = moneyOf(src.toString("utf8", s, e));
    return amount === undefined ? UNFIT : writeBigUnscaled(out, p, rescale(amount, scale));
  };
}

/** money under decimal.handling.mode=string: with the digits PostgreSQL prints. */
export const encodeMoneyText: Encode = (src, s, e, out, p) => {
  const amount = moneyOf(src.toString("utf8", s, e));
  return amount === undefined ? UNFIT : writeString(out, p, decimalText(amount.value, amount.scale));
};

/** money under decimal.handling.mode=double. */
export const encodeMoneyDouble: Encode = (src, s, e, out, p) => {
  const amount = moneyOf(src.toString("utf8", s, e));
  return amount === undefined ? UNFIT : out.writeDoubleLE(Number(decimalText(amount.value, amount.scale)), p);
};

/** `-12.30` of -1230 at scale 2; a negative scale is zeros at the end. */
export function decimalText(value: bigint, scale: number): string {
  if (scale <= 0) return String(value * 10n ** BigInt(-scale));
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, "0");
  const point = digits.length - scale;
  return `${value < 0n ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** A numeric text with exactly the digits of numeric(p,s); undefined when it loses digits or has too many. */
export function fitDecimal(text: string, precision: number, scale: number): string | undefined {
  const value = unscaled(text, scale);
  if (value === undefined || value >= 10n ** BigInt(precision) || value <= -(10n ** BigInt(precision)))
    return undefined;
  return decimalText(value, scale);
}
