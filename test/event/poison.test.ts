import { describe, expect, it } from "vitest";
import { GuardError } from "../../src/errors.ts";
import { remainderOf, withNulls } from "../../src/event/poison.ts";
import type { EventRecord } from "../../src/event/row-encoder.ts";
import { DEFAULT_MODES, type ValueModes } from "../../src/event/types/modes.ts";
import { OID } from "../../src/event/types/table.ts";
import type { ColumnType } from "../../src/table/column.ts";
import type { RowChange } from "../../src/wal/message.ts";
import { avscType } from "./avro.ts";
import { change, type ColumnSpec, field, MARK, rowEncoderOf, type Sent, shapeOf, UNCHANGED } from "./row.ts";

const arrayOf = (of: number, typmod = -1): Pick<ColumnSpec, "oid" | "detail"> => ({
  oid: 0,
  detail: { kind: "array", of: { oid: of, typmod } satisfies ColumnType },
});

type Value = readonly [what: string, column: Omit<ColumnSpec, "name">, value: Sent, modes?: Partial<ValueModes>];

/** Values that no event can carry. */
const VALUES: readonly Value[] = [
  ["NaN in numeric(10,2)", { oid: OID.numeric, typmod: (10 << 16) + 2 + 4 }, "NaN"],
  ["Infinity in numeric(10,2)", { oid: OID.numeric, typmod: (10 << 16) + 2 + 4 }, "Infinity"],
  ["NaN in numeric", { oid: OID.numeric }, "NaN"],
  ["-Infinity in numeric", { oid: OID.numeric }, "-Infinity"],
  ["infinity in interval", { oid: OID.interval }, "infinity"],
  ["-infinity in interval as text", { oid: OID.interval }, "-infinity", { interval: "string" }],
  ["a timestamp of the year 294260", { oid: OID.timestamp }, "294260-01-01 00:00:00"],
  ["an array with two dimensions", arrayOf(OID.int4), "{{1,2},{3,4}}"],
  ["an array of NaN", arrayOf(OID.numeric, (10 << 16) + 2 + 4), "{1.00,NaN}"],
  ["an unchanged double precision[]", arrayOf(OID.float8), UNCHANGED],
  ["an unchanged numeric", { oid: OID.numeric }, UNCHANGED],
  ["an unchanged bit varying", { oid: OID.varbit }, UNCHANGED],
];

function scene([, column, , modes]: Value, notNull: boolean, keyed = false) {
  const all = { ...DEFAULT_MODES, ...modes };
  const fields = [
    field({ name: "id", oid: OID.int4, notNull: true }, 0, all),
    field({ ...column, name: "v", notNull }, 1, all),
    field({ name: "w", oid: OID.text }, 2, all),
  ];
  const shape = shapeOf("p.public.t", fields, keyed ? fields.slice(0, 2) : fields.slice(0, 1));
  const encoder = rowEncoderOf(shape, { modes: all });
  const attempt = (row: RowChange): readonly EventRecord[] | GuardError => {
    try {
      return encoder.change(row, MARK);
    } catch (error) {
      if (error instanceof GuardError) return error;
      throw error;
    }
  };
  const poisoned = (row: RowChange) => ({ row, columns: fields.map(({ attnum }) => attnum), shape });
  const read = (records: readonly EventRecord[] | undefined) =>
    records?.map(({ value }) => {
      if (value === null) return null;
      const { op, before, after } = avscType(shape.valueSchema.text).fromBuffer(value.subarray(5)) as {
        op: string;
        before: Record<string, unknown> | null;
        after: Record<string, unknown> | null;
      }; // an envelope
      return [op, before, after];
    });
  return { attempt, poisoned, read };
}

const hasText = ([, , value]: Value) => value !== UNCHANGED;

describe.each(VALUES.map((value) => [value[0], value] as const))("%s", (_, value) => {
  const [, , sent] = value;
  const optional = scene(value, false);
  const required = scene(value, true);
  const insert = change(hasText(value) ? "insert" : "update", ["1", sent, "w"]);

  it("fits no event, and its field says so", () => {
    expect(optional.attempt(insert)).toMatchObject({
      code: "value-unfit",
      unfit: { field: "v", isValue: true, isNull: false, part: "after" },
    });
  });

  it("is null in an optional field", () => {
    const { read, poisoned, attempt } = optional;
    const op = hasText(value) ? "c" : "u";
    expect(read(withNulls(poisoned(insert), attempt))).toEqual([[op, null, { id: 1, v: null, w: "w" }]]);
  });

  it("cannot be null in a required field, or in the key", () => {
    expect(withNulls(required.poisoned(insert), required.attempt)).toBeUndefined();
    const keyed = scene(value, false, true);
    expect(withNulls(keyed.poisoned(insert), keyed.attempt)).toBeUndefined();
  });

  it("leaves nothing of an insert, or of an update under the same key", () => {
    const { poisoned, attempt } = required;
    expect(remainderOf(poisoned(insert), attempt)).toEqual({ what: "nothing", records: [] });
    const update = change("update", ["1", sent, "w"], { kind: "key", values: ["1", null, null] });
    expect(remainderOf(poisoned(update), attempt)).toEqual({ what: "nothing", records: [] });
  });

  it("of a row that moved to another key leaves its removal from the old one", () => {
    const { read, poisoned, attempt } = required;
    const moved = change("update", ["2", sent, "w"], { kind: "key", values: ["1", null, null] });
    const { what, records } = remainderOf(poisoned(moved), attempt);
    expect(what).toBe("removal");
    expect(read(records)?.map((event) => event?.[0])).toEqual(["d", undefined]);
    expect(records.map(({ key }) => key?.at(-1))).toEqual([2, 2]);
    expect(records[0]?.headers).toBeUndefined();
  });
});

it.each(VALUES.filter(hasText).map((value) => [value[0], value] as const))(
  "%s in the old row of a delete leaves the removal under its key",
  (_, value) => {
    const { read, poisoned, attempt } = scene(value, true);
    const removed = change("delete", undefined, { kind: "full", values: ["1", value[2], "w"] });
    expect(remainderOf(poisoned(removed), attempt).what).toBe("removal");
    expect(read(withNulls(poisoned(removed), attempt))?.map((event) => event?.[0])).toEqual(["d", undefined]);
  },
);

describe("an old row with a value that no event can carry", () => {
  const NAN: Value = ["", { oid: OID.numeric }, "NaN"];
  const old = { kind: "full", values: ["1", "NaN", "w"] } as const;

  it("is left out of the event of its correction, and the new row's large values are taken from it", () => {
    const { read, poisoned, attempt } = scene(NAN, false);
    const corrected = change("update", ["1", "1", UNCHANGED], old);
    const { what, records } = remainderOf(poisoned(corrected), attempt);
    expect(what).toBe("row");
    expect(read(records)).toMatchObject([["u", null, { id: 1, w: "w" }]]);
  });

  it("has null in an optional field", () => {
    const { read, poisoned, attempt } = scene(NAN, false);
    const corrected = change("update", ["1", "1", "x"], old);
    expect(read(withNulls(poisoned(corrected), attempt))).toMatchObject([
      ["u", { id: 1, v: null, w: "w" }, { id: 1, w: "x" }],
    ]);
  });

  it("of a required field is left out", () => {
    const { read, poisoned, attempt } = scene(NAN, true);
    const corrected = change("update", ["1", "1", UNCHANGED], old);
    expect(read(withNulls(poisoned(corrected), attempt))).toMatchObject([["u", null, { id: 1, w: "w" }]]);
  });

  it("keeps its key in a delete", () => {
    const { poisoned, attempt, read } = scene(NAN, false);
    const { records } = remainderOf(poisoned(change("delete", undefined, old)), attempt);
    expect(read(records)).toEqual([["d", { id: 1, v: null, w: null }, null], null]);
  });
});

describe("a key with a value that no event can carry", () => {
  const { poisoned, attempt, read } = scene(["", { oid: OID.numeric }, "NaN"], true, true);

  it("that is corrected leaves the row under its new key: no consumer has the old one", () => {
    const moved = change("update", ["1", "2", "w"], { kind: "key", values: ["1", "NaN", null] });
    const { what, records } = remainderOf(poisoned(moved), attempt);
    expect(what).toBe("row");
    expect(read(records)).toMatchObject([["c", null, { id: 1, w: "w" }]]);
  });

  it("leaves nothing of a delete", () => {
    const removed = change("delete", undefined, { kind: "key", values: ["1", "NaN", null] });
    expect(remainderOf(poisoned(removed), attempt).what).toBe("nothing");
  });
});

it("a null in a required field is no poison, and stays a stop beside one", () => {
  const { poisoned, attempt } = scene(["", { oid: OID.numeric }, "NaN"], false);
  const row = change("insert", [null, "NaN", "w"]);
  expect(withNulls(poisoned(row), attempt)).toBeUndefined();
});
