import type avsc from "avsc";
import { explainCauses } from "../avro/reading/cause.ts";
import type { Cause } from "../avro/reading/cause-text.ts";
import { parseSchema } from "../avro/parse.ts";
import { messageOf, type RuntimeFinding, runtimeFindings, type RuntimePair } from "../rules/runtime/runtime.ts";
import type { AvroSchema } from "../avro/schema.ts";
import { GuardError } from "../errors.ts";
import { avscType, type Longs } from "./long.ts";
import { resolverOf } from "./resolver.ts";
import type { Json } from "../json.ts";

/** One event's bytes, without framing, as a value. */
export type Decode = (bytes: Buffer) => unknown;

/** A consumer's own schema, parsed once. */
export interface Reader {
  readonly json: Json;
  readonly schema: AvroSchema;
  readonly type: avsc.Type;
}

/** Throws `schema-invalid` for what is no Avro schema, or none that avsc takes. */
export function readerOf(topic: string, json: Json, longs: Longs): Reader {
  const schema = parseSchema(json);
  try {
    return { json, schema, type: typeOf(json, longs) };
  } catch (cause) {
    const known = refusalOf({ reader: schema, writer: schema, text: json });
    const message = `avsc does not take the reader's schema for ${topic}: ${known === undefined ? reason(cause) : messageOf(known, known.path)}`;
    throw new GuardError("schema-invalid", message, { ...(known && { next: nextOf(known) }), cause });
  }
}

/**
 * Decodes what was written with `writer`, into the reader's form if there is one. Made once per writer's schema: to
 * compile it takes longer than hundreds of events. Throws `event-unreadable` when the reader cannot read the writer.
 */
export function decoderOf(topic: string, writer: Json, reader: Reader | undefined, longs: Longs): Decode {
  const written = writerType(topic, writer, longs);
  const resolver = reader === undefined ? undefined : resolverFor(topic, writer, written, reader);
  const type = reader?.type ?? written;
  return (bytes) => {
    try {
      return type.fromBuffer(bytes, resolver);
    } catch (error) {
      throw unreadable(topic, error, () => beyond(writer, reader, bytes));
    }
  };
}

function writerType(topic: string, writer: Json, longs: Longs): avsc.Type {
  try {
    return typeOf(writer, longs);
  } catch (cause) {
    throw cannot(topic, `avsc does not take the writer's schema: ${reason(cause)}`);
  }
}

/**
 * avsc reads by rules of its own; the guard judged this reader by Java's, so both have to agree. A record's name alone
 * is a policy of Java's rule: what avsc then reads is read.
 */
function resolverFor(topic: string, writer: Json, written: avsc.Type, reader: Reader): avsc.Resolver {
  const schema = parseSchema(writer);
  const causes = explainCauses(reader.schema, schema);
  const certain = causes.find(({ certainty }) => certainty !== "by-policy");
  if (certain !== undefined) throw cannot(topic, told(certain), certain.remedy);
  const resolver = resolverOf(reader, written);
  if (typeof resolver === "object") return resolver;
  const [name] = causes;
  if (name !== undefined) throw cannot(topic, told(name), name.remedy);
  throw refusedByAvsc(topic, resolver, { reader: reader.schema, writer: schema, text: reader.json });
}

/** What avsc refuses though Java's rule allows it. */
function refusedByAvsc(topic: string, why: string, pair: RuntimePair): GuardError {
  const known = refusalOf(pair);
  const what = `avsc refuses what Avro's rules allow: ${known === undefined ? why : messageOf(known, known.path)}`;
  return known === undefined ? cannot(topic, what) : cannot(topic, what, nextOf(known));
}

/** The rule that knows why avsc reads nothing of the pair. */
function refusalOf(pair: RuntimePair): RuntimeFinding | undefined {
  return runtimeFindings("avsc", pair).find(({ whole, rule }) => whole === true || rule === "runtime/cached-resolver");
}

function nextOf({ remedy, rule }: RuntimeFinding): string {
  return `${remedy}; docs/rules/${rule}.md says why`;
}

function told({ path, message }: Cause): string {
  return path.length === 0 ? message : `${path.join(".")}: ${message}`;
}

function cannot(
  topic: string,
  why: string,
  next = "`fieldgate rules` lists what client libraries read in another way",
): GuardError {
  return new GuardError("event-unreadable", `an event of ${topic} cannot be read: ${why}`, { next });
}

const PRECISION = "potential precision loss";
const SIZES: Readonly<Record<string, string>> = {
  "truncated buffer": "it ends before its schema does",
  "trailing data": "it goes on after its schema's end",
};

/** What avsc says is in the message only where it holds nothing of the event. */
function unreadable(topic: string, error: unknown, fields: () => readonly string[]): GuardError {
  const message = reason(error);
  if (message !== PRECISION) {
    return cannot(
      topic,
      SIZES[message] ?? "its bytes do not fit the schema it names",
      "look at what produces to the topic",
    );
  }
  return cannot(
    topic,
    `the long in ${fields().join(", ") || "a field"} is beyond 2^53, where a number is not exact`,
    'read longs as bigint (longs: "bigint"), or leave the field out of the reader\'s schema',
  );
}

/** The fields whose longs a number cannot hold: read once more, every long a bigint. */
function beyond(writer: Json, reader: Reader | undefined, bytes: Buffer): readonly string[] {
  if (reader === undefined) return longsBeyond(typeOf(writer, "bigint"), bytes);
  const exact = { ...reader, type: typeOf(reader.json, "bigint") };
  const resolver = resolverOf(exact, typeOf(writer, "number"));
  return typeof resolver === "object" ? longsBeyond(exact.type, bytes, resolver) : [];
}

function typeOf(json: Json, longs: Longs): avsc.Type {
  return avscType(json as avsc.Schema, longs); // avsc says what is no schema
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Field names from the root of the longs that a number cannot hold, `[]` for items and `{}` for a map's values. */
function longsBeyond(type: avsc.Type, bytes: Buffer, resolver?: avsc.Resolver): readonly string[] {
  const found = new Set<string>();
  const look = (value: unknown, path: string): void => {
    if (typeof value === "bigint") {
      if (!Number.isSafeInteger(Number(value))) found.add(path);
    } else if (Array.isArray(value)) {
      for (const item of value) look(item, `${path}[]`);
    } else if (typeof value === "object" && value !== null && !Buffer.isBuffer(value)) {
      // avsc's records have a class of their own. A map's keys are data, which no message shows.
      const isMap = Object.getPrototypeOf(value) === Object.prototype;
      for (const [name, member] of Object.entries(value)) look(member, isMap ? `${path}{}` : joined(path, name));
    }
  };
  look(type.fromBuffer(bytes, resolver), "");
  return [...found];
}

function joined(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
