import { describe, expect, it, test } from "vitest";
import { explainCauses } from "../../../src/avro/reading/cause.ts";
import { checkCompatibility } from "../../../src/avro/reading/compatibility.ts";
import { parseSchema } from "../../../src/avro/parse.ts";
import { rows } from "../rows.ts";
import type { Json } from "../../../src/json.ts";

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
    "a missing column, inside the envelope's unions",
    envelope(value("Value", id, zip("string"))),
    envelope(value("Value", id)),
    [
      ["before.zip", "avro/reader-field-missing-default", "on-some-data"],
      ["after.zip", "avro/reader-field-missing-default", "on-some-data"],
    ],
  ],
  [
    "null where the reader does not accept it",
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
    "a changed type of a nullable column: null still decodes",
    value("R", zip(["null", "int"])),
    value("R", zip(["null", "string"])),
    [["zip", "avro/missing-union-branch", "on-some-data"]],
  ],
  ["only the name of a record", value("R", id), value("S", id), [["", "avro/name-mismatch", "by-policy"]]],
  [
    "only the name of a record, in a union",
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
    "a type inside arrays and maps, which may be empty",
    value("R", zip({ type: "array", items: { type: "map", values: "int" } })),
    value("R", zip({ type: "array", items: { type: "map", values: "string" } })),
    [["zip.[].{}", "avro/type-mismatch", "on-some-data"]],
  ],
  [
    "an alias that clashes with the name",
    value("R", { name: "zip", type: "int", aliases: ["plz"] }),
    value("R", zip("int"), { name: "plz", type: "int" }),
    [["zip", "avro/ambiguous-alias", "always"]],
  ],
  [
    "an alias that takes another field's value",
    value("R", { name: "zip", type: "int", aliases: ["plz"] }, { name: "plz", type: "int" }),
    value("R", { name: "plz", type: "int" }),
    [["plz", "avro/ambiguous-alias", "always"]],
  ],
  [
    "an alias that is the field's own name, next to one that clashes",
    value(
      "R",
      { name: "zip", type: ["float"], aliases: ["zip", "plz"], default: 0.5 },
      { name: "plz", type: "float", default: 0.5 },
    ),
    value("R", { name: "zip", type: "null" }, { name: "plz", type: "float" }),
    [
      ["zip", "avro/ambiguous-alias", "always"],
      ["plz", "avro/ambiguous-alias", "always"],
    ],
  ],
  [
    "two clashing aliases of a row's field: reported once, and nothing is read",
    envelope(value("Value", { name: "zip", type: "int", aliases: ["plz", "post"] })),
    envelope(value("Value", { name: "plz", type: "int" }, { name: "post", type: "int" })),
    [
      ["before.zip", "avro/ambiguous-alias", "always"],
      ["after.zip", "avro/ambiguous-alias", "always"],
    ],
  ],
  [
    "a union of which no branch can be read: reported once",
    value("R", zip("int")),
    value("R", zip(["null", "string"])),
    [["zip", "avro/type-mismatch", "always"]],
  ],
  [
    "a union of which two of three branches cannot be read: reported once",
    value("R", zip(["null", "int"])),
    value("R", zip(["null", "string", "bytes"])),
    [["zip", "avro/missing-union-branch", "on-some-data"]],
  ],
  [
    "two record branches: the one with the writer's name is meant",
    value("R", { name: "a", type: [value("A", id), value("B", id, zip("string"))] }),
    value("R", { name: "a", type: value("B", id) }),
    [["a.zip", "avro/reader-field-missing-default", "always"]],
  ],
  [
    "two record branches with other names: the one that accepts the fields is meant",
    value("R", { name: "a", type: [value("A", zip("int")), value("B", id)] }),
    value("R", { name: "a", type: value("C", id) }),
    [["a", "avro/name-mismatch", "by-policy"]],
  ],
  [
    "a renamed record in a union, found by its alias",
    value("R", { name: "a", type: ["null", { ...(value("New", zip("int")) as object), aliases: ["Old"] }] }),
    value("R", { name: "a", type: ["null", value("Old", zip("string"))] }),
    [["a.zip", "avro/type-mismatch", "on-some-data"]],
  ],
  [
    "a field of an array's records",
    value("R", { name: "lines", type: { type: "array", items: value("Line", zip("int")) } }),
    value("R", { name: "lines", type: { type: "array", items: value("Line", zip("string")) } }),
    [["lines.[].zip", "avro/type-mismatch", "on-some-data"]],
  ],
  [
    "a field of a map's optional records",
    value("R", { name: "by", type: { type: "map", values: ["null", value("Line", zip("int"))] } }),
    value("R", { name: "by", type: { type: "map", values: ["null", value("Line", id)] } }),
    [["by.{}.zip", "avro/reader-field-missing-default", "on-some-data"]],
  ],
  [
    "a record inside itself: reported once, at its first place",
    value("Node", zip("int"), { name: "next", type: ["null", "Node"] }),
    value("Node", zip("string"), { name: "next", type: ["null", "Node"] }),
    [["zip", "avro/type-mismatch", "always"]],
  ],
  [
    "a nested optional record: the path is as people write it",
    envelope(value("Value", { name: "address", type: ["null", value("Address", zip("string"))] })),
    envelope(value("Value", { name: "address", type: ["null", value("Address", id)] })),
    [
      ["before.address.zip", "avro/reader-field-missing-default", "on-some-data"],
      ["after.address.zip", "avro/reader-field-missing-default", "on-some-data"],
    ],
  ],
  ["an enum of which no symbol is known", E("A"), E("B", "C"), [["", "avro/missing-enum-symbols", "always"]]],
  [
    "a field's alias in a record in another namespace, which the decoder does not apply",
    { ...(value("R", { name: "zip", type: "int", aliases: ["plz"] }) as object), namespace: "mine" },
    value("R", { name: "plz", type: "int" }),
    [["zip", "avro/alias-not-applied", "always"]],
  ],
  [
    "an enum in another namespace in unions that differ, for which the decoder finds no branch",
    ["null", "string", { ...(E("A") as object), namespace: "mine" }],
    ["null", E("A")],
    [["", "avro/missing-union-branch", "on-some-data"]],
  ],
  [
    "a default that belongs to a later branch than the decoder thinks",
    value("R", id, { name: "address", type: [value("Address", zip("int")), "null"], default: null }),
    value("R", id),
    [["address", "avro/unusable-default", "always"]],
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

test.each([
  ["only null is new", "int", ["null", "int"], "change the reader's type to a union with null"],
  ["null and another type are new", "int", ["null", "string"], "change the reader's type to null or string"],
  ["one branch is new", "int", ["int", "string"], "change the reader's type to int or string"],
  [
    "two branches are new",
    ["null", "int"],
    ["null", "int", "string", "bytes"],
    "add string and bytes to the reader's union",
  ],
])("the remedy names everything: %s", (_, reader, writer, remedy) => {
  const causes = explainCauses(parseSchema(reader), parseSchema(writer));
  expect(causes.map((cause) => cause.remedy)).toEqual([remedy]);
});
