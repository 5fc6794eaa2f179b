import { readerFingerprint } from "../contract/announcement.ts";
import { GuardError } from "../errors.ts";
import { type Decode, decoderOf, readerOf } from "./decoder.ts";
import { type MessageHeaders, type MessagePart, payloadOf, schemaIdIn } from "./framing.ts";
import type { Longs } from "./long.ts";
import type { Json } from "../json.ts";

/** What is asked of a registry: a `SchemaRegistry` of @kafkajs/confluent-schema-registry is one. */
export interface SchemaSource {
  /** An Avro schema comes as avsc's type of it. What the registry answers wrong is an Error with `status`. */
  getSchema(id: number): Promise<object>;
}

export interface EventReaderOptions {
  readonly registry: SchemaSource;
  readonly topic: string;
  /** The consumer's own schema, as JSON; absent: each event is decoded with the schema it names. */
  readonly schema?: Json | undefined;
  /** How a long comes out; `bigint` unless told. `number` throws beyond 2^53, as all `ts_ns` are. */
  readonly longs?: Longs | undefined;
}

export interface EventReader {
  readonly topic: string;
  /** Identity of the consumer's own schema, as a contract with it has; undefined: it has none. */
  readonly fingerprint: string | undefined;
  /**
   * A message's value, or its key, as a value; null for none (a tombstone). Records are objects, bytes and fixed are
   * Buffers (a decimal's too), a union's value stands for itself unless JavaScript cannot tell its branches apart,
   * which are `{ branch: value }` then. Throws GuardError: `event-unreadable`, `not-found` for a schema the registry
   * does not have, `registry-down`, which a later attempt may not meet. Of `headers` one is looked for, by which
   * Confluent's serializers may name the schema instead: that is `event-unreadable`, and unseen without them.
   */
  decode(value: Buffer | null | undefined, headers?: MessageHeaders, part?: MessagePart): Promise<unknown>;
}

/** Schemas whose decoders are kept: a topic has one for each version of its table. */
const MAX_WRITERS = 100;
/** For so long a look-up that failed is not tried again. */
const FAILED_FOR_MS = 1000;

/** Decodes a topic's events as Confluent's serializers write them. Throws `schema-invalid` for the reader's schema. */
export function eventReader({ registry, topic, schema, longs = "bigint" }: EventReaderOptions): EventReader {
  const reader = schema === undefined ? undefined : readerOf(topic, schema, longs);
  const decoders = boundedOnce(async (id) => decoderOf(topic, await writerSchema(registry, topic, id), reader, longs));
  return {
    topic,
    fingerprint: schema === undefined ? undefined : readerFingerprint(schema),
    decode: async (value, headers, part = "value") => {
      if (value === null || value === undefined) return null;
      const decode = await decoders(schemaIdIn(topic, value, headers, part));
      return decode(payloadOf(value));
    },
  };
}

/** Each id is looked up once, also when many ask at the same time. */
function boundedOnce(look: (id: number) => Promise<Decode>): (id: number) => Promise<Decode> {
  const kept = new Map<number, Promise<Decode>>();
  return (id) => {
    const known = kept.get(id);
    if (known !== undefined) return known;
    const looked = look(id);
    kept.set(id, looked);
    looked.catch(() => setTimeout(() => kept.delete(id), FAILED_FOR_MS).unref());
    const [oldest] = kept.keys();
    if (kept.size > MAX_WRITERS && oldest !== undefined) kept.delete(oldest);
    return looked;
  };
}

/** As JSON without the properties Avro gives no meaning: avsc's type has lost them. */
async function writerSchema(registry: SchemaSource, topic: string, id: number): Promise<Json> {
  const type = await registry.getSchema(id).catch((cause: unknown) => {
    throw lookUpError(topic, id, cause);
  });
  if ("toJSON" in type && "createResolver" in type) return JSON.parse(JSON.stringify(type)) as Json; // avsc's toJSON
  throw new GuardError("event-unreadable", `an event of ${topic} names schema ${id}, which is not Avro`, {
    next: "read the topic with a library for its format",
  });
}

function lookUpError(topic: string, id: number, cause: unknown): GuardError {
  const status = cause instanceof Error && "status" in cause ? Number(cause.status) : undefined;
  const message = cause instanceof Error ? cause.message : String(cause);
  const named = `schema ${id}, which an event of ${topic} names`;
  if (status === undefined)
    return new GuardError("event-unreadable", `${named}, cannot be used: ${message}`, { cause });
  if (status === 404) {
    const next = "is it the registry that the topic's producer uses, and does decode get the message's headers?";
    return new GuardError("not-found", `the registry does not have ${named}`, { next, cause });
  }
  // The library says 400 also when nothing answers (kafkajs/confluent-schema-registry#306).
  const next = "look at the registry, and at `host` and `auth` given to SchemaRegistry";
  return new GuardError("registry-down", `the registry did not give ${named}: ${message}`, { next, cause });
}
