import { describe, expect, test } from "vitest";
import { GuardError } from "../../src/errors.ts";
import { parseSchema } from "../../src/avro/parse.ts";
import { parseSchemaText } from "../../src/avro/schema-text.ts";
import type { Json } from "../../src/json.ts";

const record = (...fields: Json[]): Json => ({ type: "record", name: "R", fields });
const field = (type: Json, more: { readonly [key: string]: Json } = {}): Json => ({ name: "a", type, ...more });
const E = { type: "enum", name: "E", symbols: ["X"] };

const ACCEPTED: readonly [name: string, schema: Json][] = [
  ["a union's default that belongs to a later branch", record(field(["null", "int"], { default: 5 }))],
  ["a union's null default that belongs to a later branch", record(field(["string", "null"], { default: null }))],
  ["an empty union", []],
  ["an error, which is a record", { type: "error", name: "Oops", fields: [] }],
  ["names of other alphabets", { type: "record", name: "Réc", fields: [{ name: "straße", type: "int" }] }],
  ["an identical second definition", record(field(E), { name: "b", type: E })],
  ["a second definition with another doc", record(field(E), { name: "b", type: { ...E, doc: "again" } })],
  [
    "a type in the null namespace used inside a namespace",
    record(field(E), { name: "n", type: { type: "record", name: "q.N", fields: [field("E")] } }),
  ],
  [
    "a use before the definition",
    record(field(["null", "N"]), { name: "b", type: { type: "record", name: "N", fields: [] } }),
  ],
  ["a record in itself", record(field(["null", "R"], { default: null }))],
  ["NaN as text for a double", record(field("double", { default: "NaN" }))],
  ["a number as text for a float", record(field("float", { default: " 1e3 " }))],
  ["bytes' default beyond latin", record(field("bytes", { default: "€" }))],
  ["an enum field's default that is not a symbol", record(field(E, { default: "Y" }))],
  ["fixed of size 0", { type: "fixed", name: "F", size: 0 }],
  ["a decimal with more scale than precision", { type: "bytes", logicalType: "decimal", precision: 2, scale: 4 }],
  ["a field's alias that is not a valid name", record(field("int", { aliases: ["b-c"] }))],
  ["a leading-dot alias", { type: "record", name: "a.X", aliases: [".Y"], fields: [] }],
  ["an empty namespace", { type: "record", name: "R", namespace: "", fields: [] }],
  ["two namespaces with the same short name in a union", ["null", { ...E, name: "a.E" }, { ...E, name: "b.E" }]],
  [
    "a record default with a field's own default",
    record(field({ type: "record", name: "I", fields: [{ name: "x", type: "int", default: 1 }] }, { default: {} })),
  ],
  [
    "a second definition whose double's default is written as text",
    record(field({ type: "record", name: "I", fields: [field("double", { default: 1.5 })] }), {
      name: "b",
      type: { type: "record", name: "I", fields: [field("double", { default: "1.50" })] },
    }),
  ],
  ["a named type as the type of an object, as before 1.12.2", record(field(E), { name: "b", type: { type: "E" } })],
];

test.each(ACCEPTED)("accepted, as in Java: %s", (_, schema) => {
  expect(() => parseSchema(schema)).not.toThrow();
});

const REFUSED: readonly [name: string, schema: Json, message: string][] = [
  ["a number", 5, "at /: expected a type"],
  ["null", null, "at /: expected a type"],
  ["no type", {}, 'at /: "type" must be the name'],
  ["a wrapped type", { type: { type: "int" } }, 'at /: "type" must be the name'],
  ["an unknown type", "uint64", 'at /: no type is named "uint64"'],
  ["an unknown type inside", record(field("Zip")), 'at /fields/0/type: no type is named "Zip"'],
  ["a dash in a name", { type: "record", name: "my-rec", fields: [] }, '"my-rec" is not a valid name'],
  ["a dash in a namespace", { type: "record", name: "R", namespace: "my-srv.public", fields: [] }, '"my-srv" in'],
  ["a dollar in a field's name", record({ name: "a$b", type: "int" }), 'at /fields/0: "a$b" is not a valid field name'],
  ["a name above the basic plane", { type: "record", name: "𝒜", fields: [] }, "is not a valid name"],
  ["a symbol with a dash", { ...E, symbols: ["A-B"] }, "at /symbols/0: the symbol is not a valid name"],
  ["two equal symbols", { ...E, symbols: ["A", "A"] }, '"A" twice'],
  ["an enum default that is not a symbol", { ...E, default: "Y" }, 'at /default: "Y" is not a symbol'],
  [
    "a second definition that differs",
    record(field(E), { name: "b", type: { ...E, symbols: ["Y"] } }),
    'at /fields/1/type: "E" has two different definitions',
  ],
  [
    "a recursive second definition",
    record(field({ type: "record", name: "N", fields: [field(["null", "N"])] }), {
      name: "b",
      type: { type: "record", name: "N", fields: [field(["null", "N"])] },
    }),
    "two different definitions",
  ],
  ["two equal fields", record(field("int"), field("int")), 'two fields "a"'],
  ["two equal branches", ["int", "int"], '"int" is in the union twice'],
  ["a logical type beside its base", ["long", { type: "long", logicalType: "timestamp-millis" }], "twice"],
  [
    "the same type by name and before its definition",
    record(field(["N", "q.N", { ...E, name: "N" }]), { name: "b", type: { ...E, name: "q.N" } }),
    "twice",
  ],
  ["a union in a union", ["null", ["int"]], "a union may not contain a union directly"],
  ["no fields", { type: "record", name: "R" }, "no list of fields"],
  ["a primitive's name", { type: "record", name: "string", fields: [] }, "is the name of a primitive type"],
  ["text as the default of an int", record(field("int", { default: "x" })), "at /fields/0/default"],
  ["an int default beyond 32 bits", record(field("int", { default: 2147483648 })), "does not fit"],
  ["a default that fits no branch", record(field(["null", "int"], { default: "x" })), "does not fit"],
  ["text that is not a double", record(field("double", { default: "one" })), "does not fit"],
  ["a blank that Java does not trim", record(field("double", { default: "\u00a01" })), "does not fit"],
  [
    "a record default without a required field",
    record(field({ type: "record", name: "I", fields: [field("int")] }, { default: {} })),
    "does not fit",
  ],
  ["a record's default inside itself", record(field("R", { default: {} })), "inside itself"],
  [
    "an enum used with a default before its definition",
    record(field("E", { default: "X" }), { name: "b", type: E }),
    "does not fit",
  ],
  ["a fixed without size", { type: "fixed", name: "F" }, "needs a size"],
  ["a fixed of negative size", { type: "fixed", name: "F", size: -1 }, "needs a size"],
  ["aliases that are not a list", { ...E, aliases: "X" }, "aliases must be a list"],
  ["an unknown order", record(field("int", { order: "up" })), "at /fields/0/order"],
  ["an array without items", { type: "array" }, "at /items: a type is missing"],
];

test.each(REFUSED)("rejected, as in Java: %s", (_, schema, message) => {
  const parse = (): unknown => parseSchema(schema);
  expect(parse).toThrow(GuardError);
  expect(parse).toThrow("[schema-invalid]");
  expect(parse).toThrow(message);
});

function withDefault(type: string, text: string): string {
  return `{"type":"record","name":"R","fields":[{"name":"a","type":${type},"default":${text}}]}`;
}

function isTaken(text: string): boolean {
  try {
    parseSchemaText(text);
    return true;
  } catch {
    return false;
  }
}

describe("what only the text shows", () => {
  const LONGS = '{"type":"array","items":"long"}';
  test.each([
    ['"int"', "1", true],
    ['"int"', "-0", true],
    ['"int"', "1.0", false],
    ['"int"', "1e2", false],
    ['"long"', "9007199254740993", true],
    ['"long"', "9223372036854775807", true],
    ['"long"', "9223372036854775808", false],
    ['"double"', "1", true],
    ['["null","long"]', "1.0", false],
    [LONGS, "[1,2]", true],
    [LONGS, "[1,2.0]", false],
  ])("%s = %s: %s", (type, text, taken) => {
    expect(isTaken(withDefault(type, text))).toBe(taken);
  });
  test("the size of a fixed must be written without a decimal point", () => {
    expect(() => parseSchemaText('{"type":"fixed","name":"F","size":4.0}')).toThrow("needs a size");
  });
  test("comments are allowed, and are kept inside strings", () => {
    const schema = parseSchemaText('/* a */ {"type":"int", // b\n "see": "http://x/*y*/"}');
    expect(schema).toEqual({ kind: "int", props: { see: "http://x/*y*/" } });
  });
  test("a comment ends at a carriage return too", () => {
    expect(parseSchemaText('// a\r"int"').kind).toBe("int");
  });
  test.each([1_001, 50_000])("%d levels are rejected, 1000 are not", (levels) => {
    const text = (depth: number) => `${'{"type":"array","items":'.repeat(depth)}"int"${"}".repeat(depth)}`;
    expect(() => parseSchemaText(text(levels))).toThrow("[schema-invalid] at /: is nested more than 1000 levels deep");
    expect(parseSchemaText(text(1000)).kind).toBe("array");
    let schema: Json = "int";
    for (let depth = 0; depth < levels; depth += 1) schema = { type: "array", items: schema };
    expect(() => parseSchema(schema)).toThrow("is nested more than 1000 levels deep");
  });
  test("text that is not JSON is rejected", () => {
    expect(() => parseSchemaText('{"type":')).toThrow("[schema-invalid] not JSON");
  });
});

describe("what a schema keeps", () => {
  test("a reference is the same object as the type it names", () => {
    const schema = parseSchema(record(field(["null", "R"], { default: null }), { name: "b", type: "R" }));
    const types = schema.kind === "record" ? schema.fields.map(({ type }) => type) : [];
    expect(types[1]).toBe(schema);
    expect(types[0]?.kind === "union" ? types[0].branches[1] : undefined).toBe(schema);
  });
  test("defaults, aliases, order, doc and properties", () => {
    const more = { default: null, aliases: ["old", "old"], order: "DESCENDING", doc: "d", "connect.index": 1 };
    const type = { type: "long", logicalType: "timestamp-millis", "connect.name": "T" };
    const schema = parseSchema({ ...(record(field(["null", type], more)) as object), namespace: "q", aliases: ["S"] });
    expect(schema).toMatchObject({
      fullName: "q.R",
      aliases: ["q.S"],
      fields: [
        {
          default: null,
          aliases: ["old"],
          order: "descending",
          doc: "d",
          props: { "connect.index": 1 },
          type: { branches: [{}, { kind: "long", props: { logicalType: "timestamp-millis", "connect.name": "T" } }] },
        },
      ],
    });
  });
});
