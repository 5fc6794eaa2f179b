import { describe, expect, it, test } from "vitest";
import { attnum, type ColumnType } from "../../src/table/column.ts";
import { fieldOf, widen } from "../../src/event/field.ts";
import { DEFAULT_MODES } from "../../src/event/types/modes.ts";
import { envelopeSchema, keySchema, readEnvelope } from "../../src/event/envelope/schema.ts";
import { OID } from "../../src/event/types/table.ts";
import { column, field } from "./row.ts";

const array = (of: ColumnType): ColumnType => ({ oid: 1, typmod: -1, detail: { kind: "array", of } });
const plain = (oid: number): ColumnType => ({ oid, typmod: -1 });
const domain = (of: ColumnType): ColumnType => ({ oid: 2, typmod: -1, detail: { kind: "domain", name: "d", of } });

const LEFT_OUT: readonly (readonly [string, ColumnType])[] = [
  ["tid", plain(27)],
  ["a composite", { oid: 3, typmod: -1, detail: { kind: "named", name: "pair" } }],
  ["money[]", array(plain(OID.money))],
  ["name[]", array(plain(OID.name))],
  ["interval[]", array(plain(OID.interval))],
  ["bit[]", array(plain(OID.bit))],
  ["varbit[]", array(plain(OID.varbit))],
  ["xml[]", array(plain(OID.xml))],
  ["point[]", array(plain(OID.point))],
  ["an array of a domain", array(domain(plain(OID.int4)))],
  ["tid[]", array(plain(27))],
];

test.each(LEFT_OUT)("a column of type %s is left out with a finding", (_, type) => {
  const mapped = fieldOf({ ...column({ name: "c", oid: 0 }, 0), type });
  expect(mapped).toMatchObject({ kind: "left-out", finding: { rule: "column/type-not-mapped", field: "c" } });
});

test.each([
  ["tid", plain(27), "bytes", "bytes"],
  ["tid in hex", plain(27), "hex", "string"],
  ["tid[]", array(plain(27)), "bytes", { type: "array", items: ["null", "bytes"] }],
  ["an array of a domain", array(domain(plain(OID.int4))), "base64", { type: "array", items: ["null", "string"] }],
] as const)("with include.unknown.datatypes a column of type %s is opaque", (_, type, binary, avro) => {
  const mapped = fieldOf(
    { ...column({ name: "c", oid: 0 }, 0), type },
    { ...DEFAULT_MODES, unknownTypes: true, binary },
  );
  expect(mapped).toMatchObject({ field: { avro: { type: ["null", avro], default: null } } });
});

test("include.unknown.datatypes does not add the arrays that Debezium drops", () => {
  const type = array(plain(OID.money));
  const mapped = fieldOf({ ...column({ name: "c", oid: 0 }, 0), type }, { ...DEFAULT_MODES, unknownTypes: true });
  expect(mapped.kind).toBe("left-out");
});

test("a field remembers NOT NULL and default of its column", () => {
  const spec = { name: "c", oid: OID.int4, notNull: true, defaultExpr: "5" };
  expect(field(spec).made).toEqual({ notNull: true, defaultExpr: "5" });
});

test("a domain is mapped like its base type, and has no default", () => {
  const type = domain(domain({ oid: OID.numeric, typmod: (10 << 16) + 6 }));
  const spec = { ...column({ name: "c", oid: 0, defaultExpr: "1.5" }, 0), type };
  expect(fieldOf(spec)).toMatchObject({
    field: { type, avro: { type: ["null", { scale: 2, precision: 10 }], default: null } },
  });
});

test("a generated column is left out because it is missing from the log", () => {
  const mapped = fieldOf({ ...column({ name: "c", oid: OID.int4 }, 0), generated: true });
  expect(mapped).toMatchObject({ kind: "left-out", finding: { rule: "column/generated" } });
});

describe("a widened field", () => {
  it.each([
    ["plain", { name: "c", oid: OID.int4, notNull: true }, "int"],
    ["with a default", { name: "c", oid: OID.int4, notNull: true, defaultExpr: "5" }, "int"],
    ["int2 with a default", { name: "c", oid: OID.int2, defaultExpr: "5" }, { type: "int", "connect.type": "int16" }],
  ])("%s is optional with default null and has no default of its own", (_, spec, type) => {
    expect(widen(field(spec))).toMatchObject({
      optional: true,
      avro: { name: "c", type: ["null", type], default: null },
    });
  });

  it("keeps the attnum and the column's type", () => {
    expect(widen(field({ name: "c", oid: OID.date, notNull: true }, 4))).toMatchObject({
      attnum: attnum(5),
      type: { oid: OID.date, typmod: -1 },
    });
  });
});

describe("the schemas", () => {
  const fields = [
    field({ name: "id", oid: OID.int4, notNull: true }, 0),
    field({ name: "a", oid: OID.numeric }, 1),
    field({ name: "b", oid: OID.numeric }, 2),
  ];

  it("spell a named type out once and refer to it after that", () => {
    const text = JSON.stringify(envelopeSchema("p.public.t", fields));
    expect(text.match(/"name":"VariableScaleDecimal"/g)).toHaveLength(1);
    expect(text).toContain('{"name":"b","type":["null","io.debezium.data.VariableScaleDecimal"],"default":null}');
  });

  it("are read back to the fields they were made of", () => {
    expect(readEnvelope(envelopeSchema("p.public.t", fields))).toStrictEqual({
      kind: "envelope",
      fields: fields.map((one) => one.avro),
    });
  });

  it("have no key schema without key fields", () => {
    expect(keySchema("p.public.t", [])).toBeUndefined();
  });
});

test.each([
  ["a string", "string", "not a record"],
  ["a flat record", { type: "record", name: "V", fields: [{ name: "id", type: "int" }] }, "no field before"],
  [
    "an envelope of strings",
    {
      type: "record",
      name: "E",
      fields: ["before", "after", "source", "op"].map((name) => ({ name, type: "string" })),
    },
    "do not contain a record",
  ],
])("%s is not an envelope", (_, schema, why) => {
  const read = readEnvelope(schema);
  expect(read.kind === "no-envelope" ? read.why : "").toContain(why);
});
