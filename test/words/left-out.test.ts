import { expect, it } from "vitest";
import { leftOutKey, type LeftOutReason } from "../../src/capture/left-out.ts";
import { describeLeftOut, namedFaults } from "../../src/words/left-out.ts";

const TABLE = { schema: "public", name: "Orders" };
const REFUSAL = { code: "publication-unfit", text: "must be owner of table Orders", next: undefined } as const;

const REASONS: readonly (readonly [LeftOutReason, RegExp, RegExp])[] = [
  [{ kind: "not-visible" }, /^its transaction is not visible yet/, /^nothing/],
  [
    { kind: "no-right", readable: false, usable: false, role: "fieldgate" },
    /USAGE.*SELECT/,
    /^GRANT USAGE ON SCHEMA "public" TO "fieldgate"; GRANT SELECT ON "public"."Orders" TO "fieldgate";$/,
  ],
  [
    { kind: "not-sent", why: { kind: "unidentified", tables: [{ ...TABLE, remedy: "FULL" }] }, publication: "p" },
    /^it is not in the publication: the log cannot identify its rows/,
    /^ALTER TABLE "public"."Orders" REPLICA IDENTITY FULL; or give it a primary key$/,
  ],
  [
    {
      kind: "not-sent",
      why: { kind: "unidentified", tables: [{ schema: "public", name: "p1", remedy: null }] },
      publication: "p",
    },
    /the log cannot identify rows of its partition public\.p1/,
    /^ALTER TABLE "public"."p1" ADD PRIMARY KEY \(…\);$/,
  ],
  [
    {
      kind: "unmapped",
      faults: [
        { kind: "nullable-key", column: "b" },
        { kind: "uncovered-key", columns: ["b"] },
      ],
    },
    /names b, which can be NULL; .* names b, which is not in the replica identity/,
    /^ALTER TABLE "public"."Orders" ALTER COLUMN "b" SET NOT NULL; ALTER TABLE "public"."Orders" REPLICA IDENTITY FULL;$/,
  ],
  [
    {
      kind: "unmapped",
      faults: [
        { kind: "unknown-key", column: "tenat", near: "tenant" },
        { kind: "unknown-key", column: "x", near: undefined },
      ],
    },
    /names tenat, which is no column of the table; .* names x, which is no column/,
    /^write tenant instead of tenat in message\.key\.columns\. correct x in message\.key\.columns\.$/,
  ],
  [
    { kind: "not-sent", why: { kind: "unpublished" }, publication: "p", refusal: REFUSAL },
    /^it is not sent: .* \(must be owner of table Orders\)$/,
    /^ALTER PUBLICATION "p" ADD TABLE "public"."Orders";$/,
  ],
  [
    { kind: "unmapped", faults: [{ kind: "no-columns" }, { kind: "same-topic", topic: "t" }] },
    /^no column of a mapped type; several tables would be published to topic t$/,
    /table\.include\.list/,
  ],
  [{ kind: "failed", error: REFUSAL }, /^must be owner of table Orders$/, /^see the message$/],
];

it.each(REASONS)("a table that is left out is reported with a reason and the next step: %j", (reason, why, next) => {
  expect(describeLeftOut(TABLE, reason)).toEqual({
    why: expect.stringMatching(why),
    next: expect.stringMatching(next),
  });
});

it("a reason is the same if only quoted texts differ, and differs by table and by what happened", () => {
  const failed = (text: string, next?: string): LeftOutReason => ({
    kind: "failed",
    error: { ...REFUSAL, text, next },
  });
  const key = leftOutKey(TABLE, failed("a"));
  expect(leftOutKey(TABLE, failed("b", "do c"))).toBe(key);
  expect(leftOutKey({ ...TABLE, name: "other" }, failed("a"))).not.toBe(key);
  expect(new Set(REASONS.map(([reason]) => leftOutKey(TABLE, reason))).size).toBe(REASONS.length);
});

it("several faults of one table each name the table", () => {
  expect(
    namedFaults(TABLE, [
      { kind: "key-type", column: "id", type: "tid" },
      { kind: "same-field", field: "a_b" },
    ]),
  ).toBe(
    "public.Orders: key column id has type tid, which is not mapped; public.Orders: several columns would become field a_b",
  );
});
