import { describe, expect, it, test } from "vitest";
import { attnum, type ColumnType, type TypeDetail } from "../../src/table/column.ts";
import type { Field } from "../../src/table/shape.ts";
import { OID } from "../../src/event/types/table.ts";
import { DEFAULT_MODES, type ValueModes } from "../../src/event/types/modes.ts";
import type { RowEncoder, RowEncoderOptions } from "../../src/event/row-encoder.ts";
import { avscType } from "./avro.ts";
import { change, field, MARK, shapeOf, UNCHANGED, rowEncoderOf, type ColumnSpec, type Sent } from "./row.ts";
import type { Json } from "../../src/json.ts";

const ID = field({ name: "id", oid: OID.int4, notNull: true }, 0);
const MOOD: TypeDetail = { kind: "enum", name: "mood", labels: ["low", "high, very"] };
const plain = (oid: number, typmod = -1): ColumnType => ({ oid, typmod });
const array = (of: ColumnType): ColumnSpec => ({ name: "v", oid: 9, typmod: of.typmod, detail: { kind: "array", of } });
const named = (name: string): ColumnSpec => ({ name: "v", oid: 8, detail: { kind: "named", name } });

/** The field v as a consumer reads it from the row `1, sent`. */
function after(one: Field, sent: Sent, options: Partial<RowEncoderOptions> = {}): unknown {
  const shape = shapeOf("p.public.t", [ID, one], [ID]);
  const columns = [attnum(1), attnum(2)];
  const [event] = rowEncoderOf(shape, { columns, ...options }).change(change("insert", ["1", sent]), MARK);
  const read = avscType(shape.valueSchema.text).fromBuffer(event?.value?.subarray(5) ?? Buffer.alloc(0));
  return JSON.parse(
    JSON.stringify(read.after.v, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)),
  );
}

describe("a column whose type differs from its field's", () => {
  const int = field({ name: "v", oid: OID.int4, notNull: true }, 1);

  it("is cast to the field's type while nothing is lost", () => {
    const types = [plain(OID.int4), plain(OID.numeric, (10 << 16) + 6)];
    expect(after(int, "5.00", { types })).toBe(5);
    expect(() => after(int, "5.10", { types })).toThrow(
      /value-unfit.*public\.t\.v at 0\/165EC15.*does not fit .* type int/,
    );
  });

  it("has null in an optional field if a later field of the same column has the value", () => {
    const [old, now] = [field({ name: "v", oid: OID.int4 }, 1), field({ name: "v_2", oid: OID.numeric }, 1)];
    const shape = shapeOf("p.public.t", [ID, old, now], [ID]);
    const encode = (fields: readonly Field[], value: string) => {
      const encoder = rowEncoderOf(
        { ...shape, fields },
        { columns: [attnum(1), attnum(2)], types: [undefined, plain(OID.numeric)] },
      );
      const [event] = encoder.change(change("insert", ["1", value]), MARK);
      return avscType(shape.valueSchema.text).fromBuffer(event?.value?.subarray(5) ?? Buffer.alloc(0)).after;
    };
    expect(encode(shape.fields, "7")).toMatchObject({ v: 7 });
    expect(encode(shape.fields, "7.5")).toMatchObject({ v: null });
    expect(() => encode([ID, old], "7.5")).toThrow("value-unfit");
    const required = field({ name: "v", oid: OID.int4, notNull: true }, 1);
    expect(() => encode([ID, required, now], "7.5")).toThrow("value-unfit");
  });

  it("never has its value in the message", () => {
    const types = [undefined, plain(OID.text)];
    expect(() => after(int, "SECRET", { types })).toThrow(expect.not.stringContaining("SECRET"));
  });

  it("is found by its place in the Relation, not in the shape", () => {
    const types = [plain(OID.text), undefined, plain(OID.int8)];
    const columns = [attnum(1), undefined, attnum(2)];
    const shape = shapeOf("p.public.t", [ID, int], []);
    const encoder = rowEncoderOf(shape, { columns, types });
    const [event] = encoder.change(change("insert", ["1", "gone", "7"]), MARK);
    expect(event?.value?.subarray(5, 9)).toEqual(Buffer.from([0, 2, 2, 14]));
  });

  it("may belong to the key", () => {
    const columns = [attnum(1), attnum(2)];
    const encoder = rowEncoderOf(shapeOf("p.public.t", [ID, int], [ID]), {
      columns,
      types: [plain(OID.text), undefined],
    });
    const [event] = encoder.change(change("insert", [" 5 ", "6"]), MARK);
    expect(event?.key?.subarray(5)).toEqual(Buffer.from([10]));
  });

  it("fits a field that someone else registered with a different type", () => {
    const registered: Field = {
      ...field({ name: "v", oid: OID.int8 }, 1),
      avro: { name: "v", type: ["null", "string"], default: null },
    };
    expect(after(registered, "5")).toBe("5");
    const bool: Field = {
      ...field({ name: "v", oid: OID.bool }, 1),
      avro: { name: "v", type: ["null", "string"], default: null },
    };
    expect(after(bool, "t")).toBe("true");
  });

  const others: readonly [string, ColumnSpec, Partial<ValueModes>, Partial<ValueModes>, string, unknown][] = [
    ["bytea as text", { name: "v", oid: 17 }, { binary: "hex" }, {}, String.raw`\x00ff`, "00ff"],
    ["bytea[] as text", array(plain(17)), { binary: "hex" }, {}, String.raw`{"\\x00ff"}`, ["00ff"]],
    ["an interval as text", { name: "v", oid: 1186 }, { interval: "string" }, {}, "1 day", "P0Y0M1DT0H0M0S"],
    ["an interval as a number", { name: "v", oid: 1186 }, {}, { interval: "string" }, "1 day", "86400000000"],
    ["hstore as a map", named("hstore"), { hstore: "map" }, {}, '"a"=>"1"', { a: "1" }],
    ["a date as a number", { name: "v", oid: 1082 }, {}, { time: "isostring" }, "1970-01-02", 1],
    ["money", { name: "v", oid: 790 }, { decimal: "string" }, { decimal: "double" }, "$1,234.50", "1234.50"],
    ["an unknown type", { name: "v", oid: 27 }, { unknownTypes: true, binary: "hex" }, {}, "(0,1)", "28302c3129"],
  ];
  it.each(others)("%s keeps its form after the file's modes change", (_, spec, before, now, text, expected) => {
    const made = field({ ...spec, notNull: true }, 1, { ...DEFAULT_MODES, ...before });
    const modes = { ...DEFAULT_MODES, ...now };
    expect(after(made, text, { modes })).toEqual(expected);
    expect(after(made, text, { modes: { ...DEFAULT_MODES, ...before } })).toEqual(expected);
  });

  it("is written as before after the file's modes change", () => {
    const made = field({ name: "v", oid: OID.numeric, typmod: (10 << 16) + 6 }, 1, {
      ...DEFAULT_MODES,
      decimal: "string",
    });
    expect(after(made, "5.00")).toBe("5.00");
    const precise = field({ name: "v", oid: OID.numeric, typmod: (10 << 16) + 6 }, 1);
    const modes: ValueModes = { ...DEFAULT_MODES, decimal: "double" };
    expect(after(precise, "5.00", { modes })).toMatchObject({ data: [1, 244] });
  });
});

describe("a field whose column is missing from the log", () => {
  const gone = { columns: [attnum(1), undefined] };
  const filled = (spec: ColumnSpec, fill: Json): Field => ({ ...field({ ...spec, name: "v" }, 1), fill });

  it.each<[string, ColumnSpec, Json, unknown]>([
    ["a text", { name: "v", oid: OID.text, notNull: true }, "n/a", "n/a"],
    ["a number before the default", { name: "v", oid: OID.int4, notNull: true, defaultExpr: "5" }, 7, 7],
    ["a value instead of null", { name: "v", oid: OID.int8 }, 7, "7"],
    ["null instead of the default", { name: "v", oid: OID.int4, defaultExpr: "5" }, null, null],
    ["a list", array(plain(OID.text)), ["a", null], ["a", null]],
    ["no pairs", named("hstore"), "{}", "{}"],
  ])("has its fill: %s", (_, spec, fill, expected) => {
    expect(after(filled(spec, fill), "x", gone)).toEqual(expected);
  });

  it.each<[string, ColumnSpec, Json]>([
    ["a text in a number", { name: "v", oid: OID.int4 }, "7"],
    ["null where it is required", { name: "v", oid: OID.text, notNull: true }, null],
    ["a fraction", { name: "v", oid: OID.int4 }, 1.5],
  ])("refuses a fill that does not fit its type: %s", (_, spec, fill) => {
    expect(() => after(filled(spec, fill), "x", gone)).toThrow(/amendment-unsupported.*field v cannot hold its fill/);
  });

  it("does not have its fill while the column exists", () => {
    expect(after(filled({ name: "v", oid: OID.text }, "n/a"), null)).toBeNull();
    expect(after(filled({ name: "v", oid: OID.text }, "n/a"), "here")).toBe("here");
  });

  it("is refused by name if it is required and has neither default nor fill", () => {
    expect(() => after(field({ name: "v", oid: OID.text, notNull: true }, 1), "x", gone)).toThrow(
      /value-unfit.*public\.t\.v at 0\/165EC15: the column was dropped/,
    );
  });
});

describe("a field whose column cannot be identified among those of the row", () => {
  const doubt = { columns: [attnum(1), undefined], unidentified: new Set([attnum(2)]) };
  const optional = field({ name: "v", oid: OID.text }, 1);
  const required = field({ name: "v", oid: OID.text, notNull: true, defaultExpr: "'x'::text" }, 1);

  it("is null, and neither its fill nor its default stands for the value that the row may have", () => {
    expect(after(optional, "x", doubt)).toBeNull();
    expect(after({ ...optional, fill: "n/a" }, "x", doubt)).toBeNull();
  });

  it.each<[string, Field]>([
    ["its default", required],
    ["its fill", { ...required, fill: "n/a" }],
  ])("is refused if it is required, although it has %s", (_, one) => {
    expect(() => after(one, "x", doubt)).toThrow(/value-unfit.*public\.t\.v at .*cannot be identified/);
  });

  it("is not a field whose column was dropped before", () => {
    expect(after(required, "x", { columns: doubt.columns })).toBe("x");
  });
});

test("a truncate is an event with op t and neither key nor rows", () => {
  const shape = shapeOf("p.public.t", [ID], [ID]);
  const event = rowEncoderOf(shape).truncate(MARK);
  expect(event.key).toBeNull();
  expect(avscType(shape.valueSchema.text).fromBuffer(event.value?.subarray(5) ?? Buffer.alloc(0))).toMatchObject({
    before: null,
    after: null,
    op: "t",
    source: { table: "t", lsn: 23_456_789n },
  });
});

describe("an enum's label that its field does not list", () => {
  const spec = { name: "v", oid: 7, detail: MOOD };
  const write = (encoder: RowEncoder, text: string | null): boolean => {
    encoder.change(change("insert", ["1", text]), MARK);
    return encoder.takeUnseenLabels().length > 0;
  };

  it("is published unchanged, and reported once", () => {
    const encoder = rowEncoderOf(shapeOf("p.public.t", [ID, field(spec, 1)], []));
    expect(after(field(spec, 1), "new")).toBe("new");
    expect([
      write(encoder, "low"),
      write(encoder, "new"),
      encoder.takeUnseenLabels().length > 0,
      write(encoder, null),
    ]).toEqual([false, true, false, false]);
  });

  it("is told apart from a label with a comma, and from a prefix", () => {
    const encoder = rowEncoderOf(shapeOf("p.public.t", [ID, field(spec, 1)], []));
    expect([write(encoder, "high, very"), write(encoder, "high"), write(encoder, "lo")]).toEqual([false, true, true]);
  });

  it("is noticed in arrays", () => {
    const encoder = rowEncoderOf(
      shapeOf("p.public.t", [ID, field(array({ oid: 7, typmod: -1, detail: MOOD }), 1)], []),
    );
    expect([write(encoder, '{low,"high, very"}'), write(encoder, "{low,new}")]).toEqual([false, true]);
  });

  it("is not the fallback of a required column in an old key", () => {
    const fields = [ID, field({ ...spec, notNull: true }, 1)];
    const encoder = rowEncoderOf(shapeOf("p.public.t", fields, [ID]));
    encoder.change(change("delete", undefined, { kind: "key", values: ["1", null] }), MARK);
    expect(encoder.takeUnseenLabels()).toEqual([]);
  });
});

const PLACEHOLDER = "__debezium_unavailable_value";
const NUMBERS = [...Buffer.from(PLACEHOLDER)];

describe("an unchanged value stored out of line, by type", () => {
  it.each<[string, ColumnSpec, Partial<ValueModes>, unknown]>([
    ["xml", { name: "v", oid: OID.xml }, {}, PLACEHOLDER],
    ["tsvector", { name: "v", oid: OID.tsvector }, {}, PLACEHOLDER],
    ["citext", named("citext"), {}, PLACEHOLDER],
    ["ltree", named("ltree"), {}, PLACEHOLDER],
    ["hstore", named("hstore"), {}, `{"${PLACEHOLDER}":"${PLACEHOLDER}"}`],
    ["hstore as map", named("hstore"), { hstore: "map" }, { [PLACEHOLDER]: PLACEHOLDER }],
    ["bytea in hex", { name: "v", oid: OID.bytea }, { binary: "hex" }, PLACEHOLDER],
    ["bytea in base64", { name: "v", oid: OID.bytea }, { binary: "base64" }, PLACEHOLDER],
    ["text[]", array(plain(OID.text)), {}, [PLACEHOLDER]],
    ["varchar[]", array(plain(OID.varchar)), {}, [PLACEHOLDER]],
    ["jsonb[]", array(plain(OID.jsonb)), {}, [PLACEHOLDER]],
    ["int2[]", array(plain(OID.int2)), {}, NUMBERS],
    ["int4[]", array(plain(OID.int4)), {}, NUMBERS],
    ["int8[]", array(plain(OID.int8)), {}, NUMBERS.map(String)],
    ["date[]", array(plain(OID.date)), {}, NUMBERS],
    ["uuid[]", array(plain(OID.uuid)), {}, ["b68a35a7-17ad-35b3-af2a-ae46edb4545a"]],
    ["enum[]", array({ oid: 7, typmod: -1, detail: MOOD }), {}, [PLACEHOLDER]],
    ["numeric as string", { name: "v", oid: OID.numeric }, { decimal: "string" }, PLACEHOLDER],
    ["text, other words", { name: "v", oid: OID.text }, { placeholder: "ž?" }, "ž?"],
  ])("has Debezium's placeholder: %s", (_, spec, set, expected) => {
    const modes = { ...DEFAULT_MODES, ...set };
    expect(after(field(spec, 1, modes), UNCHANGED, { modes })).toEqual(expected);
  });

  it.each<[string, ColumnSpec]>([
    ["numeric", { name: "v", oid: OID.numeric }],
    ["numeric[]", array(plain(OID.numeric, (10 << 16) + 6))],
    ["timestamptz[]", array(plain(OID.timestamptz))],
    ["float8[]", array(plain(OID.float8))],
    ["bits", { name: "v", oid: OID.varbit }],
  ])("is refused if Debezium has no placeholder: %s", (_, spec) => {
    expect(() => after(field(spec, 1), UNCHANGED)).toThrow(/value-unfit.*public\.t\.v.*the log does not contain it/);
  });
});

test.each([
  ["two dimensions", "{{1,2},{3,4}}"],
  ["none", "1"],
  ["a text that ends early", '{"1'],
])("an array text with %s is refused by name", (_, text) => {
  expect(() => after(field(array(plain(OID.int4)), 1), text)).toThrow(/value-unfit.*public\.t\.v/);
});

test("an array may have explicit bounds, quoted elements, and NULL as a quoted text", () => {
  const texts = field(array(plain(OID.text)), 1);
  expect(after(texts, '[0:2]={a,"NULL",NULL}')).toEqual(["a", "NULL", null]);
  expect(after(texts, String.raw`{"a\"b\\c","{}"," ",""}`)).toEqual(['a"b\\c', "{}", " ", ""]);
  expect(after(texts, "{}")).toEqual([]);
});

test("a null element is refused if the elements are required", () => {
  const moods = field(array({ oid: 7, typmod: -1, detail: MOOD }), 1);
  expect(() => after(moods, "{low,NULL}")).toThrow(/value-unfit/);
});

test("a long value whose every byte grows has room", () => {
  const doubles = `{${Array.from({ length: 200_000 }, () => "1").join(",")}}`;
  expect(after(field(array(plain(OID.float8)), 1), doubles)).toHaveLength(200_000);
  const quoted = "\u0001".repeat(1_000_000);
  expect(after(field(named("hstore"), 1), `"a"=>"${quoted}"`)).toHaveLength(6_000_000 + 8);
});

test("a long text of an unknown type has room for its hexadecimal digits", () => {
  const modes: ValueModes = { ...DEFAULT_MODES, unknownTypes: true, binary: "hex" };
  const text = `(0,1)${" ".repeat(100_000)}`;
  expect(after(field({ name: "v", oid: 27 }, 1, modes), text, { modes })).toBe(Buffer.from(text).toString("hex"));
});

test("a required field whose fallback does not fit it is refused where an old key lacks it", () => {
  const point = field({ name: "v", oid: OID.point, notNull: true }, 1);
  const shape = shapeOf("p.public.t", [ID, { ...point, type: plain(OID.int4) }], [ID]);
  const row = change("delete", undefined, { kind: "key", values: ["1", null] });
  expect(() => rowEncoderOf(shape).change(row, MARK)).toThrow(/value-unfit.*public\.t\.v/);
});
