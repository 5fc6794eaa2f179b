import { GuardError } from "../errors.ts";

/** A message's headers, as kafkajs gives them. */
export type MessageHeaders = Readonly<Record<string, unknown>>;

/** Which part of a message is decoded. */
export type MessagePart = "value" | "key";

/** A zero and the schema's id, big endian: Confluent's wire format. */
const FRAME = 5;

/** The id of the schema that a message's value or key begins with. Throws `event-unreadable`. */
export function schemaIdIn(
  topic: string,
  bytes: Buffer,
  headers: MessageHeaders | undefined,
  part: MessagePart,
): number {
  const header = `__${part}_schema_id`;
  // Then the bytes are Avro from the first on, and often begin with a zero: the next four bytes would be an id.
  if ((headers?.[header] ?? undefined) !== undefined) throw inHeader(topic, header, part);
  if (bytes.length >= FRAME && bytes[0] === 0) return bytes.readInt32BE(1);
  const what = bytes.length < FRAME ? `it has ${bytes.length} bytes` : "its first byte is not 0";
  throw new GuardError("event-unreadable", `an event of ${topic} does not begin with a schema's id: ${what}`, {
    next: "look at what produces to the topic: Confluent's Avro serializer writes a 0, four bytes of the schema's id, Avro",
  });
}

/** What comes behind the id. */
export function payloadOf(bytes: Buffer): Buffer {
  return bytes.subarray(FRAME);
}

/** HeaderSchemaIdSerializer of Confluent 8.0 and later: a version and the schema's GUID, or its id. */
function inHeader(topic: string, header: string, part: MessagePart): GuardError {
  return new GuardError("event-unreadable", `an event of ${topic} names its schema in the header ${header}`, {
    next: `have its producer write the schema's id before the ${part} (${part}.schema.id.serializer: io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer, which is the default), or read the topic with one of Confluent's deserializers`,
  });
}
