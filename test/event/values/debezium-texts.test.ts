import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { ColumnType } from "../../../src/table/column.ts";
import { OID } from "../../../src/event/types/table.ts";
import { DEFAULT_MODES, type ValueModes } from "../../../src/event/types/modes.ts";
import { avscType } from "../avro.ts";
import { cases, change, field, MARK, shapeOf, rowEncoderOf, type ColumnSpec } from "../row.ts";

const ID = field({ name: "id", oid: OID.int4, notNull: true }, 0);

/** The field v as a consumer reads it: in `after` of an insert, or in `before` of a delete whose key is id. */
function read(spec: ColumnSpec, modes: ValueModes, row: { readonly text: string } | "deleted"): unknown {
  const fields = [ID, field(spec, 1, modes)];
  const shape = shapeOf("p.public.t", fields, [ID]);
  const sent =
    row === "deleted"
      ? change("delete", undefined, { kind: "key", values: ["1", null] })
      : change("insert", ["1", row.text]);
  const [event] = rowEncoderOf(shape, { modes }).change(sent, MARK);
  const value = avscType(shape.valueSchema.text).fromBuffer(event?.value?.subarray(5) ?? Buffer.alloc(0));
  return JSON.parse(
    JSON.stringify((value.after ?? value.before).v, (_, one: unknown) => (typeof one === "bigint" ? String(one) : one)),
  );
}

interface TextCase {
  readonly kind: string;
  readonly text: string;
  readonly expect?: unknown;
}

/** Modes for kinds whose expected values are ISO texts. */
const SPECS: Readonly<Record<string, ColumnSpec>> = {
  timestamp: { name: "v", oid: OID.timestamp },
  date: { name: "v", oid: OID.date },
  timetz: { name: "v", oid: OID.timetz },
};

const texts = cases("debezium-text-parse-cases.jsonl") as readonly TextCase[];
const iso: ValueModes = { ...DEFAULT_MODES, time: "isostring" };

test.each(texts.filter(({ kind }) => kind in SPECS))("$kind $text is $expect", ({ kind, text, expect: expected }) => {
  const spec = SPECS[kind] ?? { name: "v", oid: 0 };
  expect(read(spec, iso, { text })).toBe(kind === "date" ? `${String(expected)}Z` : expected);
});

const moments = texts.filter(({ kind, expect: one }) => kind === "timestamptz" && typeof one === "string");

test.each(moments)("$kind $text is $expect, in UTC", ({ text, expect: expected }) => {
  const got = String(read({ name: "v", oid: OID.timestamptz }, DEFAULT_MODES, { text }));
  const extended = (one: string): string => one.replace(/^-(\d{5})-/, "-0$1-").replace(/(\.\d{3})\d+/, "$1");
  expect(Date.parse(extended(got))).toBe(Date.parse(extended(String(expected))));
});

const SPARSE: ColumnType["detail"] = { kind: "named", name: "sparsevec" };
const sparse = texts.filter(({ kind }) => kind === "sparsevec");

test.each(sparse)("sparsevec $text is $expect", ({ text, expect: expected }) => {
  const spec = { name: "v", oid: 9, detail: SPARSE };
  if (expected === null || expected === undefined) {
    expect(() => read(spec, DEFAULT_MODES, { text })).toThrow(/value-unfit/);
    return;
  }
  const { dimensions, vector } = expected as { dimensions: number; vector: [number, number][] }; // as in the file
  const got = read(spec, DEFAULT_MODES, { text }) as { dimensions: number; vector: { key: number; value: number }[] }; // as the type says
  expect(got.dimensions).toBe(dimensions);
  expect(got.vector.map(({ key, value }) => [key, value]).toSorted(([a = 0], [b = 0]) => a - b)).toEqual(vector);
});

interface Fallback {
  readonly column_type: string;
  readonly fallback: unknown;
}

const FALLBACKS = JSON.parse(
  readFileSync(new URL("../../cases/debezium-not-null-fallbacks.json", import.meta.url), "utf8"),
) as { readonly values: readonly Fallback[] }; // as in the file

const OIDS: Readonly<Record<string, number>> = OID;

/** `varbit(3)/bit(n)` names several types. */
const fallbacks = FALLBACKS.values.flatMap(({ column_type, fallback }) =>
  column_type
    .split("/")
    .map((type) => [type.replace(/\(.*| .*/, ""), /\((\d),?(\d)?\)/.exec(column_type), fallback] as const),
);

/** The value as Connect shows it: Decimals as numbers, bytes as text. */
function shown(value: unknown, scale: number): unknown {
  if (Array.isArray(value)) return value;
  if (typeof value !== "object" || value === null) return value;
  if ("type" in value && "data" in value && Array.isArray(value.data)) {
    return scale > 0 ? Number(value.data[0]).toFixed(scale) : Buffer.from(value.data).toString("hex");
  }
  if ("center" in value && "radius" in value) {
    const center = shown(value.center, 0) as { x: number; y: number }; // a point
    return { center: [center.x, center.y], radius: value.radius };
  }
  return "x" in value && "y" in value ? { x: value.x, y: value.y } : value;
}

test.each(fallbacks)("a required %s missing from the old key is %s: %j", (type, modifier, fallback) => {
  const [n, scale] = [Number(modifier?.[1] ?? 3), Number(modifier?.[2] ?? 0)];
  const typmod = type === "numeric" ? (n << 16) + scale + 4 : type.endsWith("bit") ? 3 : -1;
  const spec = { name: "v", oid: OIDS[type] ?? 0, typmod, notNull: true };
  const always = type === "circle" || type === "line"; // optional even if the column is NOT NULL
  const got = shown(read(spec, DEFAULT_MODES, "deleted"), type === "numeric" || type === "money" ? 2 : 0);
  expect(got).toEqual(always ? null : fallback);
});
