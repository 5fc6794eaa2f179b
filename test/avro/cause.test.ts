import { describe, expect, it, test } from "vitest";
import { explainCauses } from "../../src/avro/cause.ts";
import { checkCompatibility } from "../../src/avro/compatibility.ts";
import { parseSchema } from "../../src/avro/parse.ts";
import type { Json } from "../../src/table/shape.ts";
import { rows } from "./rows.ts";

interface Row {
  reader: Json;
  writer: Json;
}

describe.each(["avro-reader-writer.jsonl", "avro-random-pairs.jsonl"])("%s", (file) => {
  it("has causes exactly where Java sees an incompatibility", () => {
    for (const { reader, writer } of rows<Row>(file)) {
      const schemas = [parseSchema(reader), parseSchema(writer)] as const;
      const causes = explainCauses(...schemas);
      const { compatible } = checkCompatibility(...schemas);
      expect({ reader, writer, explained: causes.length > 0 }).toEqual({ reader, writer, explained: !compatible });
    }
  });
});

const value = (name: string, ...fields: Json[]): Json => ({ type: "record", name, fields });
const id: Json = { name: "id", type: "int" };
const zip = (type: Json): Json => ({ name: "zip", type });
const envelope = (row: Json): Json =>
  value(
    "Envelope",
    { name: "before", type: ["null", row], default: null },
    { name: "after", type: ["null", "Value"], default: null },
  );
const E = (...symbols: string[]): Json => ({ type: "enum", name: "E", symbols });

const CASES: readonly [name: string, reader: Json, writer: Json, causes: readonly (readonly string[])[]][] = [
  [
    "a missing column, through the envelope's unions",
    envelope(value("Value", id, zip("string"))),
    envelope(value("Value", id)),
    [
      ["before.zip", "avro/reader-field-missing-default", "always"],
      ["after.zip", "avro/reader-field-missing-default", "always"],
    ],
  ],
  [
    "null where the reader takes none",
    value("R", zip("string")),
    value("R", zip(["null", "string"])),
    [["zip", "avro/type-mismatch", "on-some-data"]],
  ],
  [
    "one branch of several",
    value("R", zip(["null", "string"])),
    value("R", zip(["null", "string", "int"])),
    [["zip", "avro/missing-union-branch", "on-some-data"]],
  ],
  [
    "the type of a nullable column",
    value("R", zip(["null", "int"])),
    value("R", zip(["null", "string"])),
    [["zip", "avro/missing-union-branch", "always"]],
  ],
  ["a record's name only", value("R", id), value("S", id), [["", "avro/name-mismatch", "by-policy"]]],
  [
    "a record's name only, in a union",
    ["int", value("R", id)],
    ["int", value("S", id)],
    [["", "avro/name-mismatch", "by-policy"]],
  ],
  ["an enum's name", { type: "enum", name: "F", symbols: ["A"] }, E("A"), [["", "avro/name-mismatch", "always"]]],
  [
    "an enum's symbols",
    value("R", zip(E("A"))),
    value("R", zip(E("A", "B"))),
    [["zip", "avro/missing-enum-symbols", "on-some-data"]],
  ],
  [
    "inside arrays and maps",
    value("R", zip({ type: "array", items: { type: "map", values: "int" } })),
    value("R", zip({ type: "array", items: { type: "map", values: "string" } })),
    [["zip.[].{}", "avro/type-mismatch", "always"]],
  ],
  [
    "an alias beside the name",
    value("R", { name: "zip", type: "int", aliases: ["plz"] }),
    value("R", zip("int"), { name: "plz", type: "int" }),
    [["zip", "avro/ambiguous-alias", "always"]],
  ],
  [
    "a fixed's size",
    { type: "fixed", name: "F", size: 2 },
    { type: "fixed", name: "F", size: 4 },
    [["", "avro/fixed-size-mismatch", "always"]],
  ],
];

test.each(CASES)("%s", (_, reader, writer, expected) => {
  const causes = explainCauses(parseSchema(reader), parseSchema(writer));
  expect(causes.map(({ path, rule, certainty }) => [path.join("."), rule, certainty])).toEqual(expected);
});
