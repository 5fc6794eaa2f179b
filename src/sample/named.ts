import type { AvroSchema } from "../avro/schema.ts";
import { fixed, type Samples } from "./sample.ts";
import { isObject } from "../json.ts";

/** Wednesday, 1 January 2025, 12:34:56.789012 in UTC: every sample's usual moment. */
const DAY = 20_089;
const CLOCK = 45_296_789_012n;
const MOMENT = 1_735_734_896_789_012n;
/** 9999-12-31, to its last microsecond. */
const LAST_DAY = 2_932_896;
const LAST_MOMENT = 253_402_300_799_999_999n;
const DAY_MICROS = 86_400_000_000n;
const MAX_LONG = 2n ** 63n - 1n;

/** Samples by `connect.name`, Debezium's and Connect's; the epoch, times before it and far days are at the edges. */
const NAMED: Readonly<Record<string, Samples>> = {
  "io.debezium.time.Date": fixed(DAY, 0, -25_567, LAST_DAY),
  "io.debezium.time.Time": fixed(45_296_789, 0, 86_399_999),
  "io.debezium.time.MicroTime": fixed(CLOCK, 0n, DAY_MICROS - 1n, DAY_MICROS),
  "io.debezium.time.NanoTime": fixed(CLOCK * 1000n, 0n, (DAY_MICROS - 1n) * 1000n),
  "io.debezium.time.Timestamp": fixed(MOMENT / 1000n, 0n, -1n, LAST_MOMENT / 1000n),
  "io.debezium.time.MicroTimestamp": fixed(MOMENT, 0n, -1n, LAST_MOMENT),
  "io.debezium.time.NanoTimestamp": fixed(MOMENT * 1000n, 0n, -1000n, MAX_LONG - (MAX_LONG % 1000n)),
  "org.apache.kafka.connect.data.Date": fixed(DAY, 0, -25_567, LAST_DAY),
  "org.apache.kafka.connect.data.Time": fixed(45_296_789, 0, 86_399_999),
  "org.apache.kafka.connect.data.Timestamp": fixed(MOMENT / 1000n, 0n, -1n, LAST_MOMENT / 1000n),
  "io.debezium.time.ZonedTimestamp": fixed(
    "2025-01-01T12:34:56.789012Z",
    "1970-01-01T00:00:00.000000Z",
    "9999-12-31T23:59:59.999999Z",
  ),
  "io.debezium.time.ZonedTime": fixed("12:34:56.789012Z", "00:00:00Z", "23:59:59.999999Z"),
  "io.debezium.time.IsoDate": fixed("2025-01-01Z", "1970-01-01Z", "9999-12-31Z"),
  "io.debezium.time.IsoTime": fixed("12:34:56.789012Z", "00:00:00Z", "23:59:59.999999Z"),
  "io.debezium.time.IsoTimestamp": fixed(
    "2025-01-01T12:34:56.789012Z",
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
  ),
  "io.debezium.time.Interval": fixed("P1Y2M3DT4H5M6.78S", "P0Y0M0DT0H0M0S", "P-1Y-2M3DT0H0M0S"),
  "io.debezium.time.MicroDuration": fixed(DAY_MICROS, 0n, -DAY_MICROS),
  "io.debezium.data.Uuid": {
    typical: (row) => `00000000-0000-4000-8000-${String(row).padStart(12, "0")}`,
    edges: ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
  },
  "io.debezium.data.Json": {
    typical: (row) => `{"n": ${row}}`,
    edges: ["{}", "[]", "null", '{"text": "žena 😀", "deep": [{"a": null}]}'],
  },
  "io.debezium.data.Xml": fixed("<a>text</a>", "", "<a>žena &amp; 😀</a>"),
  "io.debezium.data.Ltree": fixed("top.middle.leaf", "", "top"),
  "io.debezium.data.Tsvector": fixed("'text':1", ""),
};

/** Undefined: the type has no name, or one that says nothing about its values. */
export function namedSamples(schema: AvroSchema): Samples | undefined {
  const name = nameOf(schema);
  if (schema.kind === "union" || name === undefined) return undefined;
  const parameters = schema.props["connect.parameters"];
  const parameter = (key: string): string => {
    const value = isObject(parameters) ? parameters[key] : undefined;
    return typeof value === "string" ? value : "";
  };
  if (name === "io.debezium.data.Enum") return enumSamples(parameter("allowed"));
  if (name === "io.debezium.data.Bits") return bitSamples(Number(parameter("length")) || MANY_BITS);
  return NAMED[name];
}

/** `connect.name`: what a type means, beyond its bytes. */
export function nameOf(schema: AvroSchema): string | undefined {
  const name = schema.kind === "union" ? undefined : schema.props["connect.name"];
  return typeof name === "string" ? name : undefined;
}

/** Every label; a comma inside one cannot be told from that between two. */
function enumSamples(allowed: string): Samples {
  const [first = "", ...others] = allowed.split(",");
  return fixed(first, ...others);
}

/** More are the length of a `bit varying` without one. */
const MANY_BITS = 64;

/** The lowest bit is in the first byte, high zero bytes are left out. */
function bitSamples(length: number): Samples {
  const bits = Math.min(length, MANY_BITS);
  const ones = Buffer.alloc(Math.ceil(bits / 8), 0xff);
  if (bits % 8 !== 0) ones[ones.length - 1] = 2 ** (bits % 8) - 1;
  return fixed(Buffer.from([1]), Buffer.alloc(0), ones);
}
