import { readerFingerprint } from "../contract/announcement.ts";
import { GuardError } from "../errors.ts";
import { type Decode, decoderOf, readerOf } from "./decoder.ts";
import { type MessageHeaders, type MessagePart, payloadOf, schemaIdIn } from "./framing.ts";
import type { Longs } from "../rules/runtime/rule.ts";
import type { Json } from "../json.ts";

/**
 * The event reader of `fieldgate/consumer`: takes a message of kafkajs, looks up the schema that it names, and decodes
 * it. Decoders are kept by schema id.
 */

/**
 * The part of a registry client that is needed. The `SchemaRegistry` of @kafkajs/confluent-schema-registry provides it.
 */
export interface SchemaSource {
  /** Returns an Avro schema as avsc's type. An error response of the registry is thrown as an Error with `status`. */
  getSchema(id: number): Promise<object>;
}

export interface EventReaderOptions {
  readonly registry: SchemaSource;
  readonly topic: string;
  /**
   * The consumer's own schema for events, as JSON. Without it, each event is decoded with the schema that it names, as
   * keys always are.
   */
  readonly schema?: Json | undefined;
  /** What a long is decoded to, by default `bigint`. `number` throws beyond 2^53, which includes every `ts_ns`. */
  readonly longs?: Longs | undefined;
}

export interface EventReader {
  readonly topic: string;
  /**
   * Identifies the consumer's own schema, and equals the fingerprint of a contract with that schema; undefined without
   * a schema.
   */
  readonly fingerprint: string | undefined;
  /**
   * Decodes a message's value or key; null (a tombstone) gives null. Records become objects; bytes and fixed become
   * Buffers, even for decimals. A union's value is returned as it is, unless JavaScript cannot distinguish the
   * branches; then it is `{ branch: value }`. Throws GuardError: `event-unreadable`, `not-found` for a schema that the
   * registry does not have, or `registry-down`, after which a later attempt may succeed. Pass `headers`, so that an
   * event whose schema is named in a header is recognised and rejected as `event-unreadable`; without them it would be
   * decoded wrongly.
   */
  decode(value: Buffer | null | undefined, headers?: MessageHeaders, part?: MessagePart): Promise<unknown>;
}

/** How many decoders are kept. A topic has one schema for each version of its table. */
const MAX_WRITERS = 100;
/** A failed lookup is not tried again for this long. */
const FAILED_FOR_MS = 1000;

/** Decodes events in Confluent's wire format. Throws `schema-invalid` if the reader's schema cannot be used. */
export function eventReader({ registry, topic, schema, longs = "bigint" }: EventReaderOptions): EventReader {
  const reader = schema === undefined ? undefined : readerOf(topic, schema, longs);
  const decodersFor = (own: typeof reader) =>
    boundedOnce(async (id) => decoderOf(topic, await writerSchema(registry, topic, id), own, longs));
  // The consumer's schema is one of events, not of keys.
  const decoders: Readonly<Record<MessagePart, ReturnType<typeof decodersFor>>> = {
    value: decodersFor(reader),
    key: decodersFor(undefined),
  };
  return {
    topic,
    fingerprint: schema === undefined ? undefined : readerFingerprint(schema),
    decode: async (value, headers, part = "value") => {
      if (value === null || value === undefined) return null;
      const decode = await decoders[part](schemaIdIn(topic, value, headers, part));
      return decode(payloadOf(value));
    },
  };
}

/** Looks up each id only once, even if it is requested many times at once. */
function boundedOnce(lookUp: (id: number) => Promise<Decode>): (id: number) => Promise<Decode> {
  const kept = new Map<number, Promise<Decode>>();
  return (id) => {
    const known = kept.get(id);
    if (known !== undefined) return known;
    const found = lookUp(id);
    kept.set(id, found);
    found.catch(() => setTimeout(() => kept.delete(id), FAILED_FOR_MS).unref());
    const [oldest] = kept.keys();
    if (kept.size > MAX_WRITERS && oldest !== undefined) kept.delete(oldest);
    return found;
  };
}

/** The schema as JSON, without properties that have no meaning in Avro, because avsc's type does not keep them. */
async function writerSchema(registry: SchemaSource, topic: string, id: number): Promise<Json> {
  const type = await registry.getSchema(id).catch((cause: unknown) => {
    throw lookUpError(topic, id, cause);
  });
  if ("toJSON" in type && "createResolver" in type) return JSON.parse(JSON.stringify(type)) as Json; // stringify calls avsc's toJSON.
  throw new GuardError("event-unreadable", `an event of ${topic} names schema ${id}, which is not Avro`, {
    next: "read the topic with a library for its format",
  });
}

function lookUpError(topic: string, id: number, cause: unknown): GuardError {
  const status = cause instanceof Error && "status" in cause ? Number(cause.status) : undefined;
  const message = cause instanceof Error ? cause.message : String(cause);
  const named = `schema ${id}, named by an event of ${topic}`;
  if (status === undefined)
    return new GuardError("event-unreadable", `${named}, cannot be used: ${message}`, { cause });
  if (status === 404) {
    const next =
      "check that the topic's producer uses the same registry, and that decode is given the message's headers";
    return new GuardError("not-found", `the registry does not have ${named}`, { next, cause });
  }
  // The library reports status 400 even if nothing answers (kafkajs/confluent-schema-registry#306).
  const next = "check the registry, and the `host` and `auth` passed to SchemaRegistry";
  return new GuardError("registry-down", `the registry did not return ${named}: ${message}`, { next, cause });
}
