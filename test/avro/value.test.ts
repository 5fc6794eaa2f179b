import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { parseSchema } from "../../src/avro/parse.ts";
import { type AvroValue, jsonBytes, valueBytes, valueOfJson } from "../../src/avro/value.ts";
import type { Json } from "../../src/json.ts";
import { avscType } from "../event/avro.ts";

const RECORD: Json = {
  type: "record",
  name: "R",
  fields: [
    { name: "a", type: "long" },
    { name: "b", type: ["null", "string"], default: null },
    { name: "c", type: { type: "array", items: "bytes" }, default: ["ÿ"] },
  ],
};
const FIXED: Json = { type: "fixed", name: "F", size: 2 };
const ENUM: Json = { type: "enum", name: "E", symbols: ["x", "y"] };

describe("a JSON default", () => {
  it.each<[Json, Json, string]>([
    ["null", null, ""],
    ["boolean", true, "01"],
    ["int", -2147483648, "ffffffff0f"],
    ["long", 3, "06"],
    ["float", 1.5, "0000c03f"],
    ["string", "ž", "04c5be"],
    ["bytes", "ÿ", "02ff"],
    [FIXED, "\u0001ÿ", "01ff"],
    [ENUM, "y", "02"],
    [{ type: "array", items: "int" }, [], "00"],
    [{ type: "array", items: "int" }, [1, 2], "04020400"],
    [{ type: "map", values: "int" }, { k: 1 }, "02026b0200"],
    [["null", "string"], "a", "020261"],
    [["int", "long"], 2 ** 40, "02808080808040"],
    [RECORD, { a: 1 }, "02000202ff00"],
  ])("of type %j, %j, is written as %s", (type, json, hex) => {
    expect(jsonBytes(type, json)?.toString("hex")).toBe(hex);
  });

  it.each<[Json, Json]>([
    ["null", 0],
    ["int", 2147483648],
    ["int", 1.5],
    ["long", "1"],
    ["long", 2 ** 63],
    ["string", null],
    ["bytes", "ž"],
    [FIXED, "a"],
    [ENUM, "z"],
    [{ type: "array", items: "int" }, ["a"]],
    [["null", "string"], 1],
    [RECORD, {}],
    ["com.acme.NotDefined", 1],
  ])("of type %j cannot be %j", (type, json) => {
    expect(jsonBytes(type, json)).toBeUndefined();
  });

  it("of a record has the fields' defaults for missing members", () => {
    expect(valueOfJson(parseSchema(RECORD), { a: 1, more: 2 })).toEqual({ a: 1n, b: null, c: [Buffer.from([255])] });
  });
});

test("values have the bytes that avsc gives them", () => {
  const type = avscType(JSON.stringify(RECORD));
  const value = fc.record({
    a: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    b: fc.option(fc.string().filter((text) => text.isWellFormed())),
    c: fc.array(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
  });
  fc.assert(
    fc.property(value, (one: AvroValue & object) => {
      expect(valueBytes(parseSchema(RECORD), one)?.toString("hex")).toBe(type.toBuffer(one).toString("hex"));
    }),
  );
});
