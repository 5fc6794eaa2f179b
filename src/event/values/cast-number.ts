import { ownValue } from "../../json.ts";
import type { ColumnType } from "../../table/column.ts";
import { asIs, type Casts, casts, type Rewrite } from "../types/entry.ts";
import { numericOf } from "../types/modifier.ts";
import { fitDecimal, shortestFloat } from "./number-text.ts";

/**
 * PostgreSQL's casts between numbers, applied to their texts. Where PostgreSQL would round, these casts return
 * undefined.
 */

/** Casts to an integer type; its range is checked when the value is written. */
export const integerCasts: Casts = casts({
  int2: asIs,
  int4: asIs,
  int8: asIs,
  oid: asIs,
  bool: (text) => (text === "t" ? "1" : "0"),
  text: (text) => /^\s*\+?(-?\d+)\s*$/.exec(text)?.[1],
  numeric: wholeOf,
  float4: (text) => wholeOf(plainDecimal(text)),
  float8: (text) => wholeOf(plainDecimal(text)),
});

function wholeOf(text: string | undefined): string | undefined {
  const whole = text === undefined ? undefined : /^(-?\d+)(?:\.0*)?$/.exec(text)?.[1];
  return whole === "-0" ? "0" : whole;
}

/** A number's text without exponent, spaces and `+`; undefined for anything else, including NaN and Infinity. */
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

/** The spellings that PostgreSQL accepts for values that are not finite. */
const NOT_FINITE: Readonly<Record<string, string>> = {
  nan: "NaN",
  inf: "Infinity",
  infinity: "Infinity",
  "+inf": "Infinity",
  "+infinity": "Infinity",
  "-inf": "-Infinity",
  "-infinity": "-Infinity",
};

/** Casts to a float. A value fits if the float's shortest text is the same number. */
export function floatCasts(to: "float4" | "float8"): Casts {
  const exact: Rewrite = (text) => {
    const special = ownValue(NOT_FINITE, text.trim().toLowerCase());
    const plain = special ?? plainDecimal(text);
    if (plain === undefined || special !== undefined) return plain;
    const shortest = String(to === "float4" ? shortestFloat(Math.fround(Number(plain))) : Number(plain));
    const back = plainDecimal(shortest);
    return back !== undefined && withoutTrailingZeros(back) === withoutTrailingZeros(plain) ? plain : undefined;
  };
  const numbers = { int2: exact, int4: exact, int8: exact, oid: exact, numeric: exact, text: exact };
  if (to === "float8") {
    return casts({ ...numbers, float4: (text) => (/n/i.test(text) ? text : String(Math.fround(Number(text)))) });
  }
  return casts({
    ...numbers,
    float8: (text) => (Math.fround(Number(text)) === Number(text) || /n/i.test(text) ? text : undefined),
  });
}

function withoutTrailingZeros(plain: string): string {
  const short = plain.includes(".") ? plain.replace(/\.?0+$/, "") : plain;
  return short === "-0" ? "0" : short;
}

/** Casts to numeric. PostgreSQL's casts from floats keep 6 and 15 digits (FLT_DIG, DBL_DIG). */
export const numericCasts: Casts = {
  int2: exactNumeric,
  int4: exactNumeric,
  int8: exactNumeric,
  oid: exactNumeric,
  numeric: exactNumeric,
  text: exactNumeric,
  float4: (to) => roundedNumeric(to, 6),
  float8: (to) => roundedNumeric(to, 15),
  money: (to) => (text) => fitTo(to, plainDecimal(text.replaceAll(/[$,]/g, ""))),
};

function exactNumeric(to: ColumnType): Rewrite {
  return roundedNumeric(to, Infinity);
}

/** Accepts a number of at most this many significant digits; a longer one would be rounded. */
function roundedNumeric(to: ColumnType, most: number): Rewrite {
  return (text) => {
    const special = ownValue(NOT_FINITE, text.trim().toLowerCase());
    if (special !== undefined) return special;
    const plain = plainDecimal(text);
    const digits = plain?.replaceAll(/[-.]/g, "").replace(/^0+/, "").replace(/0+$/, "") ?? "";
    return digits.length > most ? undefined : fitTo(to, plain);
  };
}

function fitTo(to: ColumnType, plain: string | undefined): string | undefined {
  const numeric = numericOf(to);
  if (plain === undefined || numeric === undefined) return plain;
  return fitDecimal(plain, numeric.precision, numeric.scale);
}
