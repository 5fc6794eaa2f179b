import { expect, test } from "vitest";
import { createSlot, dropSlot, readSlot, terminateReader } from "../../src/postgres/slot.ts";
import { describeSession, openBelow, type Session } from "../../src/postgres/session.ts";
import { until } from "../stack/until.ts";
import { failure, follow, session, source } from "./follow.ts";

test("a slot is read with its position and reader; a missing slot is undefined", async () => {
  await using from = await source("CREATE TABLE t ()");
  expect(await readSlot(from.client, from.slot)).toMatchObject({
    plugin: "pgoutput",
    database: from.database.address.database,
    active: false,
    activePid: undefined,
    confirmedFlush: from.start,
    walStatus: "reserved",
  });
  expect(await readSlot(from.client, "nowhere")).toBeUndefined();
  await using followed = await follow(from);
  expect(await readSlot(from.client, from.slot)).toMatchObject({
    active: true,
    activeApplication: `fieldgate ${from.slot}`,
  });
  expect(followed.items().every((item) => item.kind === "keepalive")).toBe(true);
});

test("creating a slot reports the sessions it waits for, and succeeds once they end", async () => {
  await using from = await source("CREATE TABLE t (id int)");
  await using observer = await session(from.database.address);
  await using other = await session(from.database.address, "a long report");
  await other.query("BEGIN; INSERT INTO public.t VALUES (1)");
  const waits: (readonly Session[])[] = [];
  const creation = createSlot(from.client, `${from.slot}_late`, { observer, onWait: (who) => waits.push(who) });
  // Transactions of other databases on the server may come first.
  const found = () => waits.flat().find((who) => who.application === "a long report");
  expect(describeSession(await until(found, "the wait is reported"))).toMatch(
    /^pid \d+ \(a long report, user postgres, in a transaction since 20/,
  );
  await other.query("COMMIT");
  expect(await creation).toBeGreaterThan(from.start);
});

test("a prepared transaction that the creation waits for is named, with the statement that ends it", async () => {
  await using from = await source("CREATE TABLE t (id int)");
  await using observer = await session(from.database.address);
  const gid = `orphan's ${from.slot}`;
  await from.app.query(`BEGIN; INSERT INTO t VALUES (2); PREPARE TRANSACTION '${gid.replaceAll("'", "''")}'`);
  const waits: (readonly Session[])[] = [];
  const creation = createSlot(from.client, `${from.slot}_late`, { observer, onWait: (who) => waits.push(who) });
  const found = () =>
    waits
      .flat()
      .map(describeSession)
      .find((text) => text.includes(gid));
  const text = await until(found, "the wait is reported").finally(() =>
    from.app.query(`ROLLBACK PREPARED '${gid.replaceAll("'", "''")}'`),
  );
  expect(text).toMatch(
    /^prepared transaction orphan's slot_\w+ \(user postgres, prepared at 20.*; it ends with ROLLBACK PREPARED 'orphan''s slot_\w+'\)$/,
  );
  expect(await creation).toBeGreaterThan(from.start);
});

test("giving up the creation of a slot leaves no slot behind", async () => {
  await using from = await source("CREATE TABLE t (id int)");
  await using observer = await session(from.database.address);
  await using other = await session(from.database.address);
  await other.query("BEGIN; INSERT INTO public.t VALUES (1)");
  const giveUp = new AbortController();
  const name = `${from.slot}_late`;
  const creation = createSlot(from.client, name, { observer, onWait: () => giveUp.abort(), signal: giveUp.signal });
  expect(await failure(creation)).toMatchObject({ code: "postgres-down" });
  // The server drops the slot after it has sent the error.
  await until(async () => (await readSlot(observer, name)) === undefined, "the slot is gone");
});

test("a slot's name cannot be used twice; dropping a slot that does not exist succeeds", async () => {
  await using from = await source("CREATE TABLE t ()");
  await using observer = await session(from.database.address);
  expect(await failure(createSlot(from.client, from.slot, { observer, onWait: () => {} }))).toMatchObject({
    code: "slot-exists",
  });
  await dropSlot(from.client, from.slot);
  await dropSlot(from.client, from.slot);
  expect(await readSlot(from.client, from.slot)).toBeUndefined();
});

test("a physical slot with the name is refused", async () => {
  await using from = await source("CREATE TABLE t ()");
  const name = `${from.slot}_physical`;
  await from.app.query("SELECT pg_create_physical_replication_slot($1)", [name]);
  const error = await failure(readSlot(from.client, name));
  await from.app.query("SELECT pg_drop_replication_slot($1)", [name]);
  expect(error).toMatchObject({ code: "slot-exists" });
});

test("a slot in use cannot be dropped; ending its reader frees it", async () => {
  await using from = await source("CREATE TABLE t ()");
  await using followed = await follow(from);
  expect(await failure(dropSlot(from.client, from.slot))).toMatchObject({ code: "slot-in-use" });
  expect(await terminateReader(from.client, from.slot)).toBe(true);
  expect((await readSlot(from.client, from.slot))?.active).toBe(false);
  expect(await terminateReader(from.client, from.slot)).toBe(true);
  const error: unknown = await until(() => {
    try {
      followed.items();
      return undefined;
    } catch (thrown) {
      return thrown;
    }
  }, "the reader's failure is read");
  expect(error).toMatchObject({ code: "postgres-down" });
});

test("a slot in use by a session that the role may not end is left alone", async () => {
  await using from = await source("CREATE TABLE t ()");
  await using _followed = await follow(from);
  const role = `role_${from.database.address.database}`;
  await from.app.query(`CREATE ROLE ${role} LOGIN REPLICATION PASSWORD 'of-the-role'`);
  {
    await using client = await session({ ...from.database.address, user: role, password: "of-the-role" });
    expect(await failure(terminateReader(client, from.slot))).toMatchObject({
      code: "postgres-refused",
      // PostgreSQL 16 changed the words.
      message: expect.stringMatching(`ending the reader of slot ${from.slot}: (permission denied|must be a )`),
    });
  }
  await from.app.query(`DROP ROLE ${role}`);
  expect((await readSlot(from.client, from.slot))?.active).toBe(true);
});

test("open and prepared transactions below an id are listed with their sessions", async () => {
  await using from = await source("CREATE TABLE t (id int)");
  await using other = await session(from.database.address, "an open transaction");
  await other.query("BEGIN; INSERT INTO public.t VALUES (1)");
  const gid = `prepared_${from.slot}`;
  await from.app.query(`BEGIN; INSERT INTO t VALUES (2); PREPARE TRANSACTION '${gid}'`);
  const { rows } = await from.app.query<{ xid: string; pid: number }>(
    "SELECT pg_current_xact_id() AS xid, pg_backend_pid() AS pid",
  );
  const found = await openBelow(from.client, BigInt(rows[0]?.xid ?? 0));
  const named = found.map((who) => who.gid ?? who.application);
  await from.app.query(`ROLLBACK PREPARED '${gid}'`);
  expect(named).toEqual(expect.arrayContaining(["an open transaction", gid]));
  expect(found.map(({ pid }) => pid)).not.toContain(rows[0]?.pid);
});
