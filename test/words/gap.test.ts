import { expect, test } from "vitest";
import type { Gap } from "../../src/capture/sent.ts";
import { describeGap } from "../../src/words/gap.ts";

const TABLE = { schema: "public", name: "orders" };

function textOf(news: Gap["news"]) {
  return describeGap(TABLE, "p", { news, since: "0/1", time: "2026-11-30T00:00:00.000Z", reported: false }, undefined);
}

const NEXT = "remove the rows of these partitions at the consumers, if they should not keep them";
const SEVEN = [1, 2, 3, 4, 5, 6, 7].map((number) => `public.orders_${number}`);

test("the text about partitions that were truncated names them, and what else may have happened", () => {
  expect(textOf({ kind: "emptied", partitions: ["public.orders_1"] })).toEqual({
    what: "public.orders has partitions that were truncated, or rewritten by VACUUM FULL or CLUSTER: public.orders_1. PostgreSQL does not report TRUNCATE of a partition, so consumers keep its rows",
    next: NEXT,
  });
});

test("the text about partitions that were detached names five of them", () => {
  expect(textOf({ kind: "detached", partitions: SEVEN })).toEqual({
    what: "public.orders has lost partitions by DETACH PARTITION or DROP TABLE: public.orders_1, public.orders_2, public.orders_3, public.orders_4, public.orders_5 and 2 more. Consumers keep their rows, and changes of a detached partition are not published",
    next: NEXT,
  });
});

test("the text about foreign partitions has the statements that detach them", () => {
  expect(textOf({ kind: "lost", why: { kind: "foreign", partitions: ["public.orders_1"] } })).toEqual({
    what: "public.orders is not sent in full: changes of partitions that are foreign tables are never in the log (public.orders_1)",
    next: 'ALTER TABLE "public"."orders" DETACH PARTITION public.orders_1;',
  });
});

test("the text about a key that old rows lacked says what consumers keep", () => {
  expect(textOf({ kind: "uncovered", columns: ["id"] })).toEqual({
    what: "public.orders had a replica identity without id of the events' key for a while: the log does not say which key a row had that got a new one then, so consumers keep it under its old key as well",
    next: "remove the rows under the old keys at the consumers",
  });
});
