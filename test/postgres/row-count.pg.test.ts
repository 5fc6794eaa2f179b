import { describe, expect, it } from "vitest";
import { readTables } from "../../src/postgres/catalog.ts";
import { countRows } from "../../src/postgres/row-count.ts";
import { source } from "./follow.ts";

async function count(setup: string, limit: number, from = "ONLY public.t AS r") {
  await using made = await source(setup);
  const [table] = await readTables(made.client, [{ schema: "public", name: "t" }]);
  if (table === undefined) throw new Error("no table");
  return await countRows(made.client, { oid: table.oid, from }, limit);
}

const NEVER_ANALYZED = "create table t (id int primary key, a text) with (autovacuum_enabled = false)";

describe("the rows of a table that was never analyzed", () => {
  it("are counted", async () => {
    const setup = `${NEVER_ANALYZED}; insert into t select i, 'x' from generate_series(1, 40) i`;
    expect(await count(setup, 5)).toEqual({ kind: "beyond", rows: "more" });
    expect(await count(setup, 40)).toEqual({ kind: "within", rows: 40 });
  });

  it("need not be counted where its file has no room for more than the limit", async () => {
    const setup = `${NEVER_ANALYZED}; insert into t select i, 'x' from generate_series(1, 40) i`;
    expect(await count(setup, 291)).toEqual({ kind: "within", rows: undefined });
    expect(await count(NEVER_ANALYZED, 0)).toEqual({ kind: "within", rows: undefined });
  });

  it("are unknown where the table is too large to be counted", async () => {
    const large = `${NEVER_ANALYZED}; alter table t alter a set storage plain;
      insert into t select i, repeat('x', 7000) from generate_series(1, 8300) i`;
    expect(await count(large, 100)).toEqual({ kind: "beyond", rows: "unknown" });
    const known = await count(
      `${large}; analyze t; insert into t select i, repeat('x', 7000) from generate_series(8301, 9000) i`,
      100,
    );
    expect(known).toEqual({ kind: "beyond", rows: 9000 });
  });
});

it("the rows of a partitioned table are those of its partitions", async () => {
  const setup = `create table t (id int primary key) partition by range (id);
    create table t1 partition of t for values from (0) to (100); create table t2 partition of t for values from (100) to (200);
    insert into t select generate_series(50, 149)`;
  expect(await count(setup, 99, "public.t AS r")).toEqual({ kind: "beyond", rows: "more" });
  expect(await count(setup, 100, "public.t AS r")).toEqual({ kind: "within", rows: 100 });
});
