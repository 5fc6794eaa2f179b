import { GuardError } from "../errors.ts";

/** The headers of a message, as kafkajs provides them. */
export type MessageHeaders = Readonly<Record<string, unknown>>;

/** Which part of a message is decoded. */
export type MessagePart = "value" | "key";

/** Confluent's wire format starts with a zero byte and the schema's id in four bytes, big-endian. */
const FRAME = 5;

/** Reads the schema id at the start of a message's value or key. Throws `event-unreadable` if there is none. */
export function schemaIdIn(
  topic: string,
  bytes: Buffer,
  headers: MessageHeaders | undefined,
  part: MessagePart,
): number {
  const header = `__${part}_schema_id`;
  // With this header, the bytes are plain Avro. They often start with a zero, and the next four bytes would look like
  // an id.
  if ((headers?.[header] ?? undefined) !== undefined) throw inHeader(topic, header, part);
  if (bytes.length >= FRAME && bytes[0] === 0) return bytes.readInt32BE(1);
  const what = bytes.length < FRAME ? `it has ${bytes.length} bytes` : "its first byte is not 0";
  throw new GuardError("event-unreadable", `an event of ${topic} does not start with a schema id: ${what}`, {
    next: "check what produces to the topic: Confluent's Avro serializer writes a zero byte, four bytes with the schema id, and then Avro",
  });
}

/** The Avro data after the schema id. */
export function payloadOf(bytes: Buffer): Buffer {
  return bytes.subarray(FRAME);
}

/** Since version 8.0, Confluent's HeaderSchemaIdSerializer writes the schema's GUID or id to a header. */
function inHeader(topic: string, header: string, part: MessagePart): GuardError {
  return new GuardError("event-unreadable", `an event of ${topic} names its schema in the header ${header}`, {
    next: `configure its producer to write the schema id in front of the ${part} (${part}.schema.id.serializer: io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer, which is the default), or read the topic with one of Confluent's deserializers`,
  });
}
