import { byteAt, writeBigLong, writeInt, writeLong, writeString } from "../../avro/bytes.ts";
import {
  DAY_MICROS,
  infinitySign,
  isoDate,
  isoTime,
  isoTimestamp,
  parseDate,
  parseTime,
  parseTimestamp,
  parseZonedTime,
  type Moment,
} from "./calendar.ts";
import { UNFIT, type Encode } from "../types/entry.ts";

/**
 * Encoders of dates and times in each form that Debezium publishes: numbers of days, milliseconds, microseconds or
 * nanoseconds, and ISO texts. They parse with calendar.ts.
 */

/** How Debezium 3.7 streams an infinite date: PostgreSQL's internal number plus 10957, with integer overflow. */
const DATE_INFINITY = { "1": -2_147_472_692, "-1": -2_147_472_691 } as const;
/** pgjdbc's DATE_POSITIVE_INFINITY and DATE_NEGATIVE_INFINITY, which Debezium streams as microseconds. */
const MICROS_INFINITY = { "1": 9_223_372_036_825_200_000n, "-1": -9_223_372_036_832_400_000n } as const;
const LONG_MAX = 0x7fffffffffffffffn;
/** Up to this many days, microseconds since 1970 are exact in a Number. */
const EXACT_DAYS = 104_000;

/** io.debezium.time.Date: days since 1970-01-01. */
export const encodeDate: Encode = (src, s, e, out, p) => {
  const days = parseDate(src, s, e);
  if (!Number.isNaN(days)) return writeInt(out, p, days);
  const sign = infinitySign(src, s, e);
  return sign === 0 ? UNFIT : writeInt(out, p, DATE_INFINITY[sign]);
};

/** io.debezium.time.IsoDate; an infinite date becomes the day that Debezium streams. */
export const encodeIsoDate: Encode = (src, s, e, out, p) => {
  const days = parseDate(src, s, e);
  const sign = infinitySign(src, s, e);
  if (Number.isNaN(days) && sign === 0) return UNFIT;
  return writeString(out, p, `${isoDate(sign === 0 ? days : DATE_INFINITY[sign])}Z`);
};

/**
 * What happens to digits below milliseconds: the value is refused, or the digits are dropped, as under
 * time.precision.mode=connect.
 */
type Below = "refuse" | "drop";

/** io.debezium.time.Time and Connect's own Time (both unit 1000: milliseconds), and io.debezium.time.MicroTime (unit 1). */
export function encodeTime(unit: 1 | 1000, below: Below = "refuse"): Encode {
  return (src, s, e, out, p) => {
    const micros = parseTime(src, s, e);
    if (Number.isNaN(micros) || (below === "refuse" && micros % unit !== 0)) return UNFIT;
    return writeLong(out, p, Math.floor(micros / unit));
  };
}

/** io.debezium.time.NanoTime. */
export const encodeNanoTime: Encode = (src, s, e, out, p) => {
  const micros = parseTime(src, s, e);
  return Number.isNaN(micros) ? UNFIT : writeLong(out, p, micros * 1000);
};

/**
 * io.debezium.time.IsoTime. 24:00:00 becomes 00:00:00, because java.time.LocalTime cannot represent the end of the day.
 */
export const encodeIsoTime: Encode = (src, s, e, out, p) => {
  const micros = parseTime(src, s, e);
  return Number.isNaN(micros) ? UNFIT : writeString(out, p, `${isoTime(micros % DAY_MICROS)}Z`);
};

/** io.debezium.time.ZonedTime, in UTC. */
export const encodeZonedTime: Encode = (src, s, e, out, p) => {
  const micros = parseZonedTime(src, s, e);
  return Number.isNaN(micros) ? UNFIT : writeString(out, p, `${isoTime(micros)}Z`);
};

/**
 * io.debezium.time.Timestamp and Connect's own Timestamp (unit 1000: milliseconds), and MicroTimestamp (unit 1). The
 * text is read as UTC.
 */
export function encodeTimestamp(unit: 1 | 1000, below: Below = "refuse"): Encode {
  const moment: Moment = { days: 0, micros: 0, offset: 0 };
  return (src, s, e, out, p) => {
    if (!parseTimestamp(src, s, e, moment)) {
      const sign = infinitySign(src, s, e);
      return sign === 0 ? UNFIT : writeBigLong(out, p, MICROS_INFINITY[sign] / BigInt(unit));
    }
    const rest = moment.micros % unit;
    if (rest !== 0 && below === "refuse") return UNFIT;
    const micros = moment.micros - rest;
    if (moment.days < EXACT_DAYS && moment.days > -EXACT_DAYS) {
      return writeLong(out, p, (moment.days * DAY_MICROS + micros) / unit);
    }
    const value = (BigInt(moment.days) * BigInt(DAY_MICROS) + BigInt(micros)) / BigInt(unit);
    return value > LONG_MAX ? UNFIT : writeBigLong(out, p, value);
  };
}

/** io.debezium.time.NanoTimestamp, from 1677 to 2262; infinity becomes the largest or smallest long. */
export function encodeNanoTimestamp(): Encode {
  const moment: Moment = { days: 0, micros: 0, offset: 0 };
  return (src, s, e, out, p) => {
    if (!parseTimestamp(src, s, e, moment)) {
      const sign = infinitySign(src, s, e);
      return sign === 0 ? UNFIT : writeBigLong(out, p, sign === 1 ? LONG_MAX : -LONG_MAX - 1n);
    }
    const value = (BigInt(moment.days) * BigInt(DAY_MICROS) + BigInt(moment.micros)) * 1000n;
    return value > LONG_MAX || value < -LONG_MAX - 1n ? UNFIT : writeBigLong(out, p, value);
  };
}

/** io.debezium.time.IsoTimestamp; infinity becomes the moment that pgjdbc's constants stand for. */
export function encodeIsoTimestamp(): Encode {
  const moment: Moment = { days: 0, micros: 0, offset: 0 };
  return (src, s, e, out, p) => {
    if (parseTimestamp(src, s, e, moment)) return writeString(out, p, isoText(moment.days, moment.micros));
    const sign = infinitySign(src, s, e);
    if (sign === 0) return UNFIT;
    const day = BigInt(DAY_MICROS);
    const micros = ((MICROS_INFINITY[sign] % day) + day) % day;
    return writeString(out, p, isoText(Number((MICROS_INFINITY[sign] - micros) / day), Number(micros)));
  };
}

function isoText(days: number, micros: number): string {
  return `${isoDate(days)}T${isoTime(micros)}Z`;
}

/**
 * io.debezium.time.ZonedTimestamp: ISO text in UTC with `digits` fractional digits, as the column has; `infinity` is
 * unchanged.
 */
export function encodeZonedTimestamp(digits: number): Encode {
  const size = 20 + (digits === 0 ? 0 : digits + 1);
  return (src, s, e, out, p) =>
    isCommonForm(src, s, e, digits)
      ? zonedFast(src, s, e, out, writeInt(out, p, size), size)
      : zonedSlow(src, s, e, out, p, digits);
}

/**
 * True if the text looks like `2016-11-04 13:51:30[.123]+00`, with at most as many fractional digits as the column has.
 */
function isCommonForm(src: Buffer, s: number, e: number, digits: number): boolean {
  const clock = e - 3 - s;
  return (
    clock >= 19 &&
    (clock === 19 || clock <= 20 + digits) &&
    byteAt(src, s + 4) === 45 &&
    byteAt(src, s + 10) === 32 &&
    byteAt(src, e - 3) === 43 &&
    byteAt(src, e - 2) === 48 &&
    byteAt(src, e - 1) === 48
  );
}

function zonedFast(src: Buffer, s: number, e: number, out: Buffer, p: number, size: number): number {
  const end = p + size - 1;
  const start = p;
  for (let i = s; i < e - 3; i++) out[p++] = byteAt(src, i);
  if (p < end && p === start + 19) out[p++] = 46;
  while (p < end) out[p++] = 48;
  out[p] = 90;
  out[start + 10] = 84;
  return p + 1;
}

function zonedSlow(src: Buffer, s: number, e: number, out: Buffer, p: number, digits: number): number {
  const iso = zonedText(src, s, e, digits);
  return iso === undefined ? UNFIT : writeString(out, p, iso);
}

/** Any timestamptz text as Debezium writes it; undefined if it is not one, or if it has too many fractional digits. */
function zonedText(src: Buffer, s: number, e: number, digits: number): string | undefined {
  if (infinitySign(src, s, e) !== 0) return src.toString("latin1", s, e);
  const moment: Moment = { days: 0, micros: 0, offset: 0 };
  if (!parseTimestamp(src, s, e, moment)) return undefined;
  const micros = moment.micros - moment.offset * 1_000_000;
  const carry = Math.floor(micros / DAY_MICROS);
  return isoTimestamp(moment.days + carry, micros - carry * DAY_MICROS, digits);
}
