import { expect, test } from "vitest";
import { OID } from "../../../src/event/types/table.ts";
import { DEFAULT_MODES, type ValueModes } from "../../../src/event/types/modes.ts";
import type { TypeDetail } from "../../../src/table/column.ts";
import { cases, field, type ColumnSpec } from "../row.ts";
import type { Json } from "../../../src/json.ts";

const MOOD: TypeDetail = { kind: "enum", name: "mood", labels: ["low", "high"] };

interface DefaultCase {
  readonly pg_type: string;
  readonly pg_get_expr: string;
  readonly schema_default: Json;
  readonly note: string;
}

const OIDS: Readonly<Record<string, number>> = { ...OID };

/** Expressions from which Debezium takes a wrong default; Fieldgate takes none. */
function expected(row: DefaultCase): Json {
  return row.note.startsWith("WRONG") ? null : row.schema_default;
}

const mapped = (cases("debezium-default-expression-cases.jsonl") as readonly DefaultCase[]).filter(
  (row) => row.pg_type in OIDS,
);

test.each(mapped)("$pg_type DEFAULT $pg_get_expr ($note)", (row) => {
  const { avro } = field({ name: "c", oid: OIDS[row.pg_type] ?? 0, defaultExpr: row.pg_get_expr });
  expect(avro.default).toStrictEqual(expected(row));
});

const more: readonly (readonly [keyof typeof OID, number, string, Json])[] = [
  ["text", -1, "'it''s'::text", "it's"],
  ["text", -1, "''::text", ""],
  ["varchar", 14, "'a b'::character varying(10)", "a b"],
  ["varchar", -1, "('x'::text)::character varying", "x"],
  ["text", -1, "1", "1"],
  ["text", -1, "(1)::text", null],
  ["text", -1, "'a'::text COLLATE \"C\"", null],
  ["text", -1, "NULL::text", null],
  ["text", -1, "SESSION_USER", null],
  ["text", -1, "'a\nb'::text", "a\nb"],
  ["bool", -1, "(1 = 1)", null],
  ["bool", -1, "false", false],
  ["int4", -1, "(1 + 1)", null],
  ["int4", -1, "NULL::integer", null],
  ["int2", -1, "'40000'::integer", null],
  ["int8", -1, "'9007199254740993'::bigint", null],
  ["int8", -1, "'-9007199254740991'::bigint", -9007199254740991],
  ["float4", -1, "0.1", 0.1],
  ["float8", -1, "'NaN'::double precision", null],
  ["numeric", (10 << 16) + 6, "'-1.5'::numeric", "ÿj"],
  ["numeric", (10 << 16) + 6, "1.555", null],
  ["numeric", -1, "1.5", null],
  ["uuid", -1, "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
  ["jsonb", -1, "'{\"a\": \"it''s\"}'::jsonb", '{"a": "it\'s"}'],
  ["jsonb", -1, "jsonb_build_object()", "{}"],
  ["date", -1, "CURRENT_DATE", 0],
  ["date", -1, "(CURRENT_DATE + 1)", null],
  ["time", -1, "'12:30:00'::time without time zone", 45_000_000_000],
  ["time", 0, "'12:30:00'::time(0) without time zone", 45_000_000],
  ["timestamp", 3, "'2020-01-02 03:04:05.5'::timestamp without time zone", 1_577_934_245_500],
  ["timestamp", -1, "LOCALTIMESTAMP", 0],
  ["timestamp", -1, "'infinity'::timestamp without time zone", 9_223_372_036_825_200_000],
  ["timestamptz", -1, "'2020-01-02 03:04:05+01'::timestamp with time zone", "2020-01-02T02:04:05.000000Z"],
  ["timestamptz", 0, "now()", "1970-01-01T00:00:00Z"],
  ["timestamptz", -1, "'infinity'::timestamp with time zone", "infinity"],
  ["timestamptz", -1, "('2020-01-02 03:04:05+00'::timestamp with time zone + '1 day'::interval)", null],
];

test.each(more)("%s(%i) DEFAULT %s is %j", (type, typmod, defaultExpr, value) => {
  expect(field({ name: "c", oid: OID[type], typmod, defaultExpr }).avro.default).toStrictEqual(value);
});

const numeric42 = { name: "c", oid: OID.numeric, typmod: (4 << 16) + 6 };

test.each<[string, ColumnSpec, string, Partial<ValueModes>, Json]>([
  ["bit", { name: "c", oid: OID.bit, typmod: 1 }, `'1'::"bit"`, {}, true],
  ["bit(3)", { name: "c", oid: OID.bit, typmod: 3 }, `'101'::"bit"`, {}, "\u0005"],
  ["bit(3) with a B", { name: "c", oid: OID.bit, typmod: 3 }, `B'101'::"bit"`, {}, "\u0005"],
  ["varbit", { name: "c", oid: OID.varbit, typmod: 9 }, `'1'::"bit"`, {}, "\u0001"],
  ["xml", { name: "c", oid: OID.xml }, "'<a/>'::xml", {}, "<a/>"],
  ["interval", { name: "c", oid: OID.interval }, "'60 days'::interval", {}, 5_184_000_000_000],
  ["interval", { name: "c", oid: OID.interval }, "'60 days'::interval", { interval: "string" }, "P0Y0M60DT0H0M0S"],
  ["an enum", { name: "c", oid: 9, detail: MOOD }, "'low'::public.mood", {}, "low"],
  ["an enum of a quoted name", { name: "c", oid: 9, detail: MOOD }, `'low'::public."my mood"`, {}, "low"],
  ["an enum's function", { name: "c", oid: 9, detail: MOOD }, "mood_of(1)", {}, null],
  ["numeric", numeric42, "1.5", { decimal: "string" }, "1.50"],
  ["numeric", numeric42, "1.5", { decimal: "double" }, 1.5],
  ["numeric without scale", { name: "c", oid: OID.numeric }, "1.5", { decimal: "string" }, "1.5"],
  ["date", { name: "c", oid: OID.date }, "'2020-01-02'::date", { time: "isostring" }, "2020-01-02Z"],
  ["date", { name: "c", oid: OID.date }, "'2020-01-02'::date", { time: "connect" }, 18_263],
  ["timestamp", { name: "c", oid: OID.timestamp }, "now()", { time: "nanoseconds" }, 0],
  ["money", { name: "c", oid: OID.money }, "'$1.00'::money", {}, null],
  ["bytea", { name: "c", oid: OID.bytea }, "'\\x01'::bytea", { binary: "hex" }, null],
  ["timetz", { name: "c", oid: OID.timetz }, "'12:00:00+00'::time with time zone", {}, null],
  [
    "an array",
    { name: "c", oid: 9, detail: { kind: "array", of: { oid: OID.int4, typmod: -1 } } },
    "'{}'::integer[]",
    {},
    null,
  ],
])("%s %o DEFAULT %s under %o is %j", (_, spec, defaultExpr, set, value) => {
  expect(field({ ...spec, defaultExpr }, 0, { ...DEFAULT_MODES, ...set }).avro.default).toStrictEqual(value);
});

test("a default is written in the type and in the field, and puts null last; without a default, null is first", () => {
  expect(field({ name: "c", oid: OID.text, defaultExpr: "'x'::text" }).avro).toStrictEqual({
    name: "c",
    type: [{ type: "string", "connect.default": "x" }, "null"],
    default: "x",
  });
  expect(field({ name: "c", oid: OID.text }).avro).toStrictEqual({
    name: "c",
    type: ["null", "string"],
    default: null,
  });
  expect(field({ name: "c", oid: OID.text, notNull: true }).avro).toStrictEqual({ name: "c", type: "string" });
});
