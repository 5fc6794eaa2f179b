import avsc from "avsc";
import { expect, test } from "vitest";
import { eventReader } from "../../src/consumer/reader.ts";
import type { Json } from "../../src/json.ts";
import { framed, registryOf } from "./registry.ts";

const TOPIC = "t";
const of = (type: Json, more: object = {}): Json => ({
  type: "record",
  name: "R",
  fields: [{ name: "f", type, ...more }],
});
const inner = (name: string, fields: readonly string[], more: object = {}): Json => ({
  type: "record",
  name,
  fields: fields.map((field) => ({ name: field, type: "int" })),
  ...more,
});
const BYTES = Buffer.from([0xff, 0, 0x68]);

async function read(reader: Json, writer: Json, value: unknown): Promise<unknown> {
  const events = eventReader({ registry: registryOf({ 5: writer }), topic: TOPIC, schema: reader });
  const decoded = (await events.decode(framed(5, writer, { f: value }))) as { readonly f: unknown }; // the record R
  return decoded.f;
}

test("avsc alone reads bytes as text if the reader's union names text first", () => {
  const [reader, writer] = [["null", "string", "bytes"] as const, "bytes" as const].map((type) =>
    avsc.Type.forSchema(type as avsc.Schema),
  );
  if (reader === undefined || writer === undefined) throw new Error("two types");
  expect(reader.fromBuffer(writer.toBuffer(BYTES), reader.createResolver(writer))).toBe("\uFFFD\u0000h");
});

test.each<[string, Json, Json, unknown, unknown]>([
  ["bytes, where text comes first", ["null", "string", "bytes"], "bytes", BYTES, BYTES],
  ["bytes of a union", ["null", "string", "bytes"], ["null", "bytes"], BYTES, BYTES],
  ["text, where bytes come first", ["null", "bytes", "string"], "string", "hä", "hä"],
  ["text of a union in another order", ["null", "bytes", "string"], ["null", "string", "bytes"], "hä", "hä"],
  ["bytes of a union in another order", ["null", "string", "bytes"], ["null", "bytes", "string"], BYTES, BYTES],
  ["null", ["null", "string", "bytes"], ["null", "bytes"], null, null],
  [
    "bytes in an array",
    { type: "array", items: ["null", "string", "bytes"] },
    { type: "array", items: "bytes" },
    [BYTES],
    [BYTES],
  ],
  [
    "bytes in a map",
    { type: "map", values: ["string", "bytes"] },
    { type: "map", values: "bytes" },
    { a: BYTES },
    { a: BYTES },
  ],
  ["a long, where a double comes first", ["null", "double", "string", "long"], "long", 2n ** 60n + 1n, 2n ** 60n + 1n],
  ["bytes that only text can take", ["null", "string"], "bytes", Buffer.from("hä"), "hä"],
  ["an int, which no branch is exactly", ["null", "string", "long"], "int", 7, 7n],
])("a reader's union takes the branch of the written type: %s", async (_, reader, writer, value, expected) => {
  const found = await read(of(reader), of(writer), value);
  expect(plain(found)).toEqual(plain(expected));
});

test("a reader's union takes the record of the written name, although another one before it fits", async () => {
  const reader = of(["null", inner("A", ["x"], { aliases: ["C"] }), inner("B", ["x"])]);
  const found = await read(reader, of(inner("B", ["x", "y"])), { x: 1, y: 2 });
  expect(JSON.stringify(found)).toContain('"x":1');
  expect(Object.keys(found as object)).toEqual(["B"]);
});

test("a default of such a union is used", async () => {
  const reader = { type: "record", name: "R", fields: [{ name: "g", type: ["string", "bytes"], default: "new" }] };
  const events = eventReader({ registry: registryOf({ 5: of("int") }), topic: TOPIC, schema: reader });
  expect(await events.decode(framed(5, of("int"), { f: 1 }))).toMatchObject({ g: "new" });
});

test("a record that contains itself is read", async () => {
  const list = (name: string): Json => ({
    type: "record",
    name,
    fields: [
      { name: "f", type: ["null", "string", "bytes"] },
      { name: "next", type: ["null", name], default: null },
    ],
  });
  const writer = JSON.parse(JSON.stringify(list("R")).replace('["null","string","bytes"]', '"bytes"')) as Json; // JSON.parse gives JSON
  const events = eventReader({ registry: registryOf({ 5: writer }), topic: TOPIC, schema: list("R") });
  const value = { f: BYTES, next: { f: BYTES, next: null } };
  expect(plain(await events.decode(framed(5, writer, value)))).toEqual(plain(value));
});

/** Class instances as plain objects. */
function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return { bytes: value.toString("hex") };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
}
