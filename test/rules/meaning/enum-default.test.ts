import { expect, test } from "vitest";
import { found, of, reading } from "./readings.ts";

const labels = (symbols: string[], fallback?: string) => ({
  type: "enum",
  name: "Size",
  symbols,
  ...(fallback === undefined ? {} : { default: fallback }),
});

test("a reader with the old labels reads LARGE as its default", () => {
  const written = of(labels(["SMALL", "LARGE"], "SMALL"));
  expect(reading(written, of(labels(["SMALL"], "SMALL")), { c: "LARGE" })).toEqual({ c: "SMALL" });
});

test.each([
  ["a new label, and a default", labels(["A"], "A"), labels(["A", "B"], "A"), ["meaning/enum-default c"]],
  ["without a default, which Avro's rules find", labels(["A"]), labels(["A", "B"]), []],
  ["a removed label", labels(["A", "B"], "A"), labels(["A"], "A"), []],
])("%s", (_, before, after, expected) => {
  expect(found(of(before), of(after))).toEqual(expected);
});
