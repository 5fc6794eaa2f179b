import { describe, expect, it, vi } from "vitest";
import { eventReader } from "../../src/consumer/reader.ts";
import { readerFingerprint } from "../../src/contract/announcement.ts";
import { packagesLoadedBy } from "../cli/imports.ts";
import { framed, registryOf } from "./registry.ts";
import type { Json } from "../../src/json.ts";

const TOPIC = "inventory.public.customers";
const record = (fields: readonly Json[], more: { readonly [key: string]: Json } = {}): Json => ({
  type: "record",
  name: "Value",
  namespace: "inventory.public.customers",
  fields,
  ...more,
});
const LONG = { type: "long", "connect.version": 1, "connect.name": "io.debezium.time.MicroTimestamp" };
const DECIMAL = { type: "bytes", scale: 2, precision: 10, logicalType: "decimal" };
const WRITER = record([
  { name: "id", type: "long" },
  { name: "at", type: ["null", LONG], default: null },
  { name: "price", type: DECIMAL },
  { name: "name", type: ["null", "string"], default: null },
]);
const BIG = 2n ** 62n + 1n;
const VALUE = { id: 7n, at: BIG, price: Buffer.from([4, 210]), name: "žena 😀" };

const decoded = (reader: Json | undefined, writer: Json, value: unknown, longs: "bigint" | "number" = "bigint") =>
  eventReader({ registry: registryOf({ 5: writer }), topic: TOPIC, schema: reader, longs }).decode(
    framed(5, writer, value),
  );

describe("an event is decoded", () => {
  it("with the schema it names: longs are bigints, even named ones, and decimals remain bytes", async () => {
    expect({ ...((await decoded(undefined, WRITER, VALUE)) as object) }).toEqual(VALUE);
  });

  it.each<[string, Json, unknown]>([
    [
      "without fields that the reader does not name",
      record([{ name: "at", type: ["null", LONG], default: null }]),
      { at: BIG },
    ],
    [
      "with the default of a field that the event lacks",
      record([{ name: "zip", type: "long", default: 5 }]),
      { zip: 5n },
    ],
    ["with a long as a double", record([{ name: "id", type: "double" }]), { id: 7 }],
    [
      "a field by its alias",
      record([{ name: "title", aliases: ["name"], type: ["null", "string"] }]),
      { title: VALUE.name },
    ],
    [
      "a record of another namespace",
      { ...(record([{ name: "id", type: "long" }]) as object), namespace: "other" },
      { id: 7n },
    ],
  ])("with the reader's schema: %s", async (_, reader, expected) => {
    expect({ ...((await decoded(reader, WRITER, VALUE)) as object) }).toEqual(expected);
  });

  it("with a bigint for an int that is read as a long", async () => {
    const [int, long] = ["int", "long"].map((type) => record([{ name: "id", type }]));
    expect(await decoded(long, int ?? null, { id: 5 })).toMatchObject({ id: 5n });
  });

  it("with the branch's name only for unions that JavaScript cannot tell apart", async () => {
    const writer = record([
      { name: "a", type: ["null", "int", "double"] },
      { name: "b", type: ["null", "int", "string"] },
    ]);
    const value = { a: { double: 3.5 }, b: 4 };
    expect({ ...((await decoded(undefined, writer, value)) as object) }).toEqual(value);
  });

  it("and a key with the key's own schema, also if the consumer has a schema for the events", async () => {
    const key: Json = { type: "record", name: "Key", namespace: TOPIC, fields: [{ name: "id", type: "long" }] };
    const schema = record([{ name: "name", type: ["null", "string"], default: null }]);
    const reader = eventReader({ registry: registryOf({ 4: key, 5: WRITER }), topic: TOPIC, schema });
    const message = { key: framed(4, key, { id: 7n }), value: framed(5, WRITER, VALUE) };
    expect({ ...((await reader.decode(message.key, {}, "key")) as object) }).toEqual({ id: 7n });
    expect({ ...((await reader.decode(message.value, {})) as object) }).toEqual({ name: VALUE.name });
    expect({ ...((await reader.decode(message.key, {}, "key")) as object) }).toEqual({ id: 7n });
  });

  it("to null without a value and without asking the registry", async () => {
    const registry = registryOf({});
    const reader = eventReader({ registry, topic: TOPIC });
    expect([await reader.decode(null), await reader.decode(undefined), registry.asked]).toEqual([null, null, []]);
  });
});

describe("an event that names its schema in a header", () => {
  const GUID = Buffer.from("018f1d7a2b3c4d5e6f708192a3b4c5d6e7", "hex"); // a version and 16 bytes
  const registry = registryOf({ 5: WRITER });
  const reader = eventReader({ registry, topic: TOPIC });
  /** Plain Avro without a prefix; it happens to start like the id of a schema that the registry has. */
  const bare = Buffer.from([0, 0, 0, 0, 5, 14, 0, 0]);

  it.each<["value" | "key", unknown]>([
    ["value", GUID],
    ["key", GUID],
    ["value", [GUID, GUID]],
    ["value", Buffer.from([0, 0, 0, 0, 5])],
  ])("is not read, and the error says which: %s", async (part, header) => {
    const error = await reader.decode(bare, { [`__${part}_schema_id`]: header }, part).catch((one: unknown) => one);
    expect(error).toMatchObject({
      code: "event-unreadable",
      message: expect.stringContaining(`an event of ${TOPIC} names its schema in the header __${part}_schema_id`),
      next: expect.stringContaining(`${part}.schema.id.serializer`),
    });
    expect(registry.asked).toEqual([]);
  });

  it("is decoded if the header is for the other part, or has no value", async () => {
    const value = framed(5, WRITER, VALUE);
    for (const headers of [{ __key_schema_id: GUID }, { __value_schema_id: null }, { other: GUID }, undefined]) {
      expect({ ...((await reader.decode(value, headers)) as object) }).toEqual(VALUE);
    }
    const key = { __value_schema_id: GUID };
    expect({ ...((await reader.decode(value, key, "key")) as object) }).toEqual(VALUE);
  });

  it("is still null if it is a tombstone", async () => {
    expect(await reader.decode(null, { __value_schema_id: GUID })).toBeNull();
  });
});

describe("a long beyond 2^53 read as a number", () => {
  it.each<[string, Json, unknown, string]>([
    ["of a row", WRITER, VALUE, "at"],
    ["inside a list", record([{ name: "of", type: { type: "array", items: "long" } }]), { of: [1n, BIG] }, "of[]"],
    ["inside a map", record([{ name: "of", type: { type: "map", values: "long" } }]), { of: { secret: BIG } }, "of{}"],
    [
      "inside a record",
      record([{ name: "source", type: { type: "record", name: "S", fields: [{ name: "ts_ns", type: "long" }] } }]),
      { source: { ts_ns: BIG } },
      "source.ts_ns",
    ],
  ])("%s is an error that names the field and not the value", async (_, writer, value, field) => {
    for (const reader of [undefined, writer]) {
      const error = await decoded(reader, writer, value, "number").catch((one: unknown) => one);
      expect(error).toMatchObject({ code: "event-unreadable", next: expect.stringContaining("bigint") });
      expect(String(error)).toContain(`the long in ${field} is beyond 2^53`);
      expect(String(error)).not.toMatch(/secret|46116/);
    }
  });
  it("is not an error if the reader's schema leaves the field out", async () => {
    expect(await decoded(record([{ name: "id", type: "long" }]), WRITER, VALUE, "number")).toMatchObject({ id: 7 });
  });
});

describe("an error about an unreadable event contains none of its bytes", () => {
  const bad = (value: Buffer) =>
    eventReader({ registry: registryOf({ 5: WRITER }), topic: TOPIC })
      .decode(value)
      .catch((one: unknown) => one);
  const fine = framed(5, WRITER, VALUE);
  it.each<[string, Buffer, string, string]>([
    ["nothing", Buffer.alloc(0), "event-unreadable", "it has 0 bytes"],
    ["less than a header", Buffer.from([0, 0, 0, 5]), "event-unreadable", "it has 4 bytes"],
    ["JSON", Buffer.from('{"secret":1}'), "event-unreadable", "its first byte is not 0"],
    ["an unknown id", framed(6, WRITER, VALUE), "not-found", "schema 6"],
    ["a truncated event", fine.subarray(0, 20), "event-unreadable", "it is shorter than"],
    [
      "an event with trailing bytes",
      Buffer.concat([fine, Buffer.from("secret")]),
      "event-unreadable",
      "it is longer than",
    ],
    [
      "bytes of another schema",
      Buffer.concat([fine.subarray(0, 6), Buffer.from([0x7f])]),
      "event-unreadable",
      "do not match",
    ],
  ])("%s", async (_, value, code, text) => {
    const error = await bad(value);
    expect(error).toMatchObject({ code, message: expect.stringContaining(text), next: expect.any(String) });
    expect(String(error)).toContain(TOPIC);
    expect(String(error)).not.toMatch(/secret|žena/);
  });

  it("a schema that is not Avro", async () => {
    const registry = { getSchema: () => Promise.resolve({ validate: () => true }) };
    await expect(eventReader({ registry, topic: TOPIC }).decode(fine)).rejects.toMatchObject({
      code: "event-unreadable",
      message: expect.stringContaining("not Avro"),
    });
  });

  it("a reader without a required default: the error names the field and what to do", async () => {
    await expect(decoded(record([{ name: "zip", type: "string" }]), WRITER, VALUE)).rejects.toMatchObject({
      code: "event-unreadable",
      message: expect.stringContaining("zip"),
      next: expect.stringContaining("default"),
    });
  });

  it("a pair that Avro's rules allow but avsc does not", async () => {
    const inner = (name: string, more: object = {}) => ({
      type: "record",
      name,
      fields: [{ name: "x", type: "int" }],
      ...more,
    });
    const two = {
      type: "record",
      name: "P",
      aliases: ["N"],
      fields: [
        { name: "x", type: "int" },
        { name: "y", type: "int" },
      ],
    };
    const reader = record(
      [
        { name: "v", type: ["null", two, inner("M", { aliases: ["N"] })] },
        { name: "w", type: ["null", "P", "M"] },
      ],
      { namespace: "" },
    );
    const writer = record(
      [
        { name: "v", type: ["null", inner("N")] },
        { name: "w", type: ["null", "N"] },
      ],
      { namespace: "" },
    );
    await expect(decoded(reader, writer, { v: { x: 1 }, w: { x: 2 } })).rejects.toMatchObject({
      code: "event-unreadable",
      message: expect.stringContaining("avsc refuses what Avro's rules allow: "),
      next: expect.stringContaining("docs/rules/runtime/cached-resolver.md"),
    });
  });

  it("a record in a different namespace, if a union could mistake it for a second type", async () => {
    const inner = (name: string) => ({ type: "record", name, fields: [{ name: "x", type: "int" }] });
    const of = (...fields: readonly Json[]) => record(fields.map((type, at) => ({ name: `f${at}`, type })));
    const reader = of([inner("a.X"), inner("b.X")], inner("c.Y"));
    const writer = of(inner("b.X"), inner("d.Y"));
    await expect(decoded(reader, writer, { f0: { x: 1 }, f1: { x: 2 } })).rejects.toMatchObject({
      code: "event-unreadable",
      next: expect.stringContaining("docs/rules/runtime/type-name.md"),
    });
  });

  it("a record with a different name: the error says what to do", async () => {
    const other = { ...(WRITER as object), name: "Row" };
    await expect(decoded(other, WRITER, VALUE)).rejects.toMatchObject({
      code: "event-unreadable",
      next: expect.stringContaining("alias"),
    });
    expect(await decoded({ ...other, aliases: ["Value"] }, WRITER, VALUE)).toMatchObject({ id: 7n });
  });

  it("a reader's schema is refused before the first event", () => {
    const twice = record([
      { name: "a", type: { type: "fixed", name: "F", size: 1 } },
      { name: "b", type: { type: "fixed", name: "F", size: 1 } },
    ]);
    for (const schema of [twice, { type: "recrod" }]) {
      expect(() => eventReader({ registry: registryOf({}), topic: TOPIC, schema })).toThrow("[schema-invalid]");
    }
    expect(() => eventReader({ registry: registryOf({}), topic: TOPIC, schema: twice })).toThrow(
      expect.objectContaining({ next: expect.stringContaining("docs/rules/runtime/defined-twice.md") }),
    );
  });
});

describe("the registry", () => {
  it("is asked once for each schema, however many events need it at the same time", async () => {
    const registry = registryOf({ 5: WRITER });
    const reader = eventReader({ registry, topic: TOPIC });
    const event = framed(5, WRITER, VALUE);
    await Promise.all(Array.from({ length: 50 }, () => reader.decode(event)));
    expect(registry.asked).toEqual([5]);
  });

  it("is asked again one second after a failure, and not earlier", async () => {
    vi.useFakeTimers();
    try {
      const schemas: Record<number, Json> = {};
      const registry = registryOf(schemas);
      const reader = eventReader({ registry, topic: TOPIC });
      const event = framed(5, WRITER, VALUE);
      for (let i = 0; i < 3; i++) await expect(reader.decode(event)).rejects.toMatchObject({ code: "not-found" });
      expect(registry.asked).toEqual([5]);
      schemas[5] = WRITER;
      await vi.advanceTimersByTimeAsync(1000);
      expect(await reader.decode(event)).toMatchObject({ id: 7n });
    } finally {
      vi.useRealTimers();
    }
  });

  it("that is down gives an error worth a retry", async () => {
    const registry = { getSchema: () => Promise.reject(Object.assign(new Error("status 400"), { status: 400 })) };
    const reader = eventReader({ registry, topic: TOPIC });
    await expect(reader.decode(framed(5, WRITER, VALUE))).rejects.toMatchObject({
      code: "registry-down",
      fate: "retry",
    });
  });

  it("is asked again only for the oldest of more than a hundred schemas", async () => {
    const int: Json = record([{ name: "n", type: "int" }]);
    const registry = registryOf(Object.fromEntries(Array.from({ length: 102 }, (_, id) => [id, int])));
    const reader = eventReader({ registry, topic: TOPIC });
    for (let id = 0; id < 102; id++) await reader.decode(framed(id, int, { n: 1 }));
    await reader.decode(framed(101, int, { n: 1 }));
    await reader.decode(framed(0, int, { n: 1 }));
    expect(registry.asked).toHaveLength(103);
  });
});

it("a reader's fingerprint equals the one of its schema in a contract; without a schema there is none", () => {
  const registry = registryOf({});
  expect(eventReader({ registry, topic: TOPIC, schema: WRITER }).fingerprint).toBe(readerFingerprint(WRITER));
  expect(eventReader({ registry, topic: TOPIC }).fingerprint).toBeUndefined();
});

it("a consumer's process loads avsc and kafkajs, and no part of the service", () => {
  expect(packagesLoadedBy("consumer/consumer.ts")).toEqual(["avsc", "kafkajs"]);
});
