import { describe, expect, it, test } from "vitest";
import { attnum } from "../../src/table/column.ts";
import type { Field } from "../../src/table/shape.ts";
import { widen } from "../../src/event/field.ts";
import { OID } from "../../src/event/types/table.ts";
import type { EventRecord } from "../../src/event/row-encoder.ts";
import { avscType } from "./avro.ts";
import { change, field, MARK, shapeOf, tupleData, UNCHANGED, rowEncoderOf, type Sent } from "./row.ts";

const FIELDS = [
  field({ name: "id", oid: OID.int4, notNull: true }, 0),
  field({ name: "name", oid: OID.text, notNull: true }, 1),
  field({ name: "note", oid: OID.text }, 2),
  field({ name: "blob", oid: OID.bytea }, 3),
  field({ name: "state", oid: OID.text, defaultExpr: "'new'::text" }, 4),
];
const KEY = FIELDS.slice(0, 1);
const SHAPE = shapeOf("p.public.t", FIELDS, KEY);
const ENCODER = rowEncoderOf(SHAPE);
const ROW = ["1", "Ann", null, "\\x01", null];
const KEY_ONLY = ["1", null, null, null, null];

interface Envelope {
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
  readonly op: string;
  readonly source: Record<string, unknown>;
}

/** An event as a consumer decodes it. */
function read(record: EventRecord | undefined, shape = SHAPE): Envelope | null {
  if (record?.value === null || record === undefined) return null;
  return avscType(shape.valueSchema.text).fromBuffer(record.value.subarray(5));
}

function idOf(record: EventRecord | undefined): number | undefined {
  return record?.key === null || record === undefined ? undefined : (record.key[5] ?? 0) / 2;
}

describe("an insert", () => {
  const [event, ...more] = ENCODER.change(change("insert", ROW), MARK);

  it("is one event c with the row in after", () => {
    expect(more).toHaveLength(0);
    expect(read(event)).toMatchObject({ op: "c", before: null });
    expect({ ...read(event)?.after }).toStrictEqual({
      id: 1,
      name: "Ann",
      note: null,
      blob: Buffer.from([1]),
      state: null,
    });
  });

  it("leaves null as null although the column has a default", () => {
    expect(read(event)?.after?.["state"]).toBeNull();
  });

  it("has its transaction and position in the source block", () => {
    expect({ ...read(event)?.source }).toStrictEqual({
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
    });
  });
});

test("the source block changes with transaction, position and snapshot mark", () => {
  const tx = { ...MARK.tx, xid: 778, lastCommitLsn: undefined };
  const [first] = ENCODER.change(change("insert", ROW), MARK);
  const next = ENCODER.chunkRow(tupleData(ROW), 0, { ...MARK, tx, snapshot: "first" });
  expect(read(first)?.source).toMatchObject({ txId: 777n, snapshot: "false" });
  expect(read(next)).toMatchObject({
    op: "r",
    source: { txId: 778n, snapshot: "first", sequence: '[null,"23456789"]' },
  });
  const [last] = ENCODER.change(change("insert", ROW), MARK);
  expect(last?.value).toStrictEqual(first?.value);
});

describe("an update", () => {
  it("has no before if the log has no old row", () => {
    const [event, ...more] = ENCODER.change(change("update", ROW), MARK);
    expect(more).toHaveLength(0);
    expect(read(event)).toMatchObject({ op: "u", before: null, after: { name: "Ann" } });
  });

  it("has the whole old row in before under REPLICA IDENTITY FULL", () => {
    const old = { kind: "full", values: ["1", "Bob", "x", null, "new"] } as const;
    const [event] = ENCODER.change(change("update", ROW, old), MARK);
    expect(read(event)).toMatchObject({ op: "u", before: { name: "Bob", note: "x" }, after: { name: "Ann" } });
    expect(event?.headers).toBeUndefined();
  });

  it("whose old key equals the new one is still one u", () => {
    const old = { kind: "key", values: KEY_ONLY } as const;
    const records = ENCODER.change(change("update", ROW, old), MARK);
    expect(records).toHaveLength(1);
    expect(read(records[0])).toMatchObject({ op: "u", before: { id: 1, name: "" } });
  });

  it.each(["key", "full"] as const)(
    "that changes the key is d, tombstone and c with Debezium's headers (old row: %s)",
    (kind) => {
      const records = ENCODER.change(
        change("update", ["2", "Ann", null, null, null], { kind, values: kind === "key" ? KEY_ONLY : ROW }),
        MARK,
      );
      expect(records.map((record) => read(record)?.op)).toStrictEqual(["d", undefined, "c"]);
      expect(records.map(idOf)).toStrictEqual([1, 1, 2]);
      expect(records[1]?.value).toBeNull();
      const headers = records.map((record) =>
        Object.entries(record.headers ?? {}).map(([name, text]) => `${name}=${String(text)}`),
      );
      expect(headers).toStrictEqual([
        ['__debezium.newkey={"id":2}'],
        ['__debezium.newkey={"id":2}'],
        ['__debezium.oldkey={"id":1}'],
      ]);
      expect(read(records[2])).toMatchObject({ before: null, after: { id: 2 } });
    },
  );
});

describe("a delete", () => {
  it("has the key and fallbacks for required columns in before, and is followed by a tombstone", () => {
    const records = ENCODER.change(change("delete", undefined, { kind: "key", values: KEY_ONLY }), MARK);
    expect(records.map(idOf)).toStrictEqual([1, 1]);
    expect(read(records[0])).toMatchObject({ op: "d", after: null });
    expect({ ...read(records[0])?.before }).toStrictEqual({ id: 1, name: "", note: null, blob: null, state: null });
    expect(records[1]?.value).toBeNull();
  });

  it("has no tombstone if the connector writes none", () => {
    const encoder = rowEncoderOf(SHAPE, { tombstones: false });
    expect(encoder.change(change("delete", undefined, { kind: "key", values: KEY_ONLY }), MARK)).toHaveLength(1);
  });

  it("in a table without a key has a tombstone without a key, like Debezium's", () => {
    const encoder = rowEncoderOf(shapeOf("p.public.t", FIELDS, []));
    const records = encoder.change(change("delete", undefined, { kind: "full", values: ROW }), MARK);
    expect(records.map(({ key }) => key)).toStrictEqual([null, null]);
  });

  it("whose old key lacks a column of the event key is refused", () => {
    const encoder = rowEncoderOf(shapeOf("p.public.t", FIELDS, FIELDS.slice(0, 2)));
    const row = change("delete", undefined, { kind: "key", values: KEY_ONLY });
    expect(() => encoder.change(row, MARK)).toThrow(/value-unfit.*public\.t\.name/);
  });
});

test("a required column missing from the old key has Debezium's fallback for its type", () => {
  const table: readonly (readonly [number, number, unknown])[] = [
    [OID.int2, -1, 0],
    [OID.int8, -1, 0n],
    [OID.float4, -1, 0],
    [OID.float8, -1, 0],
    [OID.bool, -1, false],
    [OID.numeric, (6 << 16) + 6, Buffer.from([0])],
    [OID.numeric, -1, { scale: 0, value: Buffer.from([0]) }],
    [OID.varchar, -1, ""],
    [OID.json, -1, ""],
    [OID.uuid, -1, ""],
    [OID.bytea, -1, Buffer.alloc(0)],
    [OID.date, -1, 0],
    [OID.time, 3, 0],
    [OID.timestamp, -1, 0n],
    [OID.timestamptz, -1, "1970-01-01T00:00:00Z"],
  ];
  const fields = [
    FIELDS[0] as Field,
    ...table.map(([oid, typmod], i) => field({ name: `c${i}`, oid, typmod, notNull: true }, i + 1)),
  ]; // there is a first field
  const shape = shapeOf("p.public.t", fields, fields.slice(0, 1));
  const old = { kind: "key", values: fields.map((_, i) => (i === 0 ? "1" : null)) } as const;
  const [event] = rowEncoderOf(shape).change(change("delete", undefined, old), MARK);
  const before = read(event, shape)?.before ?? {};
  expect(table.map((_, i) => structuredClone(before[`c${i}`]))).toStrictEqual(
    table.map(([, , value]) => structuredClone(value)),
  );
});

describe("an unchanged value stored out of line", () => {
  const row: readonly Sent[] = ["1", UNCHANGED, UNCHANGED, UNCHANGED, "x"];

  it("is the placeholder if the log does not contain it", () => {
    const [event] = ENCODER.change(change("update", row), MARK);
    const placeholder = "__debezium_unavailable_value";
    expect(read(event)?.after).toMatchObject({ name: placeholder, note: placeholder, blob: Buffer.from(placeholder) });
    expect(ENCODER.hasUnchangedToast(change("update", row))).toBe(true);
  });

  it("is the old row's value under REPLICA IDENTITY FULL", () => {
    const old = { kind: "full", values: ["1", "Bob", "long", "\\x02", "x"] } as const;
    const [event] = ENCODER.change(change("update", row, old), MARK);
    expect(read(event)?.after).toMatchObject({ name: "Bob", note: "long", blob: Buffer.from([2]) });
    expect(ENCODER.hasUnchangedToast(change("update", row, old))).toBe(false);
  });

  it("is refused for a type without a placeholder", () => {
    const shape = shapeOf("p.public.t", [...KEY, field({ name: "n", oid: OID.numeric }, 1)], KEY);
    expect(() => rowEncoderOf(shape).change(change("update", ["1", UNCHANGED]), MARK)).toThrow(
      /value-unfit.*public\.t\.n.*the log does not contain it/,
    );
  });

  it("is not reported if its column is withheld", () => {
    const encoder = rowEncoderOf(shapeOf("p.public.t", KEY, KEY), { columns: [attnum(1), attnum(2)] });
    expect(encoder.hasUnchangedToast(change("update", ["1", UNCHANGED]))).toBe(false);
  });
});

describe("a field whose column is missing from the log", () => {
  const columns = [attnum(1)];
  const write = (gone: Field): Envelope | null => {
    const shape = shapeOf("p.public.t", [...KEY, gone], KEY);
    const [event] = rowEncoderOf(shape, { columns }).change(change("insert", ["1"]), MARK);
    return read(event, shape);
  };

  it("is null", () => {
    expect(write(field({ name: "c", oid: OID.text, defaultExpr: "'x'::text" }, 1))?.after).toMatchObject({ c: null });
  });

  it("is its default if it is required", () => {
    expect(write(field({ name: "c", oid: OID.text, notNull: true, defaultExpr: "'x'::text" }, 1))?.after).toMatchObject(
      { c: "x" },
    );
    expect(
      write(field({ name: "c", oid: OID.int8, notNull: true, defaultExpr: "'-7'::integer" }, 1))?.after,
    ).toMatchObject({ c: -7n });
  });

  it("is refused by name if it is required and has no default", () => {
    expect(() => write(field({ name: "c", oid: OID.text, notNull: true }, 1))).toThrow(/value-unfit.*public\.t\.c/);
  });
});

test("a null in a required field is refused with the field's name and position", () => {
  expect(() => ENCODER.change(change("insert", ["1", null, null, null, null]), MARK)).toThrow(
    /value-unfit.*public\.t\.name at 0\/165EC15/,
  );
});

function secretRow(id: string): readonly string[] {
  return [id, "SECRET-A", "SECRET-B", "Ann"];
}

test("a withheld column's value is in no record: not in before, after, key or headers", () => {
  const columns = [attnum(1), undefined, attnum(9), attnum(2)];
  const shape = shapeOf("p.public.t", FIELDS.slice(0, 2), KEY);
  const encoder = rowEncoderOf(shape, { columns });
  const records = [
    ...encoder.change(change("insert", secretRow("1")), MARK),
    ...encoder.change(change("update", secretRow("2"), { kind: "full", values: secretRow("1") }), MARK),
    ...encoder.change(change("delete", undefined, { kind: "full", values: secretRow("1") }), MARK),
    encoder.chunkRow(tupleData(secretRow("1")), 0, MARK),
  ];
  expect(records).toHaveLength(7);
  for (const record of records) {
    const bytes = Buffer.concat([
      record.key ?? Buffer.alloc(0),
      record.value ?? Buffer.alloc(0),
      ...Object.values(record.headers ?? {}),
    ]);
    expect(bytes.includes("SECRET")).toBe(false);
  }
  expect(read(records[0], shape)?.after).toMatchObject({ id: 1, name: "Ann" });
});

test("two fields may be filled from one column, as after a rename", () => {
  const both = [
    ...FIELDS.slice(0, 2),
    { ...widen(FIELDS[1] as Field), avro: { ...widen(FIELDS[1] as Field).avro, name: "title" } },
  ]; // there is a first field
  const shape = shapeOf("p.public.t", both, KEY);
  const text = "x".repeat(2_000_000);
  const [event] = rowEncoderOf(shape, { columns: [attnum(1), attnum(2)] }).change(change("insert", ["1", text]), MARK);
  expect(read(event, shape)?.after).toMatchObject({ name: text, title: text });
});

describe("keys for a chunk's window", () => {
  it("are the key bytes of the records, old and new", () => {
    const row = change("update", ["2", "Ann", null, null, null], { kind: "key", values: KEY_ONLY });
    const keys = ENCODER.change(row, MARK).map((record) => record.key?.toString("latin1"));
    expect(ENCODER.keysOf(row)).toStrictEqual([keys[0], keys[2]]);
    expect(ENCODER.keyOfTuple(tupleData(ROW), 0)).toBe(keys[0]);
    expect(ENCODER.keysOf(change("insert", ROW))).toStrictEqual([keys[0]]);
    expect(ENCODER.keysOf(change("delete", undefined, { kind: "key", values: KEY_ONLY }))).toStrictEqual([keys[0]]);
  });

  it("are empty for a table without a key", () => {
    const encoder = rowEncoderOf(shapeOf("p.public.t", FIELDS, []));
    expect(encoder.keysOf(change("insert", ROW))).toStrictEqual([]);
    expect(encoder.keyOfTuple(tupleData(ROW), 0)).toBe("");
  });
});

test("a key with many types is printed in the headers like Connect's struct", () => {
  const specs = [
    { name: "t", oid: OID.text, text: 'a"b\\c' },
    { name: "n", oid: OID.numeric, typmod: (10 << 16) + 6, text: "-1.50" },
    { name: "u", oid: OID.bytea, text: "\\x0102ff" },
    { name: "d", oid: OID.date, text: "1970-01-03" },
    { name: "b", oid: OID.bool, text: "t" },
  ];
  const fields = [...KEY, ...specs.map((spec, i) => field({ ...spec, notNull: true }, i + 1))];
  const encoder = rowEncoderOf(shapeOf("p.public.t", fields, fields));
  const texts = specs.map((spec) => spec.text);
  const records = encoder.change(change("update", ["2", ...texts], { kind: "full", values: ["1", ...texts] }), MARK);
  expect(String(records[0]?.headers?.["__debezium.newkey"])).toBe(
    '{"id":2,"t":"a\\"b\\\\c","n":-1.50,"u":"AQL/","d":2,"b":true}',
  );
});

test("a column of the event key outside the replica identity has its new value", () => {
  const encoder = rowEncoderOf(shapeOf("p.public.t", FIELDS, FIELDS.slice(0, 2)));
  const row = change("update", ["2", "Ann", null, null, null], { kind: "key", values: KEY_ONLY });
  const [deleted, , created] = encoder.change(row, MARK);
  expect(String(deleted?.headers?.["__debezium.newkey"])).toBe('{"id":2,"name":"Ann"}');
  expect(String(created?.headers?.["__debezium.oldkey"])).toBe('{"id":1,"name":"Ann"}');
});

test("each event has the connector's time at that event", () => {
  const times = [MARK.now, MARK.now + 5_000n].map((now) =>
    read(ENCODER.change(change("insert", ROW), { ...MARK, now })[0]),
  );
  expect(times).toMatchObject([
    { ts_ms: 1_700_000_000_456n, ts_us: 1_700_000_000_456_789n },
    { ts_ms: 1_700_000_000_461n, ts_us: 1_700_000_000_461_789n },
  ]);
});

test("records do not change while later ones are written", () => {
  const first = ENCODER.change(change("insert", ROW), MARK)[0]?.value;
  const copy = Buffer.from(first ?? []);
  for (let i = 0; i < 10_000; i++)
    ENCODER.change(change("insert", [String(i), "x".repeat(300), null, null, null]), MARK);
  expect(first).toStrictEqual(copy);
});

test("a row that does not match its Relation is refused", () => {
  expect(() => ENCODER.change(change("insert", ["1"]), MARK)).toThrow(/wal-invalid/);
  expect(() => ENCODER.change(change("insert", [...ROW, "6"]), MARK)).toThrow(/wal-invalid/);
});

test("a field of an Avro type that Fieldgate cannot write is refused at once", () => {
  const odd: Field = { ...(FIELDS[0] as Field), avro: { name: "id", type: { type: "fixed", name: "F", size: 4 } } }; // there is a first field
  expect(() => rowEncoderOf(shapeOf("p.public.t", [odd], []))).toThrow(/amendment-unsupported/);
});
