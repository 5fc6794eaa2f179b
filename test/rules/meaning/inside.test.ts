import { describe, expect, test } from "vitest";
import { meaningFindings } from "../../../src/rules/meaning/meaning.ts";
import { decimal, found, MICROS, MILLIS, nullable, of, row } from "./readings.ts";
import type { Json } from "../../../src/json.ts";

const sizes = (...symbols: string[]): Json => ({ type: "enum", name: "Size", symbols, default: "S" });
const DATE: Json = { type: "int", logicalType: "date" };
const JSON_TEXT: Json = { type: "string", "connect.name": "io.debezium.data.Json" };

/** For each rule about types, one change that it finds. */
const CHANGES: readonly [rule: string, before: Json, after: Json, runtime?: string][] = [
  ["meaning/decimal-scale", decimal(10, 2), decimal(10, 4)],
  ["meaning/decimal-precision", decimal(10, 2), decimal(12, 2)],
  ["meaning/decimal-into-float", decimal(10, 2), "double"],
  ["meaning/time-unit", MILLIS, MICROS],
  ["meaning/date-or-timestamp", DATE, MICROS],
  ["meaning/logical-type", "string", JSON_TEXT],
  ["meaning/string-or-bytes", "string", "bytes"],
  ["meaning/enum-default", sizes("S"), sizes("S", "L")],
  ["meaning/long-beyond-javascript", "int", "long", "kafkajs"],
  ["meaning/not-null-lost", "int", ["null", "int"]],
  ["meaning/union-order", ["int", "string", "bytes"], ["int", "bytes", "string"]],
];

const record = (type: Json): Json => ({ type: "record", name: "Inner", fields: [{ name: "x", type }] });
const DISGUISES: readonly [name: string, path: string, wrap: (type: Json) => Json][] = [
  ["a record", "c.x", record],
  ["an optional record", "c.x", (type) => ["null", record(type)]],
  ["the records of an array", "c[].x", (type) => ({ type: "array", items: record(type) })],
  ["the records of a map", "c{}.x", (type) => ({ type: "map", values: ["null", record(type)] })],
  ["a record among other branches", "c.x", (type) => ["null", "string", record(type)]],
  [
    "a record in a record",
    "c.y.x",
    (type) => ({ type: "record", name: "O", fields: [{ name: "y", type: record(type) }] }),
  ],
];

describe.each(DISGUISES)("inside %s", (_, path, wrap) => {
  test.each(CHANGES)("%s is found, with its place", (rule, before, after, runtime) => {
    const [was, is] = [row(of(wrap(before))), row(of(wrap(after)))];
    const consumers = [{ runtime }, { runtime, row: was }];
    for (const consumer of consumers) {
      const told = meaningFindings(was, is, consumer).filter((one) => one.rule === rule);
      expect(told.map((one) => [one.name, one.path])).toEqual([["c", path]]);
    }
  });
  test.each(CHANGES)("%s is not reported to a reader that has the new meaning", (_rule, before, after, runtime) => {
    const [was, is] = [row(of(wrap(before))), row(of(wrap(after)))];
    const told = meaningFindings(was, is, { runtime, row: is }).map(({ rule }) => rule);
    expect(told.filter((rule) => rule !== "meaning/long-beyond-javascript")).toEqual([]);
  });
});

const OTHER: readonly [name: string, before: Json, after: Json, expected: readonly string[]][] = [
  [
    "one of three branches changed",
    ["null", "int", decimal(10, 2)],
    ["null", "int", decimal(10, 4)],
    ["meaning/decimal-scale"],
  ],
  ["the only branch whose type changed", ["null", "int", MILLIS], ["null", "int", MICROS], ["meaning/time-unit"]],
  [
    "a branch that changed while another was added",
    decimal(10, 2),
    [decimal(10, 4), "string"],
    ["meaning/decimal-scale"],
  ],
  ["text to bytes, next to a number", ["null", "int", "string"], ["null", "int", "bytes"], ["meaning/string-or-bytes"]],
  ["a branch was added", ["null", "int", decimal(10, 2)], ["null", "int", decimal(10, 2), "string"], []],
  ["two branches replace one: it is not known which follows it", ["null", "string"], ["null", "bytes", "int"], []],
];

test.each(OTHER)("a union: %s", (_, before, after, expected) => {
  expect(found(of(before), of(after)).map((text) => text.replace(/ c$/, ""))).toEqual(expected);
});

describe("a reader's alias", () => {
  const amount = (type: Json) => [{ name: "amount", type, default: null }];
  const optional = (type: Json): Json => ["null", type];
  const price = (type: Json, more = {}) => ({ row: row([{ name: "price", type, aliases: ["amount"], ...more }]) });
  const scale = [amount(optional(decimal(10, 2))), amount(optional(decimal(10, 4)))] as const;
  test("finds the change under its own name", () => {
    expect(found(...scale, price(optional(decimal(10, 2))))).toEqual(["meaning/decimal-scale amount"]);
  });
  test("has no finding if it already has the new meaning", () => {
    expect(found(...scale, price(optional(decimal(10, 4))))).toEqual([]);
  });
  test("has a finding without any change if it disagrees with what flows", () => {
    const flowing = amount(optional(decimal(10, 2)));
    expect(found(flowing, flowing, price(optional(decimal(10, 4))))).toEqual(["meaning/decimal-scale amount"]);
  });
  test("accepts null if its own field does", () => {
    const lost = [of("int"), nullable("int")] as const;
    const own = (type: Json) => ({ row: row([{ name: "d", type, aliases: ["c"] }]) });
    expect(found(...lost, own(["null", "int"]))).toEqual([]);
    expect(found(...lost, own("int"))).toEqual(["meaning/not-null-lost c"]);
  });
});

test("a nested field that the reader does not have is only a warning", () => {
  const inner = (x: Json) =>
    of({
      type: "record",
      name: "I",
      fields: [
        { name: "a", type: "int" },
        { name: "x", type: x },
      ],
    });
  const own = of({ type: "record", name: "I", fields: [{ name: "a", type: "int" }] });
  const severities = (mine?: ReturnType<typeof of>) =>
    meaningFindings(row(inner(MILLIS)), row(inner(MICROS)), mine === undefined ? {} : { row: row(mine) }).map(
      ({ severity }) => severity,
    );
  expect([severities(), severities(inner(MILLIS)), severities(own)]).toEqual([[undefined], [undefined], ["warning"]]);
});

test("a record that contains itself comes to an end, and two fields of one record are both reported", () => {
  const tree = (type: Json): Json => ({
    type: "record",
    name: "Tree",
    fields: [
      { name: "x", type },
      { name: "next", type: ["null", "Tree"] },
    ],
  });
  const two = (type: Json) => row([...of(tree(type)), { name: "d", type: "Tree" }]);
  const told = meaningFindings(two(MILLIS), two(MICROS)).map(({ path }) => path);
  expect(told).toEqual(["c.x", "d.x"]);
  // a row that contains itself
  const own = (type: Json) => row([...of(type), { name: "next", type: ["null", "Value"], default: null }]);
  expect(meaningFindings(own(MILLIS), own(MICROS)).map(({ path }) => path)).toContain("c");
});

test("a column's name does not apply to a nested field with the same name", () => {
  const inner = (...fields: Json[]) => of({ type: "record", name: "I", fields });
  const zip = { name: "zip", type: ["null", "string"], default: null };
  expect(found(inner(), inner(zip), { fields: ["zip"] })).toEqual([]);
});
