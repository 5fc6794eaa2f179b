import { writeLong, writeString } from "../../avro/bytes.ts";
import type { SchemaId } from "../../table/shape.ts";
import type { Json } from "../../json.ts";

/**
 * Debezium's heartbeats on `<topic.heartbeat.prefix>.<topic.prefix>` are records ServerNameKey and Heartbeat, version
 * 1.
 */
const NAMESPACE = "io.debezium.connector.common";

/** The topic of a connector's heartbeats; characters that Kafka does not allow become `_`. */
export function heartbeatTopic(prefix: string, serverName: string): string {
  return `${prefix}.${serverName}`.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(0, 249);
}

/** The key and value schemas, the same for every connector; their subjects are `<topic>-key` and `<topic>-value`. */
export const HEARTBEAT_SCHEMAS: { readonly key: Json; readonly value: Json } = {
  key: record("ServerNameKey", { name: "serverName", type: "string" }),
  value: record("Heartbeat", { name: "ts_ms", type: "long" }),
};

function record(name: string, field: Json): Json {
  return {
    type: "record",
    name,
    namespace: NAMESPACE,
    fields: [field],
    "connect.version": 1,
    "connect.name": `${NAMESPACE}.${name}`,
  };
}

/** One heartbeat in Confluent's wire format. `serverName` is topic.prefix, `tsMs` is in milliseconds since 1970. */
export function heartbeatRecord(
  ids: { readonly key: SchemaId; readonly value: SchemaId },
  serverName: string,
  tsMs: number,
): { readonly key: Buffer; readonly value: Buffer } {
  const key = Buffer.alloc(FRAME + LONGEST + Buffer.byteLength(serverName));
  const value = Buffer.alloc(FRAME + LONGEST);
  return {
    key: key.subarray(0, writeString(key, writeFrame(key, ids.key), serverName)),
    value: value.subarray(0, writeLong(value, writeFrame(value, ids.value), tsMs)),
  };
}

/** Length of Confluent's magic byte and the schema's id. */
const FRAME = 5;
/** The largest number of bytes that a long takes. */
const LONGEST = 10;

function writeFrame(out: Buffer, id: SchemaId): number {
  return out.writeInt32BE(id, 1);
}
