import { byteAt, writeBigLong, writeInt, writeLong, writeString } from "./bytes.ts";
import {
  DAY_MICROS,
  infinitySign,
  isoTimestamp,
  parseDate,
  parseTime,
  parseTimestamp,
  type Moment,
} from "./calendar.ts";
import { UNFIT, type Encode } from "./encode.ts";

/** What Debezium 3.7's stream makes of an infinite date: PostgreSQL's own number plus 10957, overflowed. */
const DATE_INFINITY = { "1": -2_147_472_692, "-1": -2_147_472_691 } as const;
/** pgjdbc's DATE_POSITIVE_INFINITY and DATE_NEGATIVE_INFINITY, taken for microseconds as Debezium's stream does. */
const MICROS_INFINITY = { "1": 9_223_372_036_825_200_000n, "-1": -9_223_372_036_832_400_000n } as const;
const LONG_MAX = 0x7fffffffffffffffn;
/** Up to here days and microseconds together are exact in a Number. */
const EXACT_DAYS = 104_000;

/** io.debezium.time.Date: days since 1970-01-01. */
export const encodeDate: Encode = (src, s, e, out, p) => {
  const days = parseDate(src, s, e);
  if (!Number.isNaN(days)) return writeInt(out, p, days);
  const sign = infinitySign(src, s, e);
  return sign === 0 ? UNFIT : writeInt(out, p, DATE_INFINITY[sign]);
};

/** io.debezium.time.Time (unit 1000: milliseconds) and MicroTime (unit 1). */
export function encodeTime(unit: 1 | 1000): Encode {
  return (src, s, e, out, p) => {
    const micros = parseTime(src, s, e);
    return Number.isNaN(micros) || micros % unit !== 0 ? UNFIT : writeLong(out, p, micros / unit);
  };
}

/** io.debezium.time.Timestamp (unit 1000: milliseconds) and MicroTimestamp (unit 1), as if the clock were UTC's. */
export function encodeTimestamp(unit: 1 | 1000): Encode {
  const moment: Moment = { days: 0, micros: 0, offset: 0 };
  return (src, s, e, out, p) => {
    if (!parseTimestamp(src, s, e, moment)) {
      const sign = infinitySign(src, s, e);
      return sign === 0 ? UNFIT : writeBigLong(out, p, MICROS_INFINITY[sign] / BigInt(unit));
    }
    if (moment.micros % unit !== 0) return UNFIT;
    if (moment.days < EXACT_DAYS && moment.days > -EXACT_DAYS) {
      return writeLong(out, p, (moment.days * DAY_MICROS + moment.micros) / unit);
    }
    const value = (BigInt(moment.days) * BigInt(DAY_MICROS) + BigInt(moment.micros)) / BigInt(unit);
    return value > LONG_MAX ? UNFIT : writeBigLong(out, p, value);
  };
}

/** io.debezium.time.ZonedTimestamp: ISO text in UTC with the column's `digits` of fraction; `infinity` as it is. */
export function encodeZonedTimestamp(digits: number): Encode {
  const size = 20 + (digits === 0 ? 0 : digits + 1);
  return (src, s, e, out, p) =>
    isUsual(src, s, e, digits)
      ? zonedFast(src, s, e, out, writeInt(out, p, size), size)
      : zonedSlow(src, s, e, out, p, digits);
}

/** `2016-11-04 13:51:30[.123]+00` with no more digits of fraction than the column has. */
function isUsual(src: Buffer, s: number, e: number, digits: number): boolean {
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

/** Any timestamptz text as Debezium writes it; undefined when it is none or has more digits of fraction. */
function zonedText(src: Buffer, s: number, e: number, digits: number): string | undefined {
  if (infinitySign(src, s, e) !== 0) return src.toString("latin1", s, e);
  const moment: Moment = { days: 0, micros: 0, offset: 0 };
  if (!parseTimestamp(src, s, e, moment)) return undefined;
  const micros = moment.micros - moment.offset * 1_000_000;
  const carry = Math.floor(micros / DAY_MICROS);
  return isoTimestamp(moment.days + carry, micros - carry * DAY_MICROS, digits);
}
