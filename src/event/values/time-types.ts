import { type AvroType, semanticType } from "../types/avro-type.ts";
import {
  casts,
  type Encode,
  type Form,
  NO_PLACEHOLDER,
  NUMBERS_PLACEHOLDER,
  matching,
  ORDINARY,
  plainDefaults,
  type Rewrite,
  TEXT_ROOM,
  type TypeEntry,
  fixed,
  type Samples,
} from "../types/entry.ts";
import type { ValueModes } from "../types/modes.ts";
import { baseOf } from "../types/modifier.ts";
import {
  encodeDate,
  encodeIsoDate,
  encodeIsoTime,
  encodeIsoTimestamp,
  encodeNanoTime,
  encodeNanoTimestamp,
  encodeTime,
  encodeTimestamp,
  encodeZonedTime,
  encodeZonedTimestamp,
} from "./time.ts";
import type { ColumnType } from "../../table/column.ts";

/**
 * date, time and timestamp, with and without time zone, under each time.precision.mode
 * (io.debezium.jdbc.TemporalPrecisionMode). The encoders are in time.ts.
 */

const DEBEZIUM = "io.debezium.time";
const CONNECT = "org.apache.kafka.connect.data";

function timeForm(encode: () => Encode, samples: Samples): Form {
  return { encode, unchanged: NO_PLACEHOLDER, room: TEXT_ROOM, samples };
}

/** The Avro type of a column without time zone that has `digits` fractional digits. */
function timeType(kind: "date" | "time" | "timestamp", digits: number, mode: ValueModes["time"]): AvroType {
  if (mode === "connect") return CONNECT_TYPES[kind];
  const name = kind === "date" ? "Date" : kind === "time" ? "Time" : "Timestamp";
  if (mode === "isostring") return semanticType("string", `${DEBEZIUM}.Iso${name}`);
  if (kind === "date") return semanticType("int", `${DEBEZIUM}.Date`);
  if (mode === "nanoseconds") return semanticType("long", `${DEBEZIUM}.Nano${name}`);
  const isMillis = digits <= 3 && (mode === "adaptive" || (mode === "adaptive_time_microseconds" && kind !== "time"));
  if (!isMillis) return semanticType("long", `${DEBEZIUM}.Micro${name}`);
  return semanticType(kind === "time" ? "int" : "long", `${DEBEZIUM}.${name}`);
}

const CONNECT_TYPES = {
  date: connectType("int", "Date", "date"),
  time: connectType("int", "Time", "time-millis"),
  timestamp: connectType("long", "Timestamp", "timestamp-millis"),
} as const;

function connectType(type: string, name: string, logicalType: string): AvroType {
  return { type, "connect.version": 1, "connect.name": `${CONNECT}.${name}`, logicalType };
}

/** The typical moment of every sample: Wednesday, 1 January 2025, 12:34:56.789012 UTC. */
const DAY = 20_089;
const CLOCK = 45_296_789_012n;
const MOMENT = 1_735_734_896_789_012n;
/** The last microsecond of 9999-12-31. */
const LAST_DAY = 2_932_896;
const LAST_MOMENT = 253_402_300_799_999_999n;
const DAY_MICROS = 86_400_000_000n;
const MAX_LONG = 2n ** 63n - 1n;

const DATES = fixed(DAY, 0, -25_567, LAST_DAY);
const MILLIS_OF_DAY = fixed(45_296_789, 0, 86_399_999);
const EPOCH_MILLIS = fixed(MOMENT / 1000n, 0n, -1n, LAST_MOMENT / 1000n);
const CLOCK_TEXTS = fixed("12:34:56.789012Z", "00:00:00Z", "23:59:59.999999Z");

const DATE_TEXT = /^\d{4,}-\d\d-\d\d(?: BC)?$|^-?infinity$/;
const TIME_TEXT = /^\d\d:\d\d:\d\d(?:\.\d{1,6})?$/;
const TIMESTAMP_TEXT = /^\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?(?: BC)?$|^-?infinity$/;
const ZONED_TEXT = /^\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?[+-]\d\d(?::\d\d){0,2}(?: BC)?$|^-?infinity$/;

/** Adds `clock` after the date in `2020-01-02[ BC]`. */
function withClock(clock: string): Rewrite {
  return (text) => (text.endsWith("infinity") ? text : text.replace(/( BC)?$/, `${clock}$1`));
}

function dateAtMidnight(text: string): string | undefined {
  if (text.endsWith("infinity")) return text;
  const match = /^(\S+) 00:00:00(?:\+00)?( BC)?$/.exec(text);
  return match?.[1] === undefined ? undefined : `${match[1]}${match[2] ?? ""}`;
}

/** Drops the offset if it is that of UTC, the TimeZone of Fieldgate's sessions. */
const withoutZone: Rewrite = (text) =>
  /[+-]00( BC)?$|infinity$/.test(text) ? text.replace(/\+00(?=( BC)?$)/, "") : undefined;

export const DATE: TypeEntry = {
  ...ORDINARY,
  avro: (_, modes) => timeType("date", 0, modes.time),
  forms: {
    [`${DEBEZIUM}.Date`]: { ...timeForm(() => encodeDate, DATES), unchanged: NUMBERS_PLACEHOLDER },
    [`${CONNECT}.Date`]: { ...timeForm(() => encodeDate, DATES), unchanged: NUMBERS_PLACEHOLDER },
    [`${DEBEZIUM}.IsoDate`]: timeForm(() => encodeIsoDate, fixed("2025-01-01Z", "1970-01-01Z", "9999-12-31Z")),
  },
  adopts: { [`${DEBEZIUM}.Date`]: -1, [`${DEBEZIUM}.IsoDate`]: -1, [`${CONNECT}.Date`]: -1 },
  defaults: plainDefaults("1970-01-01"),
  fallback: "1970-01-01",
  castFrom: casts({ timestamp: dateAtMidnight, timestamptz: dateAtMidnight, text: matching(DATE_TEXT) }),
};

export const TIME: TypeEntry = {
  ...ORDINARY,
  avro: (type, modes) => timeType("time", fractionDigits(type), modes.time),
  forms: {
    [`${DEBEZIUM}.Time`]: timeForm(() => encodeTime(1000), MILLIS_OF_DAY),
    [`${DEBEZIUM}.MicroTime`]: timeForm(() => encodeTime(1), fixed(CLOCK, 0n, DAY_MICROS - 1n, DAY_MICROS)),
    [`${DEBEZIUM}.NanoTime`]: timeForm(() => encodeNanoTime, fixed(CLOCK * 1000n, 0n, (DAY_MICROS - 1n) * 1000n)),
    [`${DEBEZIUM}.IsoTime`]: timeForm(() => encodeIsoTime, CLOCK_TEXTS),
    [`${CONNECT}.Time`]: timeForm(() => encodeTime(1000, "drop"), MILLIS_OF_DAY),
  },
  adopts: {
    [`${DEBEZIUM}.Time`]: 3,
    [`${DEBEZIUM}.MicroTime`]: -1,
    [`${DEBEZIUM}.NanoTime`]: -1,
    [`${DEBEZIUM}.IsoTime`]: -1,
    [`${CONNECT}.Time`]: -1,
  },
  defaults: plainDefaults("00:00:00"),
  fallback: "00:00:00",
  castFrom: casts({ timetz: withoutZone, text: matching(TIME_TEXT) }),
};

export const TIMETZ: TypeEntry = {
  ...ORDINARY,
  avro: () => semanticType("string", `${DEBEZIUM}.ZonedTime`),
  forms: { [`${DEBEZIUM}.ZonedTime`]: timeForm(() => encodeZonedTime, CLOCK_TEXTS) },
  adopts: { [`${DEBEZIUM}.ZonedTime`]: -1 },
  defaults: "none",
  fallback: "00:00:00+00",
  castFrom: casts({ time: (text) => `${text}+00` }),
};

export const TIMESTAMP: TypeEntry = {
  ...ORDINARY,
  avro: (type, modes) => timeType("timestamp", fractionDigits(type), modes.time),
  forms: {
    [`${DEBEZIUM}.Timestamp`]: timeForm(() => encodeTimestamp(1000), EPOCH_MILLIS),
    [`${DEBEZIUM}.MicroTimestamp`]: timeForm(() => encodeTimestamp(1), fixed(MOMENT, 0n, -1n, LAST_MOMENT)),
    [`${DEBEZIUM}.NanoTimestamp`]: timeForm(
      encodeNanoTimestamp,
      fixed(MOMENT * 1000n, 0n, -1000n, MAX_LONG - (MAX_LONG % 1000n)),
    ),
    [`${DEBEZIUM}.IsoTimestamp`]: timeForm(
      encodeIsoTimestamp,
      fixed("2025-01-01T12:34:56.789012Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"),
    ),
    [`${CONNECT}.Timestamp`]: timeForm(() => encodeTimestamp(1000, "drop"), EPOCH_MILLIS),
  },
  adopts: {
    [`${DEBEZIUM}.Timestamp`]: 3,
    [`${DEBEZIUM}.MicroTimestamp`]: -1,
    [`${DEBEZIUM}.NanoTimestamp`]: -1,
    [`${DEBEZIUM}.IsoTimestamp`]: -1,
    [`${CONNECT}.Timestamp`]: -1,
  },
  defaults: plainDefaults("1970-01-01 00:00:00"),
  fallback: "1970-01-01 00:00:00",
  castFrom: casts({
    date: withClock(" 00:00:00"),
    timestamptz: withoutZone,
    text: matching(TIMESTAMP_TEXT),
  }),
};

export const TIMESTAMPTZ: TypeEntry = {
  ...ORDINARY,
  avro: () => semanticType("string", `${DEBEZIUM}.ZonedTimestamp`),
  forms: {
    [`${DEBEZIUM}.ZonedTimestamp`]: {
      encode: (_, type) => encodeZonedTimestamp(fractionDigits(type)),
      unchanged: NO_PLACEHOLDER,
      room: TEXT_ROOM,
      samples: fixed("2025-01-01T12:34:56.789012Z", "1970-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"),
    },
  },
  adopts: { [`${DEBEZIUM}.ZonedTimestamp`]: -1 },
  defaults: plainDefaults("1970-01-01 00:00:00+00"),
  fallback: { written: "1970-01-01T00:00:00Z" }, // No fraction, whatever the column's precision.
  castFrom: casts({
    date: withClock(" 00:00:00+00"),
    timestamp: withClock("+00"),
    text: (text) => (ZONED_TEXT.test(text) ? text : TIMESTAMP_TEXT.test(text) ? withClock("+00")(text) : undefined),
  }),
};

/** The number of fractional digits of a time, timestamp or timestamptz column. */
function fractionDigits(type: ColumnType): number {
  const { typmod } = baseOf(type);
  return typmod < 0 ? 6 : typmod;
}
