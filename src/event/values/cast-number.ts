import type { ColumnType } from "../../table/column.ts";
import { shortestFloat } from "./decode.ts";
import { numericOf, type Kind } from "../types/kind.ts";
import { fitDecimal } from "./number.ts";

/** A value's text under another type; undefined: it does not fit. */
export type Rewrite = (text: string) => string | undefined;

/** PostgreSQL has no such cast, or it always loses something. */
export const never: Rewrite = () => undefined;

export const INTEGERS: ReadonlySet<Kind> = new Set<Kind>(["int2", "int4", "int8", "oid"]);

/** To an integer type; the field's own range is looked at when it is written. */
export const INTEGER_FROM: Readonly<Partial<Record<Kind, Rewrite>>> = {
  bool: (text) => (text === "t" ? "1" : "0"),
  text: (text) => /^\s*\+?(-?\d+)\s*$/.exec(text)?.[1],
  numeric: (text) => wholeOf(text),
  float4: (text) => wholeOf(plainDecimal(text)),
  float8: (text) => wholeOf(plainDecimal(text)),
};

function wholeOf(text: string | undefined): string | undefined {
  const whole = text === undefined ? undefined : /^(-?\d+)(?:\.0*)?$/.exec(text)?.[1];
  return whole === "-0" ? "0" : whole;
}

/** A number's text without exponent, blanks and `+`; undefined for anything else, NaN and Infinity too. */
function plainDecimal(text: string): string | undefined {
  const match = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,5}))?\s*$/i.exec(text);
  if (match === null) return undefined;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  if (whole + fraction === "") return undefined;
  const scale = fraction.length - Number(exponent);
  const digits = whole + fraction + "0".repeat(Math.max(0, -scale));
  const padded = digits.padStart(scale + 1, "0");
  const point = padded.length - Math.max(0, scale);
  const integer = padded.slice(0, point).replace(/^0+(?=\d)/, "");
  const rest = padded.slice(point);
  return `${sign === "-" ? "-" : ""}${integer}${rest === "" ? "" : `.${rest}`}`;
}

const NO_NUMBER: Readonly<Record<string, string>> = {
  nan: "NaN",
  inf: "Infinity",
  infinity: "Infinity",
  "+inf": "Infinity",
  "+infinity": "Infinity",
  "-inf": "-Infinity",
  "-infinity": "-Infinity",
};

/** Exact: the float's shortest text is the same number. */
export function floatRewrite(from: Kind, to: "float4" | "float8"): Rewrite {
  if (from === "float4") return (text) => (/n/i.test(text) ? text : String(Math.fround(Number(text))));
  if (from === "float8")
    return (text) => (Math.fround(Number(text)) === Number(text) || /n/i.test(text) ? text : undefined);
  if (!INTEGERS.has(from) && from !== "numeric" && from !== "text") return never;
  return (text) => {
    const special = NO_NUMBER[text.trim().toLowerCase()];
    const plain = special ?? plainDecimal(text);
    if (plain === undefined || special !== undefined) return plain;
    const shortest = String(to === "float4" ? shortestFloat(Math.fround(Number(plain))) : Number(plain));
    return sameNumber(plainDecimal(shortest), plain) ? plain : undefined;
  };
}

function sameNumber(a: string | undefined, b: string): boolean {
  return a !== undefined && trimmed(a) === trimmed(b);
}

function trimmed(plain: string): string {
  const short = plain.includes(".") ? plain.replace(/\.?0+$/, "") : plain;
  return short === "-0" ? "0" : short;
}

/** PostgreSQL's float4::numeric and float8::numeric keep so many digits (FLT_DIG, DBL_DIG). */
const FLOAT_DIGITS: Readonly<Partial<Record<Kind, number>>> = { float4: 6, float8: 15 };

export function numericRewrite(from: Kind, to: ColumnType): Rewrite {
  const isNumber =
    INTEGERS.has(from) || from === "numeric" || from === "text" || from === "float4" || from === "float8";
  if (from === "money") return (text) => fitTo(to, plainDecimal(text.replaceAll(/[$,]/g, "")));
  if (!isNumber) return never;
  return (text) => {
    const special = NO_NUMBER[text.trim().toLowerCase()];
    if (special !== undefined) return special;
    const plain = plainDecimal(text);
    const most = FLOAT_DIGITS[from];
    const digits = plain?.replaceAll(/[-.]/g, "").replace(/^0+/, "").replace(/0+$/, "") ?? "";
    return most !== undefined && digits.length > most ? undefined : fitTo(to, plain);
  };
}

function fitTo(to: ColumnType, plain: string | undefined): string | undefined {
  const numeric = numericOf(to);
  if (plain === undefined || numeric === undefined) return plain;
  return fitDecimal(plain, numeric.precision, numeric.scale);
}
