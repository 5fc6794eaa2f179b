import { describe, expect, it, test } from "vitest";
import { type AvroType, formName } from "../../../src/event/types/avro-type.ts";
import { encoderOf } from "../../../src/event/types/encoder.ts";
import { type TypeEntry, UNFIT } from "../../../src/event/types/entry.ts";
import { DEFAULT_MODES, type ValueModes } from "../../../src/event/types/modes.ts";
import { avroTypeOf, type Kind, kindOf, OID, plainType, TYPES } from "../../../src/event/types/table.ts";
import { textTypeOf } from "../../../src/event/types/text-type.ts";
import { valueBytes } from "../../../src/avro/value.ts";
import { parseSchema } from "../../../src/avro/parse.ts";
import { samplesOf } from "../../../src/sample/values.ts";
import type { ColumnType } from "../../../src/table/column.ts";

const ROWS = Object.entries(TYPES) as readonly (readonly [Kind, TypeEntry])[]; // the keys of TYPES are the kinds

const SETS: readonly Partial<ValueModes>[] = [
  {},
  { decimal: "string" },
  { decimal: "double" },
  { time: "adaptive_time_microseconds" },
  { time: "microseconds" },
  { time: "nanoseconds" },
  { time: "connect" },
  { time: "isostring" },
  { interval: "string" },
  { binary: "hex" },
  { binary: "base64", unknownTypes: true },
  { binary: "base64-url-safe", unknownTypes: true },
  { hstore: "map", unknownTypes: true },
];
const MODES = SETS.map((set): ValueModes => ({ ...DEFAULT_MODES, ...set }));

/** Columns of the kind, with and without modifiers that change their mapping. */
function columnsOf(kind: Kind): readonly ColumnType[] {
  if (kind === "array") return [{ oid: 0, typmod: -1, detail: { kind: "array", of: plainType("int4") } }];
  if (kind === "enum") return [{ oid: 0, typmod: -1, detail: { kind: "enum", name: "mood", labels: ["a", "b,c"] } }];
  const type = plainType(kind);
  return [type, { ...type, typmod: 1 }, { ...type, typmod: 3 }, { ...type, typmod: (6 << 16) + 2 + 4 }];
}

interface Mapping {
  readonly type: ColumnType;
  readonly modes: ValueModes;
  readonly avro: AvroType;
}

/** Every way in which a column of this kind is mapped. */
function mappingsOf(kind: Kind): readonly Mapping[] {
  return columnsOf(kind).flatMap((type) =>
    MODES.flatMap((modes) => {
      const avro = avroTypeOf(type, modes);
      return avro === undefined ? [] : [{ type, modes, avro }];
    }),
  );
}

describe.each(ROWS)("the entry of %s", (kind, { forms, fallback, defaults }) => {
  const mappings = mappingsOf(kind);

  it("is found by its columns' type", () => {
    expect(mappings.map(({ type }) => kindOf(type))).toEqual(mappings.map(() => kind));
  });

  it("has a form for each Avro type its columns get, and no other", () => {
    expect([...new Set(mappings.map(({ avro }) => formName(avro)))].toSorted()).toEqual(Object.keys(forms).toSorted());
  });

  it("has a fallback that each of its Avro types can hold", () => {
    for (const { type, modes, avro } of mappings) {
      if (typeof fallback === "object") continue;
      const text = Buffer.from(typeof fallback === "string" ? fallback : fallback(type, modes));
      const end = encoderOf(avro, type, modes)?.(text, 0, text.length, Buffer.alloc(2000), 0);
      expect(end ?? UNFIT).toBeGreaterThanOrEqual(0);
    }
  });

  it("has a text for a default that calls a function, if it has defaults at all", () => {
    if (defaults === "none" || defaults.onCall === undefined) return;
    for (const { type } of mappings) expect(defaults.literal(defaults.onCall, type)).toBeDefined();
  });

  it("has samples that each of its Avro types can hold", () => {
    for (const { avro } of mappings) {
      const schema = parseSchema(avro);
      const { typical, edges } = samplesOf(schema, { name: "c", columnType: "" });
      for (const value of [typical(1), ...edges]) expect(valueBytes(schema, value)).toBeDefined();
    }
  });
});

test("casts are from kinds only", () => {
  const sources = new Set(ROWS.flatMap(([, { castFrom }]) => Object.keys(castFrom)));
  expect([...sources].filter((source) => !(source in TYPES))).toEqual([]);
});

test("no two kinds adopt the same Avro type", () => {
  const adopted = ROWS.flatMap(([, { adopts }]) => Object.keys(adopts));
  expect(new Set(adopted).size).toBe(adopted.length);
});

test.each(ROWS.flatMap(([kind, { adopts }]) => Object.keys(adopts).map((name) => [name, kind] as const)))(
  "a field of Avro type %s on a column of another type is written from texts of %s",
  (name, kind) => {
    const mapping = mappingsOf(kind).find(({ avro }) => formName(avro) === name);
    const other: ColumnType = { oid: kind === "bool" ? OID.int4 : OID.bool, typmod: -1 };
    expect(kindOf(textTypeOf(mapping?.avro ?? "", other, DEFAULT_MODES))).toBe(kind);
  },
);
