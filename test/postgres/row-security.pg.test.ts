import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { captureFilter } from "../../src/capture/lists.ts";
import { readCapturedTables } from "../../src/postgres/captured.ts";
import { readTables } from "../../src/postgres/catalog.ts";
import { readChunk } from "../../src/postgres/chunk.ts";
import { session, source } from "./follow.ts";

test("a table that the file names and whose policies apply to our role is refused before anything is captured", async () => {
  await using from = await source(`CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t ENABLE ROW LEVEL SECURITY`);
  const user = `role_${randomBytes(4).toString("hex")}`;
  await from.app.query(`CREATE ROLE ${user} LOGIN PASSWORD '${user}'; GRANT SELECT ON t TO ${user}`);
  {
    await using client = await session({ ...from.database.address, user, password: user });
    const listed = [{ text: "public.t", plain: true, matches: (name: string) => name === "public.t" }];
    const filter = captureFilter({ tables: { kind: "include", entries: listed } });
    const capture = { filter, listed, viaRoot: false, before: [] };
    await expect(readCapturedTables(client, capture)).rejects.toMatchObject({
      code: "table-missing",
      message: expect.stringContaining("row level security would hide rows from this role: public.t"),
      next: expect.stringContaining("BYPASSRLS"),
    });
    // One that was captured before waits by name and does not keep the others from flowing.
    const before = [{ schema: "public", name: "t" }];
    expect((await readCapturedTables(client, { ...capture, before })).tables).toHaveLength(1);
    await from.app.query(`ALTER ROLE ${user} BYPASSRLS`);
    expect((await readCapturedTables(client, capture)).tables).toHaveLength(1);
  }
  await from.app.query(`DROP OWNED BY ${user}; DROP ROLE ${user}`);
});

test("a table whose policies apply to our role is never read in part, and no policy's function runs", async () => {
  await using from = await source(`CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2);
    CREATE TABLE ran (by name);
    CREATE FUNCTION visible() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS
      $$ BEGIN INSERT INTO public.ran VALUES (session_user); RETURN false; END $$;
    ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (public.visible())`);
  const user = `role_${randomBytes(4).toString("hex")}`;
  await from.app.query(`CREATE ROLE ${user} LOGIN PASSWORD '${user}'; GRANT SELECT ON t TO ${user}`);
  {
    await using client = await session({ ...from.database.address, user, password: user });
    const [table] = await readTables(client, [{ schema: "public", name: "t" }]);
    if (table === undefined) throw new Error("no table");
    const request = { table, columns: table.columns, key: ["id"], order: undefined, after: undefined, limit: 10 };
    const why = "row level security applies to this role; use ALTER ROLE … BYPASSRLS";
    expect(await readChunk(client, request)).toEqual({ kind: "unreadable", why });
    await from.app.query(`ALTER ROLE ${user} BYPASSRLS`);
    expect(await readChunk(client, request)).toMatchObject({ kind: "rows", scanned: 2 });
  }
  expect((await from.app.query("SELECT * FROM ran")).rows).toEqual([]);
  await from.app.query(`DROP OWNED BY ${user}; DROP ROLE ${user}`);
});
