import { Buffer } from "node:buffer";
import avsc from "avsc";
import { expect, test } from "vitest";
import { checkCompatibility } from "../../../src/avro/reading/compatibility.ts";
import { parseSchema } from "../../../src/avro/parse.ts";
import { RUNTIME_RULES, runtimeFindings } from "../../../src/rules/runtime/runtime.ts";
import { datum, turns } from "./datum.ts";
import { decoded } from "./decoding.ts";
import { isSame } from "./same.ts";
import type { Json } from "../../../src/json.ts";

type Row = Readonly<Record<string, Json>>;
const of = (fields: Row, more: Row = {}): Json => ({
  type: "record",
  name: "R",
  ...more,
  fields: Object.entries(fields).map(([name, type]) => ({ name, type })),
});
const NONE = of({ k: "int" });
/** A reader with a default for one field that the events do not have. */
const withDefault = (type: Json, value: Json): Json => ({
  type: "record",
  name: "R",
  fields: [
    { name: "k", type: "int" },
    { name: "f", type, default: value },
  ],
});
const ints = (name: string, fields: readonly string[], more: Row = {}): Json => ({
  type: "record",
  name,
  ...more,
  fields: fields.map((field) => ({ name: field, type: "int" })),
});
const E = { type: "enum", name: "E", symbols: ["X"] };
const M = ints("M", ["x"], { aliases: ["N"] });

/** The rule, the reader's schema, the writer's (undefined: the same), and what avsc does. */
const CASES: Readonly<
  Record<string, readonly [rule: string, reader: Json, writer: Json | undefined, does: RegExp | Json]>
> = {
  "a record in another namespace": [
    "type-name",
    of({ f: ints("a.X", ["x"]) }),
    of({ f: ints("b.X", ["x"]) }),
    /no alias found/,
  ],
  "an enum in another namespace, in a union": [
    "type-name",
    of({ f: ["null", { type: "enum", name: "a.E", symbols: ["X"] }] }),
    of({ f: ["null", { type: "enum", name: "b.E", symbols: ["X"] }] }),
    /cannot read/,
  ],
  "bytes read as text": [
    "first-fit",
    of({ f: ["null", "string", "bytes"] }),
    of({ f: "bytes" }),
    { f: "\uFFFD\uFFFD" },
  ],
  "text read as bytes": [
    "first-fit",
    of({ f: ["null", "bytes", "string"] }),
    of({ f: ["null", "string"] }),
    { f: { bytes: "68c3a4" } },
  ],
  "a failed resolver that is handed out again": [
    "cached-resolver",
    of({ v: ["null", ints("N", ["x", "y"]), M], w: ["null", "N", "M"] }),
    of({ v: ["null", ints("N", ["x"])], w: ["null", "N"] }),
    /_read is not a function/,
  ],
  "a default that belongs to the second branch": [
    "default-refused",
    withDefault(["string", "null"], null),
    NONE,
    /first branch/,
  ],
  "the same in the writer's schema": ["default-refused", NONE, withDefault(["string", "null"], null), /first branch/],
  "a long default beyond 2^53": ["default-refused", withDefault("long", 2 ** 53), NONE, /incompatible field default/],
  "a long at the limit of JavaScript's numbers": [
    "default-refused",
    withDefault("long", 2 ** 53 - 1),
    NONE,
    /incompatible/,
  ],
  "a double default in letters": ["default-refused", withDefault("double", "NaN"), NONE, /incompatible field default/],
  "a fixed default that is too short": [
    "default-refused",
    withDefault({ type: "fixed", name: "F", size: 2 }, "a"),
    NONE,
    /incompatible field default/,
  ],
  "an enum default that is not a symbol": ["default-refused", withDefault(E, "Z"), NONE, /incompatible field default/],
  "a record default that leaves out bytes": [
    "default-refused",
    withDefault({ type: "record", name: "I", fields: [{ name: "b", type: "bytes", default: "x" }] }, {}),
    NONE,
    /cannot coerce to buffer/,
  ],
  "a type defined twice": ["defined-twice", of({ a: E, b: E }), of({ a: E, b: "E" }), /duplicate type name/],
  "a type used before its definition": [
    "schema-text",
    of({ a: ["null", "E"], b: E }),
    of({ a: ["null", E], b: "E" }),
    /undefined type name/,
  ],
  "a type named in an object": ["schema-text", of({ a: E, b: { type: "E" } }), of({ a: E, b: "E" }), /unknown type/],
  "a full name together with a namespace": [
    "schema-text",
    of({ e: E }, { name: "a.R", namespace: "b" }),
    of({ e: E }, { name: "a.R" }),
    /cannot read/,
  ],
  "a type without a namespace, from inside one": [
    "null-namespace",
    of({ e: E, n: of({ x: "E" }, { name: "q.N" }) }),
    undefined,
    /undefined type name: q.E/,
  ],
  "a letter beyond ASCII": ["name-refused", of({ straße: "int" }), undefined, /invalid field name/],
  "a type called int": ["name-refused", of({ f: ints("a.int", ["x"]) }), undefined, /cannot rename primitive/],
  "an empty union": ["empty-type", of({ k: "int", u: { type: "array", items: [] } }), undefined, /empty union/],
  "an enum without symbols": [
    "empty-type",
    withDefault({ type: "array", items: { type: "enum", name: "E", symbols: [] } }, []),
    NONE,
    /invalid enum symbols/,
  ],
  "a field __proto__ is lost": ["javascript-name", of(Object.fromEntries([["__proto__", "int"]])), undefined, {}],
  "a field constructor that is skipped": ["javascript-name", NONE, of({ constructor: "int", k: "int" }), /resolver/],
  "a symbol constructor": [
    "javascript-name",
    of({ f: { type: "enum", name: "E", symbols: ["constructor"] } }),
    undefined,
    /duplicate/,
  ],
};

test.each(Object.entries(CASES))("avsc 5.7.9 itself decodes: %s", (_, [rule, reader, writer = reader, does]) => {
  const [own, written] = [parseSchema(reader), parseSchema(writer)];
  expect(checkCompatibility(own, written).compatible).toBe(true);
  const readings = [0, 1, 2, 3].flatMap((turn) => {
    const bytes = bytesOf(written, turn);
    return bytes === undefined ? [] : [decoded({ reader, writer }, bytes)];
  });
  if (does instanceof RegExp) expect(readings.map(({ throws }) => throws)).toContainEqual(expect.stringMatching(does));
  else expect(readings.map(({ value }) => value)).toContainEqual(does);
  const told = runtimeFindings("avsc", { reader: own, writer: written, text: reader });
  expect(told.map((found) => found.rule)).toContain(`runtime/${rule}`);
  const effects = told.flatMap((found) => (found.rule === `runtime/${rule}` ? (found.effect ?? []) : []));
  expect(effects.filter((effect) => (effect === "throws") !== does instanceof RegExp)).toEqual([]);
  expect(runtimeFindings("java", { reader: own, writer: written, text: reader })).toEqual([]);
});

/** No bytes for an empty union, which has no values: avsc rejects the schema before it decodes anything. */
function bytesOf(written: ReturnType<typeof parseSchema>, turn: number): Buffer | undefined {
  try {
    return datum(written, turns(turn)).bytes;
  } catch {
    return Buffer.alloc(0);
  }
}

test.each([
  ["two numbers", ["null", "int", "double"], Buffer.from([2, 6]), { int: 3 }],
  ["text and an enum", ["string", E], Buffer.from([2, 0]), { E: "X" }],
  ["bytes and a fixed", ["bytes", { type: "fixed", name: "F", size: 1 }], Buffer.from([2, 7]), { F: Buffer.from([7]) }],
] as const)("avsc wraps the values of a union of %s", (_, union, bytes, value) => {
  const type = avsc.Type.forSchema([...union] as unknown as avsc.Schema); // JSON is what avsc parses
  expect({ ...(type.fromBuffer(bytes) as object) }).toEqual(value); // a wrapped value is an object
  const writer = parseSchema(of({ f: [...union] }));
  expect(runtimeFindings("avsc", { writer }).map(({ rule, path }) => [rule, path])).toEqual([
    ["runtime/wrapped-union", ["f"]],
  ]);
});

test("a union of null, text and a number is not wrapped", () => {
  const union: Json = ["null", "string", "int", "bytes", { type: "array", items: "int" }];
  expect(avsc.Type.forSchema(union as unknown as avsc.Schema).fromBuffer(Buffer.from([4, 6]))).toBe(3); // JSON
  expect(runtimeFindings("avsc", { writer: parseSchema(of({ f: union })) })).toEqual([]);
});

test("a logical type registered without _resolve throws at a plain long, and the finding is a warning", () => {
  class Instant extends avsc.types.LogicalType {
    override _fromValue(value: unknown): unknown {
      return value;
    }
  }
  const [reader, writer] = [of({ f: { type: "long", logicalType: "timestamp-millis" } }), of({ f: "long", g: "int" })];
  const logicalTypes = { "timestamp-millis": Instant as unknown as new () => avsc.types.LogicalType }; // as avsc's README has it
  expect(decoded({ reader, writer, logicalTypes }, Buffer.from([6, 6])).throws).toBe("abstract");
  expect(decoded({ reader, writer }, Buffer.from([6, 6])).value).toEqual({ f: 3 });
  const found = runtimeFindings("avsc", { reader: parseSchema(reader), writer: parseSchema(writer) });
  expect(found).toMatchObject([{ rule: "runtime/logical-type", severity: "warning", path: ["f"] }]);
});

test("a time in nanoseconds is beyond 2^53", () => {
  const event = of({ id: "int", ts_ns: ["null", "long"] });
  const [writer, reader] = [event, of({ id: "int" })];
  const bytes = Buffer.from("06028080d0dfbd94b98631", "hex"); // id 3, and 2026-01-01
  expect(decoded({ writer }, bytes)).toEqual({ throws: "potential precision loss" });
  expect(decoded({ writer, reader }, bytes)).toEqual({ value: { id: 3 } });
  const told = (more: object) =>
    runtimeFindings("avsc", { writer: parseSchema(writer), ...more }).map(({ rule }) => rule);
  expect(told({})).toEqual(["runtime/long-precision"]);
  expect(told({ reader: parseSchema(event) })).toEqual(["runtime/long-precision"]);
  expect([told({ longs: "bigint" }), told({ reader: parseSchema(reader) })]).toEqual([[], []]);
});

test("each rule about avsc has a case that proves it", () => {
  const about = RUNTIME_RULES.filter(({ runtimes }) => runtimes.includes("avsc")).map(({ id }) => id);
  const proved = Object.values(CASES).map(([rule]) => `runtime/${rule}`);
  expect(about.filter((id) => !proved.includes(id))).toEqual([
    "runtime/wrapped-union",
    "runtime/long-precision",
    "runtime/logical-type",
  ]);
});

test("an ordinary compatible pair has no findings, and avsc reads what was written", () => {
  const reader = of({ a: "long", b: ["null", "string", "long"], n: ["null", ints("N", ["x"])] });
  const writer = of({ a: "int", b: ["null", "string"], n: ["null", ints("N", ["x", "y"])], c: "double" });
  const [own, written] = [parseSchema(reader), parseSchema(writer)];
  expect(runtimeFindings("avsc", { reader: own, writer: written, text: reader })).toEqual([]);
  for (const turn of [0, 1, 2]) {
    const { bytes, read } = datum(written, turns(turn));
    const { value, throws } = decoded({ reader, writer }, bytes);
    expect(throws).toBeUndefined();
    expect(isSame(read(own), value)).toBe(true);
  }
});
