import { expect, test } from "vitest";
import { found, of, reading } from "./readings.ts";

const labels = (symbols: string[], fallback?: string) => ({
  type: "enum",
  name: "Size",
  symbols,
  ...(fallback === undefined ? {} : { default: fallback }),
});

test("a reader of the old labels reads LARGE as its default", () => {
  const written = of(labels(["SMALL", "LARGE"], "SMALL"));
  expect(reading(written, of(labels(["SMALL"], "SMALL")), { c: "LARGE" })).toEqual({ c: "SMALL" });
});

test.each([
  ["a label behind a default", labels(["A"], "A"), labels(["A", "B"], "A"), ["meaning/enum-default c"]],
  ["without a default Avro refuses it", labels(["A"]), labels(["A", "B"]), []],
  ["a label less", labels(["A", "B"], "A"), labels(["A"], "A"), []],
])("%s", (_, before, after, expected) => {
  expect(found(of(before), of(after))).toEqual(expected);
});
