import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { checkCompatibility, type Incompatibility } from "../../../src/avro/reading/compatibility.ts";
import { explainPair, explainPairText } from "../../../src/avro/reading/explain.ts";
import { parseSchema } from "../../../src/avro/parse.ts";
import { rows } from "../rows.ts";
import type { Json } from "../../../src/json.ts";

interface Row {
  reader: Json;
  writer: Json;
  compatible: boolean;
  incompatibility?: Incompatibility[];
  error?: string;
}

describe.each(["avro-reader-writer.jsonl", "avro-random-pairs.jsonl"])("%s: our answers", (file) => {
  it("equal Java's in verdict, type, location, message and order", () => {
    const all = rows<Row>(file);
    expect(all.length).toBeGreaterThan(300);
    for (const { reader, writer, compatible, incompatibility = [], error } of all) {
      const ours = checkCompatibility(parseSchema(reader), parseSchema(writer));
      const { error: thrown, ...result } = ours;
      expect({ reader, writer, ...result }).toEqual({ reader, writer, compatible, incompatibility });
      expect(thrown === undefined).toBe(error === undefined);
    }
  });
});

/** Generated pairs with aliases, recursion, names reused, used early and defined twice, some not parseable; answers by
 * Avro Java 1.13.0-SNAPSHOT (87212a6), run. */
test("generated pairs: answers, exceptions and rejections equal Java's", () => {
  const all = rows<Partial<Row> & { reader: Json; writer: Json; parse_error?: string }>("avro-hard-pairs.jsonl");
  expect(all.length).toBeGreaterThan(400);
  for (const { reader, writer, compatible, incompatibility, error, parse_error } of all) {
    const { error: ours, ...result } = { ...explainPair({ reader, writer }) };
    const refused = parse_error !== undefined;
    const expected = refused ? {} : { compatible, incompatibility };
    expect({ reader, writer, ...result }).toEqual({ reader, writer, ...expected });
    expect(ours !== undefined).toBe(refused || error !== undefined);
  }
});

// the expected values come from Avro's Java library
const N2 = {
  type: "record",
  name: "N",
  fields: [
    { name: "x", type: "int" },
    { name: "y", type: "int" },
  ],
};
const N1 = { type: "record", name: "N", fields: [{ name: "x", type: "int" }] };
const M1 = { type: "record", name: "M", aliases: ["N"], fields: [{ name: "x", type: "int" }] };
const record = (fields: Json[]): Json => ({ type: "record", name: "T", fields });

const JAVA: readonly [name: string, reader: Json, writer: Json, expected: readonly Incompatibility[]][] = [
  [
    "a pair met again inside a union branch keeps its first location",
    record([
      {
        name: "a",
        type: [
          { ...N2, name: "A", aliases: ["W"] },
          { ...N1, name: "W" },
        ],
      },
      { name: "b", type: "A" },
    ]),
    record([
      { name: "a", type: { ...N1, name: "W" } },
      { name: "b", type: "W" },
    ]),
    [{ type: "READER_FIELD_MISSING_DEFAULT_VALUE", location: "/fields/1", message: "y" }],
  ],
  [
    "a broken branch is not remembered as a working one",
    record([
      { name: "v", type: ["null", N2, M1] },
      { name: "w", type: ["null", "N"] },
    ]),
    record([
      { name: "v", type: ["null", N1] },
      { name: "w", type: ["null", "N"] },
    ]),
    [
      {
        type: "MISSING_UNION_BRANCH",
        location: "/fields/1/type/1",
        message: "reader union lacking writer type: RECORD",
      },
    ],
  ],
  [
    "an alias with a leading dot never matches",
    { ...N1, name: "a.X", aliases: [".Y"] },
    { ...N1, name: "Y" },
    [{ type: "NAME_MISMATCH", location: "/name", message: "expected: Y" }],
  ],
  [
    "an alias is qualified by the reader's namespace",
    { ...N1, name: "z.Dr", aliases: ["D"] },
    { ...N1, name: "D" },
    [{ type: "NAME_MISMATCH", location: "/name", message: "expected: D" }],
  ],
  ["namespaces alone do not matter", { ...N1, name: "a.X" }, { ...N1, name: "b.X" }, []],
  [
    "a writer's branch met again outside its union keeps its first location",
    record([
      { name: "a", type: { type: "record", name: "R", fields: [{ name: "f", type: ["int"] }] } },
      { name: "b", type: "R" },
    ]),
    record([
      {
        name: "a",
        type: {
          type: "record",
          name: "R",
          fields: [{ name: "f", type: ["int", { type: "enum", name: "N", symbols: ["X"] }] }],
        },
      },
      { name: "b", type: { type: "record", name: "q.R", fields: [{ name: "f", type: "N" }] } },
    ]),
    [
      {
        type: "MISSING_UNION_BRANCH",
        location: "/fields/0/type/fields/0/type/1",
        message: "reader union lacking writer type: ENUM",
      },
      { type: "MISSING_UNION_BRANCH", location: "/", message: "reader union lacking writer type: ENUM" },
    ],
  ],
  [
    "an enum field's own default does not stand in for a missing field",
    record([{ name: "e", type: { type: "enum", name: "E", symbols: ["A"], default: "A" } }]),
    record([]),
    [
      {
        type: "TYPE_MISMATCH",
        location: "/fields/0/type",
        message: "reader type: ENUM not compatible with writer type: RECORD",
      },
    ],
  ],
];

test.each(JAVA)("%s", (_, reader, writer, expected) => {
  expect(checkCompatibility(parseSchema(reader), parseSchema(writer)).incompatibility).toEqual(expected);
});

test("every schema reads itself, even a recursive one", () => {
  const node: Json = {
    type: "record",
    name: "Node",
    fields: [
      { name: "next", type: ["null", "Node"] },
      { name: "all", type: { type: "array", items: "Node" } },
    ],
  };
  fc.assert(
    fc.property(fc.constantFrom(node, ...rows<Row>("avro-random-pairs.jsonl").map((row) => row.reader)), (json) => {
      const schema = parseSchema(json);
      expect(checkCompatibility(schema, schema).compatible).toBe(true);
      expect(checkCompatibility(schema, parseSchema(json)).compatible).toBe(true);
    }),
  );
});

describe("explaining one pair", () => {
  test("the result is Java's", () => {
    expect(explainPairText('{"reader":"int","writer":"string"}')).toEqual({
      compatible: false,
      incompatibility: [
        { type: "TYPE_MISMATCH", location: "/", message: "reader type: INT not compatible with writer type: STRING" },
      ],
    });
  });
  test("the error for a schema that does not parse says which schema and where", () => {
    expect(explainPair({ reader: { type: "array" }, writer: "int" })).toEqual({
      error: "[schema-invalid] reader: at /items: a type is missing here",
    });
  });
  test("an exception of Java becomes an error", () => {
    const reader = record([{ name: "new", type: "int", aliases: ["old"] }]);
    const writer = record([
      { name: "old", type: "int" },
      { name: "new", type: "int" },
    ]);
    expect(explainPair({ reader, writer })).toMatchObject({
      compatible: false,
      error: "Reader record field new type:INT pos:0 matches multiple fields in writer record T",
    });
  });
  test("1.0 is not a default for an int, which only the text shows", () => {
    const text =
      '{"reader":{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":1.0}]},"writer":"int"}';
    expect(explainPairText(text)).toHaveProperty("error");
    expect(explainPairText(text.replace("1.0", "1"))).not.toHaveProperty("error");
  });
  test.each(["[]", '"x"', "{}", '{"reader":1}'])("%s is not a pair", (text) => {
    expect(() => explainPairText(text)).toThrow("[usage]");
  });
});
