import { describe, expect, it, test } from "vitest";
import type { Field } from "../../src/table/shape.ts";
import { attnum } from "../../src/table/column.ts";
import { OID } from "../../src/event/types/table.ts";
import { envelopeSchema, keySchema } from "../../src/event/envelope/schema.ts";
import { fieldOf } from "../../src/event/field.ts";
import { caseText, caseType, modesOf, outOfScope, type ColumnCase } from "./debezium-case.ts";
import { cases, change, field, MARK, shapeOf, UNCHANGED, rowEncoderOf, type ColumnSpec, type Sent } from "./row.ts";
import type { Json } from "../../src/json.ts";

interface Golden {
  readonly id: string;
  readonly topic: string;
  readonly value_avro_schema: Json;
  readonly value_avro_binary_hex: string;
  readonly key_avro_schema: Json;
  readonly key_avro_binary_hex: string;
}

const golden = new Map((cases("debezium-golden-events.jsonl") as readonly Golden[]).map((row) => [row.id, row]));
const FRAME_HEX = 10;

interface GoldenTable {
  readonly id: string;
  readonly columns: readonly (ColumnSpec & { readonly text: Sent })[];
  /** The part of the real event whose type is not mapped: the field, and the bytes up to its end. */
  readonly without?: { readonly field: string; readonly bytes: string; readonly after: string };
}

const SERIAL = { oid: OID.int4, notNull: true, defaultExpr: "nextval('t_pk_seq'::regclass)" };
const tables: readonly GoldenTable[] = [
  {
    id: "golden.string_table.default",
    columns: [
      { name: "pk", ...SERIAL, text: "1" },
      { name: "vc", oid: OID.varchar, typmod: 6, text: "žš" },
      { name: "vcv", oid: OID.varchar, typmod: 6, text: "bb" },
      { name: "ch", oid: OID.bpchar, typmod: 8, text: "cdef" },
      { name: "c", oid: OID.bpchar, typmod: 7, text: "abc" },
      { name: "t", oid: OID.text, text: "some text" },
      { name: "b", oid: OID.bytea, text: "\\x000102" },
      { name: "bnn", oid: OID.bytea, notNull: true, text: "\\x030405" },
      { name: "ct", oid: OID.text, text: "Hello World" }, // citext in the real table: the same field
    ],
  },
  {
    id: "golden.default_misc_code.default",
    columns: [
      { name: "pk", ...SERIAL, text: "1" },
      { name: "b", oid: OID.bool, defaultExpr: "true", text: "t" },
      { name: "bfn", oid: OID.bool, defaultExpr: "pg_is_in_recovery()", text: "f" },
      { name: "si", oid: OID.int2, defaultExpr: "5", text: "5" },
      { name: "f4", oid: OID.float4, defaultExpr: "1.5", text: "1.5" },
      { name: "f8", oid: OID.float8, defaultExpr: "'2.25'::double precision", text: "2.25" },
      { name: "neg", oid: OID.int4, defaultExpr: "'-1'::integer", text: "-1" },
      { name: "n42", oid: OID.numeric, typmod: (4 << 16) + 2 + 4, defaultExpr: "1.5", text: "1.50" },
      { name: "nvar", oid: OID.numeric, defaultExpr: "1.5", text: "1.5" },
      { name: "d", oid: OID.date, defaultExpr: "'2020-01-02'::date", text: "2020-01-02" },
      {
        name: "ts",
        oid: OID.timestamp,
        defaultExpr: "'2020-01-02 03:04:05'::timestamp without time zone",
        text: "2020-01-02 03:04:05",
      },
      { name: "tsn", oid: OID.timestamp, defaultExpr: "now()", text: "1970-01-01 00:00:00" },
      { name: "tzn", oid: OID.timestamptz, defaultExpr: "now()", text: "1970-01-01 00:00:00+00" },
      { name: "j", oid: OID.json, defaultExpr: `'{"a":1}'::json`, text: '{"a":1}' },
      {
        name: "u",
        oid: OID.uuid,
        defaultExpr: "gen_random_uuid()",
        text: "00000000-0000-0000-0000-000000000000",
      },
      { name: "by", oid: OID.bytea, defaultExpr: "'\\x0102'::bytea", text: "\\x0102" },
      { name: "ip", oid: OID.text, text: "10.0.0.1" }, // inet in the real table: the same field
      { name: "idn", oid: OID.int8, notNull: true, text: "1" },
    ],
    without: { field: "arr", bytes: "02040202020400", after: "02040102" },
  },
];

function goldenOf(id: string): Golden {
  const found = golden.get(id);
  if (found === undefined) throw new Error(`no golden event ${id}`);
  return found;
}

/** The schema text without one field of the row record. */
function dropField(schema: Json, name: string | undefined): string {
  const kept = (_: string, value: Json): Json =>
    Array.isArray(value) ? value.filter((one: Json) => !isNamed(one, name)) : value;
  return JSON.stringify(schema, kept);
}

function isNamed(value: Json, name: string | undefined): boolean {
  return typeof value === "object" && value !== null && "name" in value && value["name"] === name;
}

describe.each(tables)("$id", ({ id, columns, without }) => {
  const real = goldenOf(id);
  const fields = columns.map((one, i) => field(one, i));
  const key = fields.filter((one) => one.name === "pk");

  it("has the value schema that Debezium and AvroConverter register, character by character", () => {
    expect(JSON.stringify(envelopeSchema(real.topic, fields))).toBe(dropField(real.value_avro_schema, without?.field));
  });

  it("has the key schema that they register, character by character", () => {
    expect(JSON.stringify(keySchema(real.topic, key))).toBe(JSON.stringify(real.key_avro_schema));
  });

  it("has the bytes that they write, in key and value", () => {
    const values = columns.map((one) => one.text);
    const [record] = rowEncoderOf(shapeOf(real.topic, fields, key)).change(change("insert", values), MARK);
    const expected =
      without === undefined
        ? real.value_avro_binary_hex
        : real.value_avro_binary_hex.replace(without.after + without.bytes, without.after);
    expect(record?.value?.toString("hex").slice(FRAME_HEX)).toBe(expected);
    expect(record?.value?.toString("hex").slice(0, FRAME_HEX)).toBe("0000000007");
    expect(record?.key?.toString("hex")).toBe(`0000000008${real.key_avro_binary_hex}`);
  });
});

const all = cases("debezium-cases.jsonl") as readonly ColumnCase[];
const ours = all.filter((one) => outOfScope(one) === undefined);

test("every case from Debezium's tests is covered, except for settings that Fieldgate refuses", () => {
  const counts: Record<string, number> = {};
  for (const one of all) counts[outOfScope(one) ?? "ours"] = (counts[outOfScope(one) ?? "ours"] ?? 0) + 1;
  expect(counts).toEqual({
    ours: 237,
    "time.precision.mode=structured": 8,
    "column.propagate": 9,
    "datatype.propagate": 2,
    "column.mask": 2,
    "column.truncate": 2,
  });
});

function fieldOfCase(one: ColumnCase): Field {
  const { column, pgoutput, config } = one;
  const type = caseType(one);
  const mapped = fieldOf(
    {
      attnum: attnum(1),
      name: column,
      type,
      typeName: "",
      notNull: pgoutput?.not_null ?? false,
      defaultExpr: pgoutput?.default_expr ?? undefined,
      identity: false,
      generated: false,
    },
    modesOf(config),
  );
  if (mapped.kind === "left-out") throw new Error(mapped.finding.message);
  return mapped.field;
}

test.each(ours)("$id has Debezium's field", (one) => {
  const { name: _, ...avro } = fieldOfCase(one).avro;
  expect(JSON.stringify(avro)).toBe(JSON.stringify(one.expected_avro_field));
});

test.each(ours.filter((one) => one.expected_avro_binary_hex !== undefined))(
  "$id is the bytes Debezium writes",
  (one) => {
    const encoder = rowEncoderOf(shapeOf("test_server.public.t", [fieldOfCase(one)], []), {
      modes: modesOf(one.config),
    });
    const sent = one.pgoutput?.kind === "u" ? UNCHANGED : caseText(one);
    const [record] = encoder.change(change("insert", [sent]), MARK);
    const body = record?.value?.toString("hex").slice(FRAME_HEX) ?? "";
    expect(body.slice(0, body.indexOf("14332e372e30"))).toBe(`0002${one.expected_avro_binary_hex}`);
  },
);
