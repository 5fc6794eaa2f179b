import fc from "fast-check";
import { expect, test } from "vitest";
import { OID } from "../../src/event/kind.ts";
import { avscType } from "./avro.ts";
import { change, field, MARK, shapeOf, writerOf, type ColumnSpec } from "./row.ts";

/** `npm run test:bytes` raises this. */
const ROWS = Number(process.env["FIELDGATE_BYTE_ROWS"] ?? 20_000);

/** One value, as PostgreSQL prints it and as avsc takes it. */
interface Both {
  readonly text: string;
  readonly value: unknown;
}

const both = (text: string, value: unknown): Both => ({ text, value });

/** What a text and the same value look like, made without any code of ours. */
const int = (min: number, max: number): fc.Arbitrary<Both> => fc.integer({ min, max }).map((n) => both(String(n), n));

const long: fc.Arbitrary<Both> = fc
  .oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -(2n ** 55n), max: 2n ** 55n }))
  .map((n) => both(String(n), n));

/** PostgreSQL prints exponents with two digits. */
function floatText(value: number, print: string): string {
  if (Object.is(value, -0)) return "-0";
  return print.replace(/e([+-])(\d)$/, "e$10$2");
}

const float: fc.Arbitrary<Both> = fc.float().map((value) => {
  for (let digits = 1; digits < 9; digits++) {
    const print = value.toPrecision(digits);
    if (Math.fround(Number(print)) === value) return both(floatText(value, print), value);
  }
  return both(floatText(value, Number.isFinite(value) ? value.toPrecision(9) : String(value)), value);
});

const double: fc.Arbitrary<Both> = fc.double().map((value) => both(floatText(value, String(value)), value));

/** Big-endian two's complement by counting up bytes. */
function unscaledBytes(value: bigint): Buffer {
  let size = 1;
  while (BigInt.asIntN(size * 8, value) !== value) size++;
  const bytes = Buffer.alloc(size);
  for (let i = size - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}

function decimalText(value: bigint, scale: number): string {
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, "0");
  const point = digits.length - scale;
  return `${value < 0n ? "-" : ""}${digits.slice(0, point)}${scale > 0 ? "." : ""}${digits.slice(point)}`;
}

function decimal(precision: number, scale: number): fc.Arbitrary<Both> {
  const most = 10n ** BigInt(precision) - 1n;
  const small = most < 100_000n ? most : 100_000n;
  return fc
    .oneof(fc.bigInt({ min: -most, max: most }), fc.bigInt({ min: -small, max: small }))
    .map((value) => both(decimalText(value, scale), unscaledBytes(value)));
}

const variableScale: fc.Arbitrary<Both> = fc
  .tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: 0, max: 12 }))
  .map(([unscaled, digits]) => {
    let [value, scale] = [unscaled, digits];
    for (; scale > 0 && value % 10n === 0n; scale--) value /= 10n;
    return both(decimalText(unscaled, digits), { scale, value: unscaledBytes(value) });
  });

const string: fc.Arbitrary<Both> = fc
  .string({ unit: "binary", maxLength: 40 })
  .filter((text) => !text.includes("\0") && text.isWellFormed())
  .map((text) => both(text, text));

const uuid: fc.Arbitrary<Both> = fc.uuid().map((text) => both(text, text));
const json: fc.Arbitrary<Both> = fc.integer().map((n) => both(`{"n": ${n}, "ž": []}`, `{"n": ${n}, "ž": []}`));
const bytes: fc.Arbitrary<Both> = fc
  .uint8Array({ maxLength: 40 })
  .map((array) => both(`\\x${Buffer.from(array).toString("hex")}`, Buffer.from(array)));

const pad = (value: number, width = 2): string => String(value).padStart(width, "0");

/** Date and clock of a moment, by JavaScript's own calendar. */
function parts(ms: number): { date: string; clock: string; bc: string; iso: string } {
  const at = new Date(ms);
  const year = at.getUTCFullYear();
  const monthDay = `${pad(at.getUTCMonth() + 1)}-${pad(at.getUTCDate())}`;
  const isoYear = `${year < 0 ? "-" : year > 9999 ? "+" : ""}${pad(Math.abs(year), 4)}`;
  return {
    date: `${pad(year > 0 ? year : 1 - year, 4)}-${monthDay}`,
    clock: `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())}`,
    bc: year > 0 ? "" : " BC",
    iso: `${isoYear}-${monthDay}`,
  };
}

/** Fraction as PostgreSQL prints it: without trailing zeros. */
function fraction(micros: number): string {
  return micros === 0 ? "" : `.${pad(micros, 6).replace(/0+$/, "")}`;
}

/** From 4714 BC to 275760, most of them near today. */
const seconds = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 4_000_000_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -210_866_803_200, max: 8_640_000_000_000 }) },
);

const date: fc.Arbitrary<Both> = seconds.map((at) => {
  const days = Math.floor(at / 86_400);
  const { date: text, bc } = parts(days * 86_400_000);
  return both(text + bc, days);
});

/** Microseconds that a column with so many digits of fraction may have. */
function microsOf(digits: number): fc.Arbitrary<number> {
  return fc.integer({ min: 0, max: 10 ** digits - 1 }).map((value) => value * 10 ** (6 - digits));
}

function time(digits: number, unit: number): fc.Arbitrary<Both> {
  return fc.tuple(fc.integer({ min: 0, max: 86_399 }), microsOf(digits)).map(([second, micros]) => {
    const value = (second * 1_000_000 + micros) / unit;
    return both(parts(second * 1000).clock + fraction(micros), unit === 1 ? BigInt(value) : value);
  });
}

function timestamp(digits: number, unit: bigint): fc.Arbitrary<Both> {
  return fc.tuple(seconds, microsOf(digits)).map(([second, micros]) => {
    const { date: day, clock, bc } = parts(second * 1000);
    return both(`${day} ${clock}${fraction(micros)}${bc}`, (BigInt(second) * 1_000_000n + BigInt(micros)) / unit);
  });
}

function timestamptz(digits: number): fc.Arbitrary<Both> {
  return fc.tuple(seconds, microsOf(digits)).map(([second, micros]) => {
    const { date: day, clock, bc, iso } = parts(second * 1000);
    const shown = digits === 0 ? "" : `.${pad(micros, 6).slice(0, digits)}`;
    return both(`${day} ${clock}${fraction(micros)}+00${bc}`, `${iso}T${clock}${shown}Z`);
  });
}

const numeric = (precision: number, scale: number): number => (precision << 16) + scale + 4;

const COLUMNS: readonly (Omit<ColumnSpec, "name"> & { readonly values: fc.Arbitrary<Both> })[] = [
  { oid: OID.int4, notNull: true, defaultExpr: "nextval('t_id_seq'::regclass)", values: int(-(2 ** 31), 2 ** 31 - 1) },
  { oid: OID.bool, values: fc.boolean().map((value) => both(value ? "t" : "f", value)) },
  { oid: OID.int2, values: int(-(2 ** 15), 2 ** 15 - 1) },
  { oid: OID.int4, defaultExpr: "7", values: int(-200, 200) },
  { oid: OID.int8, notNull: true, values: long },
  { oid: OID.float4, values: float },
  { oid: OID.float8, values: double },
  { oid: OID.numeric, typmod: numeric(10, 2), values: decimal(10, 2) },
  { oid: OID.numeric, typmod: numeric(16, 0), values: decimal(16, 0) },
  { oid: OID.numeric, typmod: numeric(38, 10), notNull: true, values: decimal(38, 10) },
  { oid: OID.numeric, values: variableScale },
  { oid: OID.text, notNull: true, values: string },
  { oid: OID.varchar, typmod: 44, defaultExpr: "'new'::character varying", values: string },
  {
    oid: OID.bpchar,
    typmod: 9,
    values: fc.string({ unit: "grapheme-ascii", maxLength: 5 }).map((text) => both(text.padEnd(5), text.padEnd(5))),
  },
  { oid: OID.uuid, values: uuid },
  { oid: OID.bytea, values: bytes },
  { oid: OID.json, values: json },
  { oid: OID.jsonb, defaultExpr: "'{}'::jsonb", values: json },
  { oid: OID.date, values: date },
  { oid: OID.time, typmod: 3, values: time(3, 1000) },
  { oid: OID.time, values: time(6, 1) },
  { oid: OID.timestamp, typmod: 3, values: timestamp(3, 1000n) },
  { oid: OID.timestamp, defaultExpr: "now()", values: timestamp(6, 1n) },
  { oid: OID.timestamptz, typmod: 0, values: timestamptz(0) },
  { oid: OID.timestamptz, typmod: 3, values: timestamptz(3) },
  { oid: OID.timestamptz, notNull: true, values: timestamptz(6) },
];

const fields = COLUMNS.map((spec, i) => field({ ...spec, name: `c${i}` }, i));
const shape = shapeOf("test_server.public.t", fields, fields.slice(0, 1));
const writer = writerOf(shape);
const envelope = avscType(shape.valueSchema.text);
const key = avscType(shape.keySchema?.text ?? "");

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
const TIMES = { ts_ms: 1_700_000_000_456n, ts_us: 1_700_000_000_456_789n, ts_ns: 1_700_000_000_456_789_000n };

const row = fc.tuple(
  ...COLUMNS.map(({ values, notNull }) => (notNull === true ? values : fc.option(values, { freq: 6 }))),
);

test(`${ROWS} random rows of all mapped types have the bytes avsc gives the same values`, () => {
  fc.assert(
    fc.property(row, (cells) => {
      const [event] = writer.change(
        change(
          "insert",
          cells.map((cell) => cell?.text ?? null),
        ),
        MARK,
      );
      const after = Object.fromEntries(cells.map((cell, i) => [`c${i}`, cell === null ? null : cell.value]));
      const expected = envelope.toBuffer({ before: null, after, source: SOURCE, transaction: null, op: "c", ...TIMES });
      expect(event?.value?.toString("hex", 5)).toBe(expected.toString("hex"));
      expect(event?.key?.toString("hex", 5)).toBe(key.toBuffer({ c0: cells[0]?.value }).toString("hex"));
    }),
    { numRuns: ROWS },
  );
}, 300_000);
