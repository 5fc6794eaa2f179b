import fc from "fast-check";
import { expect, test } from "vitest";
import type { ColumnType, TypeDetail } from "../../src/table/column.ts";
import { kindOf, OID, type Kind } from "../../src/event/types/table.ts";
import { DEFAULT_MODES, type ValueModes } from "../../src/event/types/modes.ts";
import { avscType } from "./avro.ts";
import * as more from "./more-values.ts";
import { change, column, field, MARK, shapeOf, rowEncoderOf, type ColumnSpec } from "./row.ts";
import * as values from "./values.ts";
import { both, decimal, decimalText, double, int, long, string, type Both } from "./values.ts";

/** The number of random rows; `npm run test:bytes` raises it. */
const ROWS = Number(process.env["FIELDGATE_BYTE_ROWS"] ?? 1_000);

type Spec = Omit<ColumnSpec, "name"> & { readonly values: fc.Arbitrary<Both> };

const numeric = (precision: number, scale: number): number => (precision << 16) + scale + 4;
const named = (name: string): TypeDetail => ({ kind: "named", name });
const domain = (of: ColumnType): TypeDetail => ({ kind: "domain", name: "d", of });
const LABELS: TypeDetail = { kind: "enum", name: "mood", labels: ["low", "so so", "it's", "žena"] };

/** A type that the catalog describes, such as an extension's. */
const described = (detail: TypeDetail, of: fc.Arbitrary<Both>): Spec => ({ oid: 99_999, detail, values: of });
const arrayOf = (element: ColumnType, of: fc.Arbitrary<Both>, nulls = true): Spec => ({
  oid: 99_998,
  typmod: element.typmod,
  detail: { kind: "array", of: element },
  values: more.array(of, nulls),
});
const plain = (oid: number, typmod = -1): ColumnType => ({ oid, typmod });
const extension = (name: string): ColumnType => ({ oid: 99_999, typmod: -1, detail: named(name) });

const char5 = fc.string({ unit: "grapheme-ascii", maxLength: 5 }).map((text) => both(text.padEnd(5), text.padEnd(5)));
const inet = more.texts("10.0.0.1", "10.0.0.0/8", "2001:db8::1", "::/0");
const ranges = more.texts("empty", "[1,6)", "(,)", '["2019-03-31 15:30:00",infinity)', "[5.3,6.3)");

const NUMBERS: readonly Spec[] = [
  { oid: OID.int4, notNull: true, defaultExpr: "nextval('t_id_seq'::regclass)", values: int(-(2 ** 31), 2 ** 31 - 1) },
  { oid: OID.bool, values: values.bool },
  { oid: OID.int2, values: int(-(2 ** 15), 2 ** 15 - 1) },
  { oid: OID.int4, defaultExpr: "7", values: int(-200, 200) },
  { oid: OID.int8, notNull: true, values: long },
  { oid: OID.oid, values: values.oid },
  { oid: OID.float4, values: values.float },
  { oid: OID.float8, values: double },
  { oid: OID.numeric, typmod: numeric(10, 2), values: decimal(10, 2) },
  { oid: OID.numeric, typmod: numeric(16, 0), values: decimal(16, 0) },
  { oid: OID.numeric, typmod: numeric(38, 10), notNull: true, values: decimal(38, 10) },
  { oid: OID.numeric, values: values.variableScale },
  { oid: OID.money, values: more.money(values.unscaledBytes) },
  { oid: OID.bit, typmod: 1, defaultExpr: `'1'::"bit"`, values: more.bit },
  { oid: OID.bit, typmod: 11, values: more.bits(11, 11) },
  { oid: OID.varbit, typmod: 1, values: more.bit },
  { oid: OID.varbit, values: more.bits(0, 70) },
];

const TEXTS: readonly Spec[] = [
  { oid: OID.text, notNull: true, values: string },
  { oid: OID.varchar, typmod: 44, defaultExpr: "'new'::character varying", values: string },
  { oid: OID.bpchar, typmod: 9, values: char5 },
  { oid: OID.char, values: more.texts("a", "") },
  { oid: OID.name, values: more.texts("pg_class", "größe") },
  described(named("citext"), string),
  { oid: OID.uuid, values: values.uuid },
  { oid: OID.bytea, values: values.bytes },
  { oid: OID.json, values: values.json },
  { oid: OID.jsonb, defaultExpr: "'{}'::jsonb", values: values.json },
  { oid: OID.xml, values: more.texts("<a>ž</a>", "") },
  { ...described(LABELS, more.label), defaultExpr: "'low'::mood" },
  { oid: OID.inet, values: inet },
  { oid: OID.cidr, values: more.texts("10.0.0.0/8", "::/0") },
  { oid: OID.macaddr, values: more.texts("08:00:2b:01:02:03") },
  { oid: OID.macaddr8, values: more.texts("08:00:2b:01:02:03:04:05") },
  { oid: OID.int4range, values: ranges },
  { oid: OID.int8range, values: ranges },
  { oid: OID.numrange, values: ranges },
  { oid: OID.tsrange, values: ranges },
  { oid: OID.tstzrange, values: ranges },
  { oid: OID.daterange, values: ranges },
  { oid: OID.tsvector, values: more.texts("'a':1 'b':2") },
  described(named("ltree"), more.texts("Ship.Frigate")),
  described(named("hstore"), more.hstoreJson),
  ...["ean13", "isbn", "isbn13", "ismn", "ismn13", "issn", "issn13", "upc"].map((name) =>
    described(named(name), more.texts("0-393-04002-X")),
  ),
];

const TIMES: readonly Spec[] = [
  { oid: OID.date, values: values.date },
  { oid: OID.time, typmod: 3, values: values.time(3, 1000) },
  { oid: OID.time, values: values.time(6, 1) },
  { oid: OID.timestamp, typmod: 3, values: values.timestamp(3, 1000n) },
  { oid: OID.timestamp, defaultExpr: "now()", values: values.timestamp(6, 1n) },
  { oid: OID.timestamptz, typmod: 0, values: values.timestamptz(0) },
  { oid: OID.timestamptz, typmod: 3, values: values.timestamptz(3) },
  { oid: OID.timestamptz, notNull: true, values: values.timestamptz(6) },
  { oid: OID.timetz, values: more.timetz },
  { oid: OID.interval, values: more.microDuration },
];

const SHAPES: readonly Spec[] = [
  { oid: OID.point, notNull: true, values: more.point },
  { oid: OID.circle, values: more.circle },
  { oid: OID.line, values: more.line },
  { oid: OID.box, values: more.box },
  { oid: OID.lseg, values: more.lseg },
  { oid: OID.path, values: more.path },
  { oid: OID.polygon, values: more.polygon },
  described(named("geometry"), more.ewkb({ extensions: null })),
  described(named("geography"), more.ewkb({})),
  described(named("vector"), more.vector(double)),
  described(named("halfvec"), more.vector(values.float)),
  described(named("sparsevec"), more.sparseVector),
];

const NESTED: readonly Spec[] = [
  described(domain(plain(OID.numeric, numeric(6, 2))), decimal(6, 2)),
  described(domain({ oid: 1, typmod: -1, detail: domain(plain(OID.bit, 3)) }), more.bits(3, 3)),
  arrayOf(plain(OID.bool), values.bool),
  arrayOf(plain(OID.int2), int(-(2 ** 15), 2 ** 15 - 1)),
  arrayOf(plain(OID.int4), int(-(2 ** 31), 2 ** 31 - 1)),
  arrayOf(plain(OID.int8), long),
  arrayOf(plain(OID.oid), values.oid),
  arrayOf(plain(OID.float4), values.float),
  arrayOf(plain(OID.float8), double),
  arrayOf(plain(OID.numeric, numeric(10, 2)), decimal(10, 2)),
  arrayOf(plain(OID.numeric, numeric(38, 30)), decimal(38, 30)),
  arrayOf(plain(OID.numeric), values.variableScale),
  arrayOf(plain(OID.text), string),
  arrayOf(plain(OID.varchar), string),
  arrayOf(plain(OID.bpchar, 9), char5),
  arrayOf(extension("citext"), string),
  arrayOf(plain(OID.uuid), values.uuid),
  arrayOf(plain(OID.bytea), values.bytes),
  arrayOf(plain(OID.jsonb), values.json),
  arrayOf(plain(OID.inet), inet),
  arrayOf(plain(OID.macaddr), more.texts("08:00:2b:01:02:03")),
  arrayOf(plain(OID.tsrange), ranges),
  arrayOf(plain(OID.date), values.date),
  arrayOf(plain(OID.time), values.time(6, 1)),
  arrayOf(plain(OID.timetz), more.timetz),
  arrayOf(plain(OID.timestamp, 3), values.timestamp(3, 1000n)),
  arrayOf(plain(OID.timestamptz), values.timestamptz(6)),
  arrayOf({ oid: 99_999, typmod: -1, detail: LABELS }, more.label, false),
  arrayOf(plain(OID.tsvector), more.texts("'a':1"), false),
  arrayOf(extension("ltree"), more.texts("Ship.Frigate", "a")),
  arrayOf(extension("hstore"), more.hstoreJson),
  arrayOf(extension("geometry"), more.ewkb({ extensions: null })),
];

const ID: Spec = { oid: OID.int4, notNull: true, values: int(-(2 ** 31), 2 ** 31 - 1) };

const millis = (micros: bigint): bigint => (micros - (((micros % 1000n) + 1000n) % 1000n)) / 1000n;
const special = more.texts("NaN", "Infinity", "-Infinity");
const SPECIAL_NAMES: Readonly<Record<string, string>> = {
  NaN: "NAN",
  Infinity: "POSITIVE_INFINITY",
  "-Infinity": "NEGATIVE_INFINITY",
};
const looseNumeric = fc
  .bigInt({ min: -(10n ** 9n), max: 10n ** 9n })
  .map((value) => both(decimalText(value, 2), decimalText(value, 2)));
const numericText = fc.oneof(
  { weight: 5, arbitrary: looseNumeric },
  { weight: 1, arbitrary: special.map(({ text }) => both(text, SPECIAL_NAMES[text])) },
);
const numericDouble = fc.oneof(looseNumeric, special).map(({ text }) => both(text, Number(text)));
const base64url = (bytes: Buffer): string => bytes.toString("base64").replaceAll("+", "-").replaceAll("/", "_");
const tid = (write: (bytes: Buffer) => unknown): fc.Arbitrary<Both> =>
  more.texts("(0,1)", "").map(({ text }) => both(text, write(Buffer.from(text))));

/** date, time and timestamp with 3 and 6 digits, also in arrays, as the mode writes them. */
function timesIn(
  date: fc.Arbitrary<Both>,
  time: (digits: number) => fc.Arbitrary<Both>,
  timestamp: (digits: number) => fc.Arbitrary<Both>,
): readonly Spec[] {
  return [
    { oid: OID.date, values: date },
    { oid: OID.time, typmod: 3, values: time(3) },
    { oid: OID.time, values: time(6) },
    { oid: OID.timestamp, typmod: 3, values: timestamp(3) },
    { oid: OID.timestamp, values: timestamp(6) },
    { oid: OID.timestamptz, values: values.timestamptz(6) },
    arrayOf(plain(OID.date), date),
    arrayOf(plain(OID.time), time(6)),
    arrayOf(plain(OID.timestamp, 3), timestamp(3)),
  ];
}

function decimals(one: fc.Arbitrary<Both>, money: fc.Arbitrary<Both>): readonly Spec[] {
  const typmod = numeric(11, 2);
  return [
    { oid: OID.numeric, typmod, values: one },
    { oid: OID.numeric, values: one },
    { oid: OID.money, values: money },
    arrayOf(plain(OID.numeric, typmod), one),
  ];
}

function binaries(write: (bytes: Buffer) => unknown): readonly Spec[] {
  const one = values.bytesAs(write);
  return [
    { oid: OID.bytea, values: one },
    arrayOf(plain(OID.bytea), one),
    { oid: TID, values: tid(write) },
    arrayOf(plain(TID), tid(write)),
  ];
}

/** A row's place on disk will never be mapped: only include.unknown.datatypes lets it in. */
const TID = 27;
const micro = (digits: number): fc.Arbitrary<Both> => values.time(digits, 1);

const SETS: readonly (readonly [string, Partial<ValueModes>, readonly Spec[]])[] = [
  ["all types, Debezium's defaults", {}, [...NUMBERS, ...TEXTS, ...TIMES, ...SHAPES, ...NESTED]],
  [
    "decimals as string",
    { decimal: "string" },
    decimals(
      numericText,
      more.money((_, text) => text),
    ),
  ],
  [
    "decimals as double",
    { decimal: "double" },
    decimals(
      numericDouble,
      more.money((_, text) => Number(text)),
    ),
  ],
  ["money of one digit", { moneyDigits: 1 }, [{ oid: OID.money, values: more.money(more.tenths) }]],
  [
    "times in adaptive_time_microseconds",
    { time: "adaptive_time_microseconds" },
    timesIn(values.date, micro, (digits) => values.timestamp(digits, digits === 3 ? 1000n : 1n)),
  ],
  [
    "times in microseconds",
    { time: "microseconds" },
    timesIn(values.date, micro, (digits) => values.timestamp(digits, 1n)),
  ],
  [
    "times in nanoseconds",
    { time: "nanoseconds" },
    timesIn(
      values.date,
      (digits) => values.timeAs(digits, ({ micros }) => BigInt(micros) * 1000n),
      (digits) => values.timestampAs(digits, ({ micros }) => micros * 1000n, values.nanoSeconds),
    ),
  ],
  [
    "times of Connect",
    { time: "connect" },
    timesIn(
      values.date,
      (digits) => values.timeAs(digits, ({ micros }) => Math.floor(micros / 1000)),
      (digits) => values.timestampAs(digits, ({ micros }) => millis(micros)),
    ),
  ],
  [
    "times as ISO texts",
    { time: "isostring" },
    timesIn(
      values.isoDate,
      (digits) => values.timeAs(digits, ({ iso }) => iso),
      (digits) => values.timestampAs(digits, ({ iso }) => iso),
    ),
  ],
  ["intervals as string", { interval: "string" }, [{ oid: OID.interval, values: more.intervalText }]],
  ["bytes, and of types not known", { unknownTypes: true }, binaries((bytes) => bytes)],
  ["bytes in hex", { binary: "hex", unknownTypes: true }, binaries((bytes) => bytes.toString("hex"))],
  ["bytes in base64", { binary: "base64", unknownTypes: true }, binaries((bytes) => bytes.toString("base64"))],
  ["bytes in base64 for URLs", { binary: "base64-url-safe", unknownTypes: true }, binaries(base64url)],
  [
    "hstore as map",
    { hstore: "map" },
    [described(named("hstore"), more.hstoreMap), arrayOf(extension("hstore"), more.hstoreMap)],
  ],
];

const SOURCE = {
  version: "3.7.0.Test",
  connector: "postgresql",
  name: "test_server",
  ts_ms: 1_700_000_000_000n,
  snapshot: "false",
  db: "postgres",
  sequence: '["23456788","23456789"]',
  ts_us: 1_700_000_000_000_123n,
  ts_ns: 1_700_000_000_000_123_000n,
  schema: "public",
  table: "t",
  txId: 777n,
  lsn: 23_456_789n,
  xmin: null,
  origin: null,
  origin_lsn: null,
};
const TIMES_OF_EVENT = { ts_ms: 1_700_000_000_456n, ts_us: 1_700_000_000_456_789n, ts_ns: 1_700_000_000_456_789_000n };

/** The first set gets all rows, the others a fifth each. */
const CASES = SETS.map(([name, modes, specs], i) => ({
  name,
  modes: { ...DEFAULT_MODES, ...modes },
  specs: [ID, ...specs],
  rows: i === 0 ? ROWS : Math.ceil(ROWS / 5),
}));

test.each(CASES)(
  "$rows random rows of $name have the bytes avsc gives the same values",
  ({ modes, specs, rows }) => {
    const fields = specs.map((spec, i) => field({ ...spec, name: `c${i}` }, i, modes));
    const shape = shapeOf("test_server.public.t", fields, fields.slice(0, 1));
    const encoder = rowEncoderOf(shape, { modes });
    const envelope = avscType(shape.valueSchema.text);
    const key = avscType(shape.keySchema?.text ?? "");
    const row = fc.tuple(
      ...specs.map((spec) => (spec.notNull === true ? spec.values : fc.option(spec.values, { freq: 6 }))),
    );
    fc.assert(
      fc.property(row, (cells) => {
        const texts = cells.map((cell) => cell?.text ?? null);
        const [event] = encoder.change(change("insert", texts), MARK);
        const after = Object.fromEntries(cells.map((cell, i) => [`c${i}`, cell === null ? null : cell.value]));
        const value = { before: null, after, source: SOURCE, transaction: null, op: "c", ...TIMES_OF_EVENT };
        expect(event?.value?.toString("hex", 5)).toBe(envelope.toBuffer(value).toString("hex"));
        expect(event?.key?.toString("hex", 5)).toBe(key.toBuffer({ c0: cells[0]?.value }).toString("hex"));
      }),
      { numRuns: rows },
    );
  },
  3_600_000,
);

test("every mapped type is among the rows", () => {
  const tried = new Set<Kind>(
    SETS.flatMap(([, , specs]) => specs.map((spec, i) => kindOf(column({ ...spec, name: "c" }, i).type))),
  );
  expect(Object.keys(OID).filter((name) => !tried.has(name as Kind))).toEqual([]); // OID's keys are kinds
});
