import { fc, test as law } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { parseSchema } from "../../src/avro/parse.ts";
import { type Contract, parseContract } from "../../src/contract/contract.ts";
import { checkFlowing, judge } from "../../src/contract/judge.ts";
import type { Json } from "../../src/json.ts";
import { hostileName, hostileWord, INHERITED } from "../hostile.ts";

/** An envelope whose row has these fields. */
function envelope(fields: readonly Json[]): Json {
  const row: Json = { type: "record", name: "Value", namespace: "inventory.public.customers", fields };
  return {
    type: "record",
    name: "Envelope",
    namespace: "inventory.public.customers",
    fields: [
      { name: "before", type: ["null", row], default: null },
      { name: "after", type: ["null", "Value"], default: null },
      { name: "op", type: "string" },
    ],
  };
}

const PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"] as const;
const primitive = fc.constantFrom(...PRIMITIVES);
/** Few names, so that a reader and the events have fields in common. */
const fieldName = fc.oneof(fc.constantFrom("id", "zip", "constructor", "__proto__", "toString"), hostileName);
const RUNTIMES = ["kafkajs", "avsc", "fastavro", "python-avro", "avro-rs", "ruby-avro", "java"] as const;
const symbols = fc.uniqueArray(hostileName, { minLength: 1, maxLength: 3 });

/** Types whose attributes, names, symbols and defaults are hostile. */
const type: fc.Arbitrary<Json> = fc.oneof(
  primitive,
  fc
    .tuple(fc.constantFrom("int", "string"), fc.constantFrom(...INHERITED))
    .map(([of, logicalType]): Json => ({ type: of, logicalType })),
  fc.tuple(primitive, hostileWord).map(([of, logicalType]): Json => ({ type: of, logicalType })),
  fc.tuple(primitive, hostileWord).map(([of, name]): Json => ({ type: of, "connect.name": name })),
  fc.tuple(primitive, hostileWord, fc.jsonValue()).map(
    ([of, key, value]): Json =>
      Object.fromEntries([["type", of], ...(key === "type" ? [] : [[key, value as Json]])]) as Json, // of JSON values
  ),
  fc.tuple(hostileName, symbols).map(([name, all]): Json => ({ type: "enum", name, symbols: all })),
  fc.tuple(hostileName, fc.nat(20)).map(([name, size]): Json => ({ type: "fixed", name, size })),
  primitive.map((items): Json => ({ type: "array", items })),
  primitive.map((values): Json => ({ type: "map", values })),
  fc.uniqueArray(primitive, { minLength: 1, maxLength: 3 }),
);

const field: fc.Arbitrary<Json> = fc.record(
  { name: fieldName, type, default: fc.oneof(fc.jsonValue(), hostileWord) as fc.Arbitrary<Json>, aliases: symbols },
  { requiredKeys: ["name", "type"] },
);

/** Fields that are valid together. A default that does not fit its type is left out. */
const row = fc.array(field, { maxLength: 4 }).map((fields) =>
  fields.reduce<readonly Json[]>((kept, one) => {
    const { default: _, ...plain } = one as Readonly<Record<string, Json>>; // as made above
    return (
      [
        [...kept, one],
        [...kept, plain],
      ].find((some) => isValid(envelope(some))) ?? kept
    );
  }, []),
);

function isValid(schema: Json): boolean {
  try {
    parseSchema(schema);
    return true;
  } catch {
    return false;
  }
}

/** The field as a consumer may write it that wants to harm: with another logical type. */
function withLogicalType(one: Json, logicalType: string): Json {
  const { default: _, ...plain } = one as Readonly<Record<string, Json>>; // as made above
  return typeof plain["type"] === "string" ? { ...plain, type: { type: plain["type"], logicalType } } : plain;
}

function nameOf(one: Json): unknown {
  return (one as { readonly name: string }).name; // as made above
}

const contract = fc.record(
  {
    version: fc.constant(1),
    environment: fc.constant("default"),
    consumer: hostileName,
    topic: fc.constant("inventory.public.customers"),
    decodesWith: fc.constantFrom("reader", "writer"),
    unknownFields: fc.constantFrom("accept", "reject"),
    view: fc.constantFrom("envelope", "row"),
    fields: fc.array(hostileWord, { maxLength: 3 }),
    ignores: fc.array(hostileWord, { maxLength: 3 }),
    groups: fc.array(hostileWord, { maxLength: 3 }),
    runtime: fc.oneof(hostileWord, fc.constantFrom(...RUNTIMES)),
    schema: fc.oneof(
      row.map(envelope),
      row.map((fields) => ({ type: "record", name: "Value", fields })),
    ),
    severity: fc.array(
      fc.record({
        rule: fc.constantFrom("meaning/renamed", "runtime/constructor"),
        field: hostileWord,
        severity: fc.constantFrom("error", "warning"),
        reason: fc.constant("because"),
        until: fc.constant("2999-12-31"),
      }),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: ["version", "environment", "consumer", "topic", "decodesWith", "unknownFields"] },
);

/** The contract as the service reads it; undefined if it refuses it. */
function read(json: unknown): Contract | undefined {
  try {
    return parseContract(json);
  } catch {
    return undefined;
  }
}

describe("hostile contracts", () => {
  law.prop([contract, row, row, fc.boolean(), hostileWord], { numRuns: 500 })(
    "every contract that can be read is judged",
    (json, before, after, isSame, logicalType) => {
      const own = before.map((one) => withLogicalType(one, logicalType));
      const parsed = read(isSame ? { ...json, decodesWith: "reader", view: "envelope", schema: envelope(own) } : json);
      if (parsed === undefined) return;
      const [flowing, next] = [parseSchema(envelope(before)), parseSchema(envelope(after))];
      const added = after.map((one) => ({ name: String(nameOf(one)) }));
      const candidate = { topic: parsed.topic, envelope: next, flowing, added };
      expect(judge(parsed, candidate).verdict).toBeOneOf(["ready", "not-ready", "unknown"]);
      expect(checkFlowing(parsed, flowing).verdict).toBeOneOf(["ready", "not-ready", "unknown"]);
    },
  );
});
