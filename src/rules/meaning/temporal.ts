import { ownValue } from "../../json.ts";
import type { AvroSchema } from "../../avro/schema.ts";

interface Temporal {
  readonly of: "date" | "time" | "timestamp" | "duration";
  /** What the number counts. */
  readonly unit: "days" | "milliseconds" | "microseconds" | "nanoseconds";
  /** True for a local time rather than an instant. Only Avro's own names distinguish them. */
  readonly isLocal?: boolean;
}

const TEMPORAL: Readonly<Record<string, Temporal>> = {
  date: { of: "date", unit: "days" },
  "time-millis": { of: "time", unit: "milliseconds" },
  "time-micros": { of: "time", unit: "microseconds" },
  "timestamp-millis": { of: "timestamp", unit: "milliseconds", isLocal: false },
  "timestamp-micros": { of: "timestamp", unit: "microseconds", isLocal: false },
  "timestamp-nanos": { of: "timestamp", unit: "nanoseconds", isLocal: false },
  "local-timestamp-millis": { of: "timestamp", unit: "milliseconds", isLocal: true },
  "local-timestamp-micros": { of: "timestamp", unit: "microseconds", isLocal: true },
  "local-timestamp-nanos": { of: "timestamp", unit: "nanoseconds", isLocal: true },
  "org.apache.kafka.connect.data.Date": { of: "date", unit: "days" },
  "org.apache.kafka.connect.data.Time": { of: "time", unit: "milliseconds" },
  "org.apache.kafka.connect.data.Timestamp": { of: "timestamp", unit: "milliseconds" },
  "io.debezium.time.Date": { of: "date", unit: "days" },
  "io.debezium.time.Time": { of: "time", unit: "milliseconds" },
  "io.debezium.time.MicroTime": { of: "time", unit: "microseconds" },
  "io.debezium.time.NanoTime": { of: "time", unit: "nanoseconds" },
  "io.debezium.time.Timestamp": { of: "timestamp", unit: "milliseconds" },
  "io.debezium.time.MicroTimestamp": { of: "timestamp", unit: "microseconds" },
  "io.debezium.time.NanoTimestamp": { of: "timestamp", unit: "nanoseconds" },
  "io.debezium.time.MicroDuration": { of: "duration", unit: "microseconds" },
  "io.debezium.time.NanoDuration": { of: "duration", unit: "nanoseconds" },
};

/** What a number counts, according to its `connect.name`, or else its `logicalType`. */
export function temporalOf(type: AvroSchema): Temporal | undefined {
  if (type.kind !== "int" && type.kind !== "long") return undefined;
  const names = [type.props["connect.name"], type.props["logicalType"]];
  return names.flatMap((name) => (typeof name === "string" ? (ownValue(TEMPORAL, name) ?? []) : []))[0];
}
