import { describe, expect, it, test } from "vitest";
import { attnum } from "../../src/table/column.ts";
import { fieldOf, widen } from "../../src/event/field.ts";
import { envelopeSchema, keySchema, readEnvelope } from "../../src/event/schema.ts";
import { OID } from "../../src/event/type.ts";
import { column, field } from "./row.ts";

test.each([
  ["inet", 869, -1],
  ["int4[]", 1007, -1],
  ["numeric with a negative scale", OID.numeric, (5 << 16) + (2048 - 2) + 4],
])("a column of type %s is left out with a finding", (_, oid, typmod) => {
  const mapped = fieldOf(column({ name: "c", oid, typmod }, 0));
  expect(mapped).toMatchObject({ kind: "left-out", finding: { rule: "column/type-not-mapped", field: "c" } });
});

test("a generated column is left out: it is not in the log", () => {
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
  ["a string", "string", "no record"],
  ["a flat record", { type: "record", name: "V", fields: [{ name: "id", type: "int" }] }, "no field before"],
  [
    "an envelope of strings",
    {
      type: "record",
      name: "E",
      fields: ["before", "after", "source", "op"].map((name) => ({ name, type: "string" })),
    },
    "hold no record",
  ],
])("%s is no envelope", (_, schema, why) => {
  const read = readEnvelope(schema);
  expect(read.kind === "no-envelope" ? read.why : "").toContain(why);
});
