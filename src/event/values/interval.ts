import { writeBigLong, writeString } from "../../avro/bytes.ts";
import { semanticType } from "../types/avro-type.ts";
import {
  asIs,
  casts,
  type Encode,
  NO_PLACEHOLDER,
  ORDINARY,
  plainDefaults,
  TEXT_ROOM,
  type TypeEntry,
  UNFIT,
  fixed,
} from "../types/entry.ts";

/**
 * Writes intervals as microseconds or as ISO-8601 text (interval.handling.mode). Fieldgate's sessions print intervals
 * in IntervalStyle=postgres.
 */

/** The parts of an interval as in pgjdbc's PGInterval; hours, minutes and micros have the same sign. */
interface Interval {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
  readonly minutes: number;
  /** Microseconds below a minute. */
  readonly micros: number;
}

/** IntervalStyle=postgres: `1 year 2 mons -3 days +04:05:06.78`. */
const TEXT =
  /^(?:([+-]?\d+) years? ?)?(?:([+-]?\d+) mons? ?)?(?:([+-]?\d+) days? ?)?(?:([+-])?(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?$/;

function intervalOf(text: string): Interval | undefined {
  const match = text === "" ? null : TEXT.exec(text);
  if (match === null) return undefined;
  const [, years = "0", months = "0", days = "0", mark, hours = "0", minutes = "0", seconds = "0", fraction = ""] =
    match;
  const sign = mark === "-" ? -1 : 1;
  return {
    years: Number(years),
    months: Number(months),
    days: Number(days),
    hours: sign * Number(hours),
    minutes: sign * Number(minutes),
    micros: sign * (Number(seconds) * 1_000_000 + Number(fraction.padEnd(6, "0"))),
  };
}

const DAYS_PER_MONTH = 365.25 / 12;

/**
 * io.debezium.time.MicroDuration: microseconds, with 365.25 / 12 days in a month, computed in doubles as Debezium does.
 */
const encodeMicroDuration: Encode = (src, s, e, out, p) => {
  const interval = intervalOf(src.toString("latin1", s, e));
  if (interval === undefined) return UNFIT;
  const { years, months, days, hours, minutes, micros } = interval;
  const whole = Math.trunc(micros / 1_000_000);
  const inDays = (years * 12 + months) * DAYS_PER_MONTH + days;
  const inSeconds = ((inDays * 24 + hours) * 60 + minutes) * 60 + (whole + (micros - whole * 1_000_000) / 1_000_000);
  return writeBigLong(out, p, BigInt.asIntN(64, clamp(BigInt(Math.trunc(inSeconds * 1e6)))));
};

const LONG_MAX = 0x7fffffffffffffffn;

/** Limits the value to the range of a long, like Java's cast of a double to long. */
function clamp(value: bigint): bigint {
  return value > LONG_MAX ? LONG_MAX : value < -LONG_MAX - 1n ? -LONG_MAX - 1n : value;
}

/** io.debezium.time.Interval: ISO-8601 with all parts, `P1Y2M3DT4H5M6.78S`. */
const encodeInterval: Encode = (src, s, e, out, p) => {
  const interval = intervalOf(src.toString("latin1", s, e));
  if (interval === undefined) return UNFIT;
  const { years, months, days, hours, minutes, micros } = interval;
  const text = `P${years}Y${months}M${days}DT${hours + 0}H${minutes + 0}M${secondsText(micros)}S`;
  return writeString(out, p, text);
};

function secondsText(micros: number): string {
  const size = Math.abs(micros);
  const fraction = String(size % 1_000_000).padStart(6, "0");
  return `${micros < 0 ? "-" : ""}${Math.floor(size / 1_000_000)}.${fraction}`.replace(/\.?0+$/, "");
}

const DURATION_NAME = "io.debezium.time.MicroDuration";
const INTERVAL_NAME = "io.debezium.time.Interval";
const DAY_MICROS = 86_400_000_000n;

export const INTERVAL: TypeEntry = {
  ...ORDINARY,
  avro: (_, modes) =>
    modes.interval === "string" ? semanticType("string", INTERVAL_NAME) : semanticType("long", DURATION_NAME),
  inArrays: "left-out",
  forms: {
    [DURATION_NAME]: {
      encode: () => encodeMicroDuration,
      unchanged: NO_PLACEHOLDER,
      room: TEXT_ROOM,
      samples: fixed(DAY_MICROS, 0n, -DAY_MICROS),
    },
    [INTERVAL_NAME]: {
      encode: () => encodeInterval,
      unchanged: NO_PLACEHOLDER,
      room: TEXT_ROOM,
      samples: fixed("P1Y2M3DT4H5M6.78S", "P0Y0M0DT0H0M0S", "P-1Y-2M3DT0H0M0S"),
    },
  },
  adopts: { [DURATION_NAME]: -1, [INTERVAL_NAME]: -1 },
  defaults: plainDefaults("00:00:00"),
  fallback: "00:00:00",
  castFrom: casts({ time: asIs, text: asIs }),
};
