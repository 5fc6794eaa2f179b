import { describe, expect, it, test } from "vitest";
import { GuardError } from "../../../src/errors.ts";
import { decodeValue, readUnscaled } from "../../../src/event/values/decode.ts";
import { UNFIT } from "../../../src/event/types/entry.ts";
import { civilOf, daysOf } from "../../../src/event/values/calendar.ts";
import { encoderOf } from "../../../src/event/types/encoder.ts";
import { OID } from "../../../src/event/types/table.ts";
import { avroTypeOf } from "../../../src/event/types/table.ts";
import { change, field, MARK, shapeOf, rowEncoderOf } from "../row.ts";

/** The value that is written for a text: numbers as decimal text, bytes as hex; undefined: it does not fit. */
function value(oid: number, typmod: number, text: string): string | undefined {
  const avro = avroTypeOf({ oid, typmod }) ?? "";
  const out = Buffer.alloc(Buffer.byteLength(text) + 64 + 1000);
  const src = Buffer.from(`..${text}..`);
  const end = encoderOf(avro, { oid, typmod })?.(src, 2, src.length - 2, out, 3) ?? UNFIT;
  if (end === UNFIT) return undefined;
  const read = decodeValue(avro, out, 3);
  expect(read.end).toBe(end);
  if (Buffer.isBuffer(read.value))
    return oid === OID.numeric || oid === OID.money ? String(readUnscaled(read.value)) : read.value.toString("hex");
  if (typeof read.value === "object") throw new Error("no primitive");
  return Object.is(read.value, -0) ? "-0" : String(read.value);
}

const numeric = (precision: number, scale: number): number => (precision << 16) + scale + 4;

const rows: readonly (readonly [keyof typeof OID, number, string, string | undefined])[] = [
  ["int2", -1, "-32768", "-32768"],
  ["int2", -1, "32768", undefined],
  ["int4", -1, "-2147483648", "-2147483648"],
  ["int4", -1, "2147483648", undefined],
  ["int4", -1, "5.00", "5"],
  ["int4", -1, "5.01", undefined],
  ["int4", -1, "", undefined],
  ["int4", -1, "-", undefined],
  ["int8", -1, "9223372036854775807", "9223372036854775807"],
  ["int8", -1, "-9223372036854775808", "-9223372036854775808"],
  ["int8", -1, "9223372036854775808", undefined],
  ["int8", -1, "9007199254740993", "9007199254740993"],
  ["int8", -1, "-9007199254740993", "-9007199254740993"],
  ["int8", -1, "123456789012345", "123456789012345"],
  ["float4", -1, "3.4028235e+38", "3.4028235e+38"],
  ["float4", -1, "1e-45", "1e-45"],
  ["float4", -1, "1e+39", undefined],
  ["float4", -1, "-Infinity", "-Infinity"],
  ["float4", -1, "x", undefined],
  ["float8", -1, "NaN", "NaN"],
  ["float8", -1, "-0", "-0"],
  ["float8", -1, "1.7976931348623157e+308", "1.7976931348623157e+308"],
  ["numeric", numeric(10, 2), "0.00", "0"],
  ["numeric", numeric(10, 2), "-0.01", "-1"],
  ["numeric", numeric(10, 2), "12345678.90", "1234567890"],
  ["numeric", numeric(10, 2), "-99999999.99", "-9999999999"],
  ["numeric", numeric(10, 2), "100000000.00", undefined],
  ["numeric", numeric(10, 2), "5", "500"],
  ["numeric", numeric(10, 2), "5.1", "510"],
  ["numeric", numeric(10, 2), "5.100", "510"],
  ["numeric", numeric(10, 2), "5.123", undefined],
  ["numeric", numeric(10, 2), "NaN", undefined],
  ["numeric", numeric(10, 2), "Infinity", undefined],
  ["numeric", numeric(3, 5), "0.00123", "123"],
  ["numeric", numeric(3, 5), "0.01000", undefined],
  ["numeric", numeric(38, 10), "1234567890123456789012345678.0123456789", "12345678901234567890123456780123456789"],
  ["numeric", numeric(38, 0), "-170141183460469231731687303715884105", "-170141183460469231731687303715884105"],
  ["numeric", numeric(16, 0), "9999999999999999", "9999999999999999"],
  ["bytea", -1, "\\x", ""],
  ["bytea", -1, "\\xDEadbeef", "deadbeef"],
  ["bytea", -1, "\\xabc", undefined],
  ["bytea", -1, "\\xzz", undefined],
  ["bytea", -1, "abc", undefined],
  ["bool", -1, "f", "false"],
  ["bool", -1, "true", undefined],
  ["date", -1, "1970-01-01", "0"],
  ["date", -1, "1969-12-31", "-1"],
  ["date", -1, "2000-02-29", "11016"],
  ["date", -1, "0001-01-01 BC", "-719528"],
  ["date", -1, "4714-11-24 BC", "-2440588"],
  ["date", -1, "5874897-12-31", "2145042905"],
  ["date", -1, "20160-11-04 BC", String(daysOf(-20159, 11, 4))],
  ["date", -1, "infinity", "-2147472692"],
  ["date", -1, "-infinity", "-2147472691"],
  ["date", -1, "2020-1-01", undefined],
  ["time", 3, "13:51:30.12", "49890120"],
  ["time", 3, "13:51:30.1234", undefined],
  ["time", -1, "24:00:00", "86400000000"],
  ["time", -1, "13:51:30.1", "49890100000"],
  ["timestamp", 0, "2016-11-04 13:51:30", "1478267490000"],
  ["timestamp", 3, "2016-11-04 13:51:30.123", "1478267490123"],
  ["timestamp", -1, "1969-12-31 23:59:59.999999", "-1"],
  ["timestamp", 3, "1969-12-31 23:59:59.999", "-1"],
  ["timestamp", -1, "4713-11-24 00:00:00 BC", "-210835180800000000"],
  ["timestamp", -1, "294247-01-10 04:00:54.775807", "9223372036854775807"],
  ["timestamp", -1, "294247-01-10 04:00:54.775808", undefined],
  ["timestamp", 3, "294276-12-31 23:59:59.999", "9224318015999999"],
  ["timestamp", -1, "infinity", "9223372036825200000"],
  ["timestamp", 3, "-infinity", "-9223372036832400"],
  ["timestamptz", -1, "2016-11-04 13:51:30+00", "2016-11-04T13:51:30.000000Z"],
  ["timestamptz", -1, "2016-11-04 13:51:30.123+00", "2016-11-04T13:51:30.123000Z"],
  ["timestamptz", -1, "2016-11-04 13:51:30.123456+00", "2016-11-04T13:51:30.123456Z"],
  ["timestamptz", 0, "2016-11-04 13:51:30+00", "2016-11-04T13:51:30Z"],
  ["timestamptz", 3, "2016-11-04 13:51:30.1+00", "2016-11-04T13:51:30.100Z"],
  ["timestamptz", 3, "2016-11-04 13:51:30.1234+00", undefined],
  ["timestamptz", -1, "2016-11-04 13:51:30.123+02", "2016-11-04T11:51:30.123000Z"],
  ["timestamptz", -1, "20180-03-22 12:30:56.824452+05", "+20180-03-22T07:30:56.824452Z"],
  ["timestamptz", -1, "20160-11-04 13:51:30.123789+02:30 BC", "-20159-11-04T11:21:30.123789Z"],
  ["timestamptz", -1, "1883-11-18 12:03:58-07:52:58", "1883-11-18T19:56:56.000000Z"],
  ["timestamptz", -1, "0001-01-01 00:00:00+00 BC", "0000-01-01T00:00:00.000000Z"],
  ["timestamptz", -1, "0044-03-15 12:00:00+00 BC", "-0043-03-15T12:00:00.000000Z"],
  ["timestamptz", -1, "-infinity", "-infinity"],
  ["money", -1, "$1,234.50", "123450"],
  ["money", -1, "-$1,234.11", "-123411"],
  ["money", -1, "($0.01)", "-1"],
  ["money", -1, "1.234.567,89 €", "123456789"],
  ["money", -1, "-1 234,50 €", "-123450"],
  ["money", -1, "¥1,234", "123400"],
  ["money", -1, "$0.125", "13"],
  ["money", -1, "none", undefined],
  ["interval", -1, "00:00:00", "0"],
  ["interval", -1, "-00:00:00.000001", "-1"],
  ["interval", -1, "-1 days +02:03:00", "-79020000000"],
  ["interval", -1, "1 year 2 mons 3 days 04:05:06.78", "37091106780000"],
  ["interval", -1, "infinity", undefined],
  ["interval", -1, "", undefined],
  ["timetz", -1, "13:51:30.5+02", "11:51:30.5Z"],
  ["timetz", -1, "01:00:00+02:30", "22:30:00Z"],
  ["timetz", -1, "24:00:00+00", "24:00:00Z"],
  ["timetz", -1, "13:51:30", undefined],
  ["bit", 3, "1x1", undefined],
  ["oid", -1, "4294967295", "4294967295"],
  ["json", -1, '{"a":"ž"}', '{"a":"ž"}'],
  ["text", -1, "", ""],
];

test.each(rows)("%s(%i) %s is %s", (type, typmod, text, expected) => {
  expect(value(OID[type], typmod, text)).toBe(expected);
});

test("numeric with a negative scale is a Decimal with that scale, like Debezium's", () => {
  const typmod = (5 << 16) + (2048 - 2) + 4;
  expect(avroTypeOf({ oid: OID.numeric, typmod })).toMatchObject({ scale: -2, precision: 5, logicalType: "decimal" });
  expect(["12300", "-12300", "0", "150"].map((text) => value(OID.numeric, typmod, text))).toEqual([
    "123",
    "-123",
    "0",
    undefined,
  ]);
});

test("days and dates convert back and forth over PostgreSQL's whole range", () => {
  for (let days = -2_440_588; days < 2_145_042_905; days += 1_234_577) {
    const { year, month, day } = civilOf(days);
    expect(daysOf(year, month, day)).toBe(days);
  }
});

describe("numeric without a scale", () => {
  it.each([
    ["22.2222", "080603640e"],
    ["10", "00020a"],
    ["10.00", "00020a"],
    ["100", "000264"],
    ["-1.50", "0202f1"],
    ["0.00", "000200"],
  ])("%s is scale and unscaled value without trailing zeros", (text, hex) => {
    const out = Buffer.alloc(100);
    const encode = encoderOf(avroTypeOf({ oid: OID.numeric, typmod: -1 }) ?? "", { oid: OID.numeric, typmod: -1 });
    const end = encode?.(Buffer.from(text), 0, text.length, out, 0);
    expect(out.toString("hex", 0, end)).toBe(hex);
  });
});

test("the error for a value that does not fit names table, field and position, but not the value", () => {
  const one = field({ name: "price", oid: OID.numeric, typmod: numeric(5, 2) });
  const encoder = rowEncoderOf(shapeOf("p.public.orders", [one], []));
  const caught = (() => {
    try {
      return encoder.change(change("insert", ["NaN"]), MARK);
    } catch (error) {
      return error;
    }
  })();
  expect(caught).toBeInstanceOf(GuardError);
  expect(caught).toMatchObject({ code: "value-unfit" });
  expect(String(caught)).toMatch(/public\.orders\.price at 0\/165EC15/);
  expect(String(caught)).not.toContain("NaN");
});
