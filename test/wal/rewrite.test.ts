import { fc, test as law } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { decode } from "../../src/wal/decode.ts";
import type { RowChange } from "../../src/wal/message.ts";
import { editTuple, filledFromOld, rowMessage, rowParts, textIn } from "../../src/wal/rewrite.ts";
import { change, type Sent, tupleData, UNCHANGED } from "../event/row.ts";

const sent: fc.Arbitrary<Sent> = fc.oneof(fc.string(), fc.constant(null), fc.constant(UNCHANGED as Sent));
const rows = fc.record({
  kind: fc.constantFrom("insert" as const, "update" as const, "delete" as const),
  old: fc.option(fc.constantFrom("key" as const, "full" as const), { nil: undefined }),
  values: fc.array(fc.tuple(sent, sent), { maxLength: 6 }),
});

law.prop([rows])(
  "a row's message is taken apart and put together again as the server sends it",
  ({ kind, old, values }) => {
    const hasOld = kind === "delete" || (kind === "update" && old !== undefined);
    const parts = {
      kind,
      relation: 5000,
      old: hasOld ? { kind: old ?? "key", tuple: tupleData(values.map(([one]) => one)) } : undefined,
      now: kind === "delete" ? undefined : tupleData(values.map(([, one]) => one)),
    } as const;
    const message = rowMessage(parts);
    const decoded = decode(message.bytes);
    expect(decoded).toEqual(message);
    expect(rowParts(decoded as RowChange)).toEqual(parts); // every tag of a row was written
  },
);

law.prop([
  fc.array(sent, { maxLength: 6 }),
  fc.array(fc.constantFrom("keep" as const, "null" as const, "cut" as const)),
])("each column is kept, null or gone", (values, edits) => {
  const edit = (at: number) => edits[at] ?? "keep";
  const expected = values.flatMap((value, at): readonly Sent[] => {
    if (edit(at) === "cut") return [];
    return [edit(at) === "null" ? null : value];
  });
  expect(editTuple(tupleData(values), edit)).toEqual(tupleData(expected));
});

describe("a new row's unchanged values", () => {
  const old = ["1", "large", null] as const;

  it("are taken from a whole old row", () => {
    const row = change("update", ["2", UNCHANGED, UNCHANGED], { kind: "full", values: old });
    expect(filledFromOld(rowParts(row)).now).toEqual(tupleData(["2", "large", null]));
  });

  it("stay missing beside an old key", () => {
    const row = change("update", ["2", UNCHANGED, null], { kind: "key", values: old });
    expect(filledFromOld(rowParts(row)).now).toEqual(tupleData(["2", UNCHANGED, null]));
  });
});

it("a column's text is undefined where it is missing", () => {
  const tuple = tupleData(["1", null, UNCHANGED]);
  expect([0, 1, 2, 3, -1].map((at) => textIn(tuple, at))).toEqual(["1", null, undefined, undefined, undefined]);
});
