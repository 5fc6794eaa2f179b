import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { HEARTBEAT_SCHEMAS, heartbeatRecord, heartbeatTopic } from "../../../src/event/envelope/heartbeat.ts";
import { schemaId } from "../../../src/table/shape.ts";

interface Case {
  readonly id: string;
  readonly avro_schema: unknown;
  readonly avro_binary_hex: string;
}

// Recorded from Debezium with Confluent's AvroData.
const cases = readFileSync(new URL("../../cases/debezium-meta-topics.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Case); // all lines have this form
const golden = (id: string) => cases.find((one) => one.id === id);

describe("a heartbeat", () => {
  const ids = { key: schemaId(7), value: schemaId(0x01020304) };
  const { key, value } = heartbeatRecord(ids, "test_server", 1_700_000_000_000);

  it("has Debezium's schemas, with properties in the same order", () => {
    expect(JSON.stringify(HEARTBEAT_SCHEMAS.key)).toBe(JSON.stringify(golden("heartbeat.key")?.avro_schema));
    expect(JSON.stringify(HEARTBEAT_SCHEMAS.value)).toBe(JSON.stringify(golden("heartbeat.value")?.avro_schema));
  });

  it("has Debezium's bytes after the schema's id", () => {
    expect(key.toString("hex")).toBe(`0000000007${golden("heartbeat.key")?.avro_binary_hex}`);
    expect(value.toString("hex")).toBe(`0001020304${golden("heartbeat.value")?.avro_binary_hex}`);
  });

  it("goes to <topic.heartbeat.prefix>.<topic.prefix>", () => {
    expect(heartbeatTopic("__debezium-heartbeat", "inventory")).toBe("__debezium-heartbeat.inventory");
  });
});
