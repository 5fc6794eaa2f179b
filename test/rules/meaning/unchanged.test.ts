import { expect, test } from "vitest";
import { MEANING_RULES, meaningFindings } from "../../../src/rules/meaning/meaning.ts";
import { decimal, type Fields, MICROS, MILLIS, nullable, of, row } from "./readings.ts";
import type { Json } from "../../../src/json.ts";

const ENUM: Json = { type: "enum", name: "E", symbols: ["A", "B"], default: "A" };
const TYPES: readonly Json[] = ["int", "long", "double", "string", "bytes", MILLIS, MICROS, decimal(10, 2), ENUM];
const FIELDS: readonly Fields[] = [
  [],
  ...TYPES.flatMap((type) => [of(type), nullable(type), of({ type: "array", items: type })]),
  of(["null", "int", "string"]),
  [{ name: "c", type: "int", default: 5 }],
  [{ name: "c", type: ENUM, default: "B" }],
];

test("no rule finds anything in an unchanged field that is read without an alias, so none is applied to it", () => {
  for (const fields of FIELDS) {
    for (const own of [undefined, ...FIELDS]) {
      const [from, to] = [row(fields), row(fields)];
      const consumers = [{ fields: ["c"] }, {}].map((more) => ({ ...more, row: own && row(own), runtime: "kafkajs" }));
      for (const consumer of consumers) {
        const change = { name: "c", before: from.fields[0], after: to.fields[0], from, to, consumer };
        const found = MEANING_RULES.filter((rule) => rule.find(change) !== undefined);
        expect(found.map(({ id }) => ({ id, fields, own }))).toEqual([]);
      }
    }
  }
});

test("where a reader's own schema already disagrees, every candidate has the finding, by the contract's runtime", () => {
  const [before, own] = [row(of(["null", "int", "long"])), row(of(["null", "long", "int"]))];
  const told = (after: Fields, runtime?: string) =>
    meaningFindings(before, row(after), { row: own, runtime }).map(({ rule, name, severity }) => [
      rule,
      name,
      severity,
    ]);
  const added = [...of(["null", "int", "long"]), { name: "d", type: "int" }];
  const order = ["meaning/union-order", "c", "warning"];
  expect([told(added), told(added), told(added, "java"), told(added)]).toEqual([[order], [order], [], [order]]);
});
