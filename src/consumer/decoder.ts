import type avsc from "avsc";
import { explainCauses } from "../avro/reading/cause.ts";
import type { Cause } from "../avro/reading/cause-text.ts";
import { parseSchema } from "../avro/parse.ts";
import { messageOf, type RuntimeFinding, runtimeFindings, type RuntimePair } from "../rules/runtime/runtime.ts";
import type { AvroSchema } from "../avro/schema.ts";
import { GuardError } from "../errors.ts";
import { readerType } from "./exact-union.ts";
import { avscType } from "./long.ts";
import type { Longs } from "../rules/runtime/rule.ts";
import { resolverOf } from "./resolver.ts";
import type { Json } from "../json.ts";
import { page } from "../page.ts";

/**
 * Decodes events with avsc for `fieldgate/consumer`. avsc is used for a pair of schemas only if Avro's rules allow it.
 * Every error names the field and what to do, but never contains a value of the event.
 */

/** Decodes the bytes of one event, without framing, to a value. */
export type Decode = (bytes: Buffer) => unknown;

/** A consumer's own schema, parsed once. */
export interface Reader {
  readonly json: Json;
  readonly schema: AvroSchema;
  readonly type: avsc.Type;
}

/** Throws `schema-invalid` if `json` is not an Avro schema, or if avsc does not accept it. */
export function readerOf(topic: string, json: Json, longs: Longs): Reader {
  const schema = parseSchema(json);
  try {
    return { json, schema, type: ownType(json, longs) };
  } catch (cause) {
    const known = refusalOf({ reader: schema, writer: schema, text: json });
    const message = `avsc does not accept the reader's schema for ${topic}: ${known === undefined ? reason(cause) : messageOf(known, known.path)}`;
    throw new GuardError("schema-invalid", message, { ...(known && { next: nextOf(known) }), cause });
  }
}

/**
 * Creates the decoder for events written with `writer`. If there is a reader, the decoded events have the reader's
 * form. Create it once per writer's schema: compiling takes longer than decoding hundreds of events. Throws
 * `event-unreadable` if the reader cannot read the writer's schema.
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
    throw cannot(topic, `avsc does not accept the writer's schema: ${reason(cause)}`);
  }
}

/**
 * avsc has its own rules, and Fieldgate has judged this reader by Java's, so both must accept this reader for this
 * writer. The exception is a difference only in a record's name, which Java's rule rejects as a matter of policy: in
 * that case avsc decides.
 */
function resolverFor(topic: string, writer: Json, written: avsc.Type, reader: Reader): avsc.Resolver {
  const schema = parseSchema(writer);
  const causes = explainCauses(reader.schema, schema);
  const certain = causes.find(({ certainty }) => certainty !== "by-policy");
  if (certain !== undefined) throw cannot(topic, causeText(certain), certain.remedy);
  const resolver = resolverOf(reader, written);
  if (typeof resolver === "object") return resolver;
  const [name] = causes;
  if (name !== undefined) throw cannot(topic, causeText(name), name.remedy);
  throw refusedByAvsc(topic, resolver, { reader: reader.schema, writer: schema, text: reader.json });
}

/** The error for a pair that avsc refuses although Java's rule allows it. */
function refusedByAvsc(topic: string, why: string, pair: RuntimePair): GuardError {
  const known = refusalOf(pair);
  const what = `avsc refuses what Avro's rules allow: ${known === undefined ? why : messageOf(known, known.path)}`;
  return known === undefined ? cannot(topic, what) : cannot(topic, what, nextOf(known));
}

/** The runtime rule that explains why avsc cannot read the pair at all. */
function refusalOf(pair: RuntimePair): RuntimeFinding | undefined {
  return runtimeFindings("avsc", pair).find(({ whole, rule }) => whole === true || rule === "runtime/cached-resolver");
}

function nextOf({ remedy, rule }: RuntimeFinding): string {
  return `${remedy}; see ${page(`rules/${rule}.md`)}`;
}

function causeText({ path, message }: Cause): string {
  return path.length === 0 ? message : `${path.join(".")}: ${message}`;
}

function cannot(
  topic: string,
  why: string,
  next = "`fieldgate rules` lists how client libraries differ from Avro's rules",
): GuardError {
  return new GuardError("event-unreadable", `an event of ${topic} cannot be read: ${why}`, { next });
}

const PRECISION = "potential precision loss";
const SIZES: Readonly<Record<string, string>> = {
  "truncated buffer": "it is shorter than its schema requires",
  "trailing data": "it is longer than its schema allows",
};

/** avsc's own text is not quoted, because it can contain values of the event. */
function unreadable(topic: string, error: unknown, fields: () => readonly string[]): GuardError {
  const message = reason(error);
  if (message !== PRECISION) {
    return cannot(
      topic,
      SIZES[message] ?? "its bytes do not match the schema that it names",
      "check which application produces to the topic",
    );
  }
  return cannot(
    topic,
    `the long in ${fields().join(", ") || "a field"} is beyond 2^53, where JavaScript numbers are not exact`,
    'read longs as bigint (longs: "bigint"), or leave the field out of the reader\'s schema',
  );
}

/**
 * Finds the fields with longs that a number cannot represent exactly, by reading the event again with every long as a
 * bigint.
 */
function beyond(writer: Json, reader: Reader | undefined, bytes: Buffer): readonly string[] {
  if (reader === undefined) return longsBeyond(typeOf(writer, "bigint"), bytes);
  const exact = { ...reader, type: ownType(reader.json, "bigint") };
  const resolver = resolverOf(exact, typeOf(writer, "number"));
  return typeof resolver === "object" ? longsBeyond(exact.type, bytes, resolver) : [];
}

function ownType(json: Json, longs: Longs): avsc.Type {
  return readerType(json as avsc.Schema, longs); // avsc itself rejects anything that is not a schema.
}

function typeOf(json: Json, longs: Longs): avsc.Type {
  return avscType(json as avsc.Schema, longs); // avsc itself rejects anything that is not a schema.
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * The paths of longs that a number cannot represent exactly; `[]` stands for an array's items and `{}` for a map's
 * values.
 */
function longsBeyond(type: avsc.Type, bytes: Buffer, resolver?: avsc.Resolver): readonly string[] {
  const found = new Set<string>();
  const visit = (value: unknown, path: string): void => {
    if (typeof value === "bigint") {
      if (!Number.isSafeInteger(Number(value))) found.add(path);
    } else if (Array.isArray(value)) {
      for (const item of value) visit(item, `${path}[]`);
    } else if (typeof value === "object" && value !== null && !Buffer.isBuffer(value)) {
      // avsc gives each record type a class, so a plain object is a map. Its keys are data, and messages never show
      // data.
      const isMap = Object.getPrototypeOf(value) === Object.prototype;
      for (const [name, member] of Object.entries(value)) visit(member, isMap ? `${path}{}` : joined(path, name));
    }
  };
  visit(type.fromBuffer(bytes, resolver), "");
  return [...found];
}

function joined(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
