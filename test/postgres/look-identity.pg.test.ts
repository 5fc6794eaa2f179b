import { describe, expect, it } from "vitest";
import { refusedWrites, unidentifiedOf } from "../../src/capture/identity.ts";
import { sentAs } from "../../src/capture/sent.ts";
import { readTablesLook } from "../../src/postgres/look.ts";
import { identifyNext } from "../../src/words/identity.ts";
import { freshDatabase } from "../stack/database.ts";
import { type OwnSession, session } from "./follow.ts";

/** What PostgreSQL says to the application once the table is in a publication, and what the look says before. */

const OPERATIONS = new Set(["insert", "update", "delete"]);

interface Row {
  readonly what: string;
  readonly setup: string;
  /** PostgreSQL refuses UPDATE or DELETE of the published table. */
  readonly refused: boolean;
  /** The first statement that helps. */
  readonly next?: string;
  readonly since?: number;
}

const FULL = 'ALTER TABLE "public"."x" REPLICA IDENTITY FULL;';

const ROWS: readonly Row[] = [
  { what: "a primary key", setup: "CREATE TABLE x (a int PRIMARY KEY)", refused: false },
  {
    what: "a primary key that includes a nullable column",
    setup: "CREATE TABLE x (a int, b int, PRIMARY KEY (a) INCLUDE (b))",
    refused: false,
  },
  { what: "no key", setup: "CREATE TABLE x (a int)", refused: true, next: FULL },
  { what: "no key and FULL", setup: "CREATE TABLE x (a int); ALTER TABLE x REPLICA IDENTITY FULL", refused: false },
  { what: "no column", setup: "CREATE TABLE x (a int); ALTER TABLE x DROP a", refused: true, next: FULL },
  {
    what: "a primary key that is no longer there",
    setup: "CREATE TABLE x (a int PRIMARY KEY); ALTER TABLE x DROP CONSTRAINT x_pkey",
    refused: true,
    next: 'ALTER TABLE "public"."x" REPLICA IDENTITY FULL;',
  },
  {
    what: "a deferrable primary key",
    setup: "CREATE TABLE x (a int PRIMARY KEY DEFERRABLE)",
    refused: true,
    next: FULL,
  },
  {
    what: "REPLICA IDENTITY NOTHING",
    setup: "CREATE TABLE x (a int PRIMARY KEY); ALTER TABLE x REPLICA IDENTITY NOTHING",
    refused: true,
    next: 'ALTER TABLE "public"."x" REPLICA IDENTITY DEFAULT;',
  },
  {
    what: "a unique index that could identify",
    setup: 'CREATE TABLE x (a int NOT NULL); CREATE UNIQUE INDEX "By A" ON x (a)',
    refused: true,
    next: 'ALTER TABLE "public"."x" REPLICA IDENTITY USING INDEX "By A";',
  },
  {
    what: "a unique index over a nullable column",
    setup: "CREATE TABLE x (a int); CREATE UNIQUE INDEX xi ON x (a)",
    refused: true,
    next: FULL,
  },
  {
    what: "an index that identified and was dropped",
    setup:
      "CREATE TABLE x (a int NOT NULL); CREATE UNIQUE INDEX xi ON x (a); ALTER TABLE x REPLICA IDENTITY USING INDEX xi; DROP INDEX xi",
    refused: true,
    next: FULL,
  },
  {
    what: "a parent with a key",
    setup: "CREATE TABLE y (a int PRIMARY KEY); CREATE TABLE x () INHERITS (y)",
    refused: true,
    next: FULL,
  },
  {
    what: "partitions with the key of their table",
    setup:
      "CREATE TABLE x (a int PRIMARY KEY) PARTITION BY RANGE (a); CREATE TABLE x1 PARTITION OF x FOR VALUES FROM (0) TO (10)",
    refused: false,
  },
  {
    what: "a partition without a key",
    setup: "CREATE TABLE x (a int) PARTITION BY RANGE (a); CREATE TABLE x1 PARTITION OF x FOR VALUES FROM (0) TO (10)",
    refused: true,
    next: 'ALTER TABLE "public"."x1" REPLICA IDENTITY FULL;',
  },
  {
    what: "FULL, and a partition that does not have it",
    setup:
      "CREATE TABLE x (a int) PARTITION BY RANGE (a); ALTER TABLE x REPLICA IDENTITY FULL; CREATE TABLE x1 PARTITION OF x FOR VALUES FROM (0) TO (10)",
    refused: true,
    next: 'ALTER TABLE "public"."x1" REPLICA IDENTITY FULL;',
  },
  {
    what: "FULL and a generated column (PostgreSQL 18)",
    setup: "CREATE TABLE x (a int, b int GENERATED ALWAYS AS (a * 2) STORED); ALTER TABLE x REPLICA IDENTITY FULL",
    refused: true,
    next: 'ALTER TABLE "public"."x" ADD PRIMARY KEY (…);',
    since: 180_000,
  },
  {
    what: "a generated column in its primary key (PostgreSQL 18)",
    setup: "CREATE TABLE x (a int, b int GENERATED ALWAYS AS (a * 2) STORED PRIMARY KEY)",
    refused: true,
    next: 'ALTER TABLE "public"."x" ADD PRIMARY KEY (…);',
    since: 180_000,
  },
];

interface Source extends AsyncDisposable {
  readonly client: OwnSession;
  /** The application. */
  readonly app: OwnSession;
}

async function source(setup: string): Promise<Source> {
  await using opened = new AsyncDisposableStack();
  const database = opened.use(await freshDatabase());
  const client = opened.use(await session(database.address));
  const app = opened.use(await session(database.address, "application"));
  await app.query("SET search_path = public");
  await app.query(setup);
  const open = opened.move();
  return { client, app, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

const attempt = (from: Source, text: string): Promise<"done" | "refused"> =>
  from.app.query(text).then(
    () => "done" as const,
    () => "refused" as const,
  );

async function looked(from: Source) {
  const look = await readTablesLook(from.client, "p");
  const [table] = [...look.tables.values()].filter(({ name }) => name === "x");
  if (table === undefined) throw new Error("no table x");
  return { look, table };
}

const isRefused = ({ refused, since = 0 }: Row, version: number) => refused && version >= since;

describe("a table with", () => {
  it.each(ROWS)("$what: the look knows whether PostgreSQL would refuse its UPDATE and DELETE", async (row) => {
    await using from = await source(row.setup);
    const [{ number }] = (await from.app.query("SELECT current_setting('server_version_num')::int AS number")).rows as [
      { number: number },
    ];
    const expected = isRefused(row, number);
    const { look, table } = await looked(from);
    const reasons = unidentifiedOf(look, table);
    expect(reasons.length > 0).toBe(expected);
    expect(sentAs(look, table, { viaRoot: table.partitioned, operations: OPERATIONS }).kind).toBe(
      expected ? "unidentified" : "no-publication",
    );
    await from.app.query("INSERT INTO x DEFAULT VALUES").catch(() => from.app.query("INSERT INTO x VALUES (1)"));
    await from.app.query("CREATE PUBLICATION p FOR TABLE x");
    expect(await attempt(from, "DELETE FROM x")).toBe(expected ? "refused" : "done");
    const published = (await looked(from)).look;
    expect(refusedWrites(published).length > 0).toBe(expected);
    if (!expected) return;
    const next = identifyNext(reasons).split(";")[0] ?? "";
    expect(`${next};`).toBe(row.next);
    if (next.includes("…")) return;
    await from.app.query(next);
    expect(await attempt(from, "DELETE FROM x")).toBe("done");
    expect(refusedWrites((await looked(from)).look)).toEqual([]);
  });

  it("no key may be in a publication that sends inserts only", async () => {
    await using from = await source("CREATE TABLE x (a int); CREATE PUBLICATION p WITH (publish = 'insert')");
    const { look, table } = await looked(from);
    expect(sentAs(look, table, { viaRoot: false, operations: new Set(["insert"]) }).kind).toBe("unpublished");
    await from.app.query("ALTER PUBLICATION p ADD TABLE x");
    expect(refusedWrites((await looked(from)).look)).toEqual([]);
  });

  it("no key and no log is harmed by no publication", async () => {
    await using from = await source("CREATE UNLOGGED TABLE x (a int); CREATE PUBLICATION p FOR ALL TABLES");
    const { look } = await looked(from);
    expect(refusedWrites(look)).toEqual([]);
    expect(await attempt(from, "DELETE FROM x")).toBe("done");
  });

  it("a generated column that the publication sends may be identified by it (PostgreSQL 18)", async () => {
    await using from = await source(ROWS.at(-1)?.setup ?? "");
    const made = await attempt(from, "CREATE PUBLICATION p FOR TABLE x WITH (publish_generated_columns = stored)");
    if (made === "refused") return;
    expect(refusedWrites((await looked(from)).look)).toEqual([]);
    expect(await attempt(from, "DELETE FROM x")).toBe("done");
  });
});
