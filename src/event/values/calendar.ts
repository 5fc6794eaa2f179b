import { byteAt } from "../../avro/bytes.ts";

/**
 * Converts PostgreSQL's ISO date and time texts (DateStyle=ISO) to numbers and back to ISO texts, on the proleptic
 * Gregorian calendar, as Java's LocalDate does: `2016-11-04`, `20160-11-04 BC`, `13:51:30.123`, `24:00:00`, `2016-11-04
 * 13:51:30.123+02:30 BC`.
 */

export interface Moment {
  /** Days since 1970-01-01. */
  days: number;
  /** Microseconds of the day, 0 to 86,400,000,000. */
  micros: number;
  /** Seconds east of UTC; 0 if the text has no offset. */
  offset: number;
}

export const DAY_MICROS = 86_400_000_000;

const DASH = 45;
const COLON = 58;
const DOT = 46;
const SPACE = 32;
const PLUS = 43;
const C = 67;

/** Days since 1970-01-01. `year` is astronomical: 0 is 1 BC. */
export function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

/** The inverse of daysOf. */
export function civilOf(days: number): { readonly year: number; readonly month: number; readonly day: number } {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const doe = z - era * 146_097;
  const yoe = Math.floor((doe - Math.floor(doe / 1460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365);
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  return { year: yoe + era * 400 + (month <= 2 ? 1 : 0), month, day: doy - Math.floor((153 * mp + 2) / 5) + 1 };
}

/** The two-digit number at `at`, or NaN. */
function two(src: Uint8Array, at: number): number {
  const tens = byteAt(src, at) - 48;
  const ones = byteAt(src, at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function number(src: Uint8Array, s: number, e: number): number {
  let value = e > s ? 0 : Number.NaN;
  for (let i = s; i < e; i++) {
    const digit = byteAt(src, i) - 48;
    value = digit >= 0 && digit <= 9 ? value * 10 + digit : Number.NaN;
  }
  return value;
}

/** True if the text ends with ` BC` (three bytes). */
function isBc(src: Uint8Array, s: number, e: number): boolean {
  return e - s > 3 && byteAt(src, e - 1) === C;
}

/** The day number of the date that ends at `e`, or NaN. */
function dateBetween(src: Uint8Array, s: number, e: number, bc: boolean): number {
  if (e - s < 10 || byteAt(src, e - 3) !== DASH || byteAt(src, e - 6) !== DASH) return Number.NaN;
  const year = e - s === 10 ? two(src, s) * 100 + two(src, s + 2) : number(src, s, e - 6);
  return daysOf(bc ? 1 - year : year, two(src, e - 5), two(src, e - 2));
}

/** Days since 1970-01-01; NaN if the text is not a date, or is infinite. */
export function parseDate(src: Uint8Array, s: number, e: number): number {
  const bc = isBc(src, s, e);
  return dateBetween(src, s, bc ? e - 3 : e, bc);
}

/** Microseconds of the day, or NaN. */
export function parseTime(src: Uint8Array, s: number, e: number): number {
  if (e - s < 8 || byteAt(src, s + 2) !== COLON || byteAt(src, s + 5) !== COLON) return Number.NaN;
  const seconds = two(src, s) * 3600 + two(src, s + 3) * 60 + two(src, s + 6);
  if (e - s === 8) return seconds * 1_000_000;
  if (byteAt(src, s + 8) !== DOT || e - s > 15) return Number.NaN;
  return seconds * 1_000_000 + number(src, s + 9, e) * 10 ** (15 - (e - s));
}

/** Fills `into`; returns false if the text is not a timestamp, or is infinite. */
export function parseTimestamp(src: Uint8Array, s: number, e: number, into: Moment): boolean {
  const bc = isBc(src, s, e);
  const end = bc ? e - 3 : e;
  let space = s + 10;
  while (space < end && byteAt(src, space) !== SPACE) space++;
  let zone = space + 9;
  while (zone < end && byteAt(src, zone) !== PLUS && byteAt(src, zone) !== DASH) zone++;
  into.days = dateBetween(src, s, space, bc);
  into.micros = parseTime(src, space + 1, Math.min(zone, end));
  into.offset = zone < end ? parseOffset(src, zone, end) : 0;
  return !Number.isNaN(into.days + into.micros + into.offset);
}

/**
 * A time with its offset (`13:51:30.123+02`) as microseconds of the day in UTC, or NaN. A UTC time of 24:00:00 remains
 * the end of the day.
 */
export function parseZonedTime(src: Uint8Array, s: number, e: number): number {
  let zone = s + 8;
  while (zone < e && byteAt(src, zone) !== PLUS && byteAt(src, zone) !== DASH) zone++;
  const offset = zone < e ? parseOffset(src, zone, e) : Number.NaN;
  const micros = parseTime(src, s, zone);
  if (offset === 0) return micros;
  const utc = (micros - offset * 1_000_000) % DAY_MICROS;
  return utc < 0 ? utc + DAY_MICROS : utc;
}

/** The offset `+02`, `-03:30` or `+00:19:32` in seconds, or NaN. */
function parseOffset(src: Uint8Array, s: number, e: number): number {
  let seconds = 0;
  let unit = 3600;
  for (let i = s + 1; i < e; i += 3) {
    seconds += two(src, i) * unit;
    unit /= 60;
  }
  return byteAt(src, s) === DASH ? -seconds : seconds;
}

/** Returns 1 for `infinity`, -1 for `-infinity`, and 0 for anything else. */
export function infinitySign(src: Uint8Array, s: number, e: number): -1 | 0 | 1 {
  if (e - s === 8 && byteAt(src, s) === 105) return 1;
  return e - s === 9 && byteAt(src, s) === DASH && byteAt(src, s + 1) === 105 ? -1 : 0;
}

/**
 * For example `+21016-11-04T06:51:30.123456Z`: Java's ISO_LOCAL_DATE (a sign if the year has more than four digits,
 * astronomical years) and a time with `digits` fractional digits. Undefined if the microseconds need more digits.
 */
export function isoTimestamp(days: number, micros: number, digits: number): string | undefined {
  const unit = 10 ** (6 - digits);
  if (micros % unit !== 0) return undefined;
  const fraction = digits === 0 ? "" : `.${pad((micros % 1_000_000) / unit, digits)}`;
  return `${isoDate(days)}T${clock(micros)}${fraction}Z`;
}

/** Java's ISO_LOCAL_DATE. */
export function isoDate(days: number): string {
  const { year, month, day } = civilOf(days);
  const sign = year < 0 ? "-" : year > 9999 ? "+" : "";
  return `${sign}${pad(Math.abs(year), 4)}-${pad(month, 2)}-${pad(day, 2)}`;
}

/** Java's ISO_LOCAL_TIME: the fraction has no trailing zeros. */
export function isoTime(micros: number): string {
  const fraction = micros % 1_000_000;
  return fraction === 0 ? clock(micros) : `${clock(micros)}.${pad(fraction, 6).replace(/0+$/, "")}`;
}

function clock(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  return `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
