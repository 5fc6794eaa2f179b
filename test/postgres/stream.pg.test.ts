import { expect, test } from "vitest";
import { GuardError } from "../../src/errors.ts";
import { checkSource } from "../../src/postgres/check.ts";
import { readSlot } from "../../src/postgres/slot.ts";
import { openStream } from "../../src/postgres/stream.ts";
import { lsn } from "../../src/wal/lsn.ts";
import type { Commit, WalItem } from "../../src/wal/message.ts";
import { decode } from "../../src/wal/decode.ts";
import { until } from "../stack/until.ts";
import { commits, failure, follow, newRows, source } from "./follow.ts";

const TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text)";

/** Short, so that statuses are frequent, and longer than this process is ever kept from running. */
const BUSY_MS = 1_500;

function commitsOf(items: readonly WalItem[]): readonly Commit[] {
  const messages = items.flatMap((item) => (item.kind === "data" ? [decode(item.bytes)] : []));
  return messages.filter((message) => message.kind === "commit");
}

test("after a restart, the stream resumes exactly after the acknowledged transaction", async () => {
  await using from = await source(TABLE);
  let start = from.start;
  for (let round = 0; round < 10; round++) {
    const [a, b] = [String(round * 2), String(round * 2 + 1)];
    // Sent in one text, the two commit records are adjacent, unless another session writes in between.
    await from.app.query(`INSERT INTO t VALUES (${a}); COMMIT; INSERT INTO t VALUES (${b}); COMMIT`);
    {
      await using first = await follow(from, { start });
      const messages = await commits(first, 2);
      expect(newRows(messages).map(([id]) => id)).toEqual([a, b]);
      start = messages.find((message) => message.kind === "commit")?.endLsn ?? start;
      first.stream.acknowledge(start);
      await until(
        async () => (await readSlot(from.client, from.slot))?.confirmedFlush === start,
        "the slot is at the acknowledged byte",
      );
    }
    await using second = await follow(from, { start });
    const messages = await commits(second, 1);
    expect(newRows(messages).map(([id]) => id)).toEqual([b]);
    start = messages.find((message) => message.kind === "commit")?.endLsn ?? start;
    second.stream.acknowledge(start);
    await until(async () => (await readSlot(from.client, from.slot))?.confirmedFlush === start, "acknowledged");
  }
});

test("changes that were received but not acknowledged are sent again, however many statuses were sent", async () => {
  await using from = await source(TABLE);
  await from.app.query("INSERT INTO t VALUES (1)");
  {
    await using first = await follow(from, { walSenderTimeoutMs: BUSY_MS });
    await commits(first, 1);
    await statusesOf(from, 3);
    expect((await readSlot(from.client, from.slot))?.confirmedFlush).toBe(from.start);
  }
  await using second = await follow(from);
  expect(newRows(await commits(second, 1))).toEqual([["1", null]]);
});

/** Waits until the server has received `count` more statuses from the reader. */
async function statusesOf(from: Awaited<ReturnType<typeof source>>, count: number): Promise<void> {
  const seen = new Set<string>();
  await until(async () => {
    const { rows } = await from.app.query<{ reply_time: string }>(
      "SELECT r.reply_time FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid WHERE s.slot_name = $1",
      [from.slot],
    );
    for (const row of rows) seen.add(row.reply_time);
    return seen.size > count;
  }, `the server has received ${count} more statuses`);
}

test("an older acknowledgement does not revoke a newer one", async () => {
  await using from = await source(TABLE);
  await from.app.query("INSERT INTO t VALUES (1); COMMIT; INSERT INTO t VALUES (2)");
  await using followed = await follow(from, { walSenderTimeoutMs: BUSY_MS });
  await commits(followed, 2);
  const [first, second] = commitsOf(followed.items());
  followed.stream.acknowledge(second?.endLsn ?? lsn(0n));
  followed.stream.acknowledge(first?.endLsn ?? lsn(0n));
  await statusesOf(from, 3);
  expect((await readSlot(from.client, from.slot))?.confirmedFlush).toBe(second?.endLsn);
});

test("a keepalive never precedes a transaction that ends at or before its position", async () => {
  await using from = await source(TABLE);
  await using followed = await follow(from, { walSenderTimeoutMs: BUSY_MS });
  for (let id = 0; id < 40; id++) {
    await from.app.query("INSERT INTO t VALUES ($1)", [id]);
    if (id % 10 === 9) {
      const from9 = followed.items().length;
      await until(
        () =>
          followed
            .items()
            .slice(from9)
            .some((item) => item.kind === "keepalive"),
        "a keepalive",
      );
    }
  }
  await commits(followed, 40);
  const items = followed.items();
  const late = items.flatMap((item, index) =>
    item.kind === "keepalive" ? commitsOf(items.slice(index)).filter((commit) => commit.endLsn <= item.end) : [],
  );
  expect(items.filter((item) => item.kind === "keepalive").length).toBeGreaterThan(3);
  expect(late).toEqual([]);
});

test("what was written while the publication did not exist ends the stream before version 18, and one that starts behind it goes on", async () => {
  await using from = await source(TABLE);
  const { version } = await checkSource(from.client);
  await using first = await follow(from);
  for (const statement of [
    "INSERT INTO t VALUES (1)",
    "DROP PUBLICATION everything",
    "INSERT INTO t VALUES (2)",
    "CREATE PUBLICATION everything FOR ALL TABLES",
    "INSERT INTO t VALUES (3)",
  ]) {
    await from.app.query(statement);
  }
  if (version >= 180_000) {
    await until(() => newRows(first.messages()).length === 2, "both rows");
    expect(newRows(first.messages()).map(([id]) => id)).toEqual(["1", "3"]);
    return;
  }
  let ended: unknown;
  await until(() => {
    try {
      first.items();
    } catch (error) {
      ended = error;
    }
    return ended;
  }, "the stream ends");
  expect(ended).toMatchObject({ code: "log-unreadable", fate: "retry" });
  expect(newRows(first.messages()).map(([id]) => id)).toEqual(["1"]);
  const { end } = await checkSource(from.client);
  await from.app.query("INSERT INTO t VALUES (4)");
  await using second = await follow(from, { start: end });
  await until(() => newRows(second.messages()).length > 0, "the row behind it");
  expect(newRows(second.messages()).map(([id]) => id)).toEqual(["4"]);
});

test("a stream that is not read queues no more than its limit, keeps its connection, and loses nothing", async () => {
  await using from = await source(TABLE);
  const maxQueuedBytes = 1024 * 1024;
  await using followed = await follow(from, { maxQueuedBytes, walSenderTimeoutMs: BUSY_MS });
  await from.app.query("INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, 20000) g");
  await until(() => followed.stream.queuedBytes > maxQueuedBytes, "the queue is full");
  // In this time the server would have dropped a silent reader twice.
  await until(async () => {
    const { rows } = await from.app.query<{ long: string }>(
      `SELECT clock_timestamp() - r.backend_start > '4 s' AS long
         FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid WHERE s.slot_name = $1`,
      [from.slot],
    );
    return rows[0]?.long === "t";
  }, "the reader has been connected for longer than the server tolerates silence");
  // The last read of the socket may exceed the limit.
  expect(followed.stream.queuedBytes).toBeLessThan(maxQueuedBytes + 2 * 65536);
  expect((await readSlot(from.client, from.slot))?.active).toBe(true);
  const messages = await commits(followed, 1);
  expect(newRows(messages)).toHaveLength(20000);
  expect(followed.stream.queuedBytes).toBeLessThan(1024);
});

test("a slot in use is refused with the name of its reader", async () => {
  await using from = await source(TABLE);
  await using first = await follow(from);
  const error = await failure(follow(from));
  expect(error).toMatchObject({ code: "slot-in-use", fate: "retry" });
  expect(String(error)).toMatch(new RegExp(`slot ${from.slot} is read by pid \\d+ \\(fieldgate ${from.slot}\\)`));
  expect(first.items().every((item) => item.kind === "keepalive")).toBe(true);
});

test("a disposed stream frees its slot, even with data in flight", async () => {
  await using from = await source(TABLE);
  await from.app.query("INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, 20000) g");
  for (let round = 0; round < 5; round++) {
    const followed = await follow(from, { maxQueuedBytes: 65536 });
    await until(() => followed.stream.queuedBytes > 65536, "data is in flight");
    await followed.stream[Symbol.asyncDispose]();
    expect(followed.stream.read()).toBeUndefined();
    await until(async () => !(await readSlot(from.client, from.slot))?.active, "the slot is free");
  }
});

test("a lost connection is reported once, after the queued items", async () => {
  await using from = await source(TABLE);
  await using followed = await follow(from);
  await from.app.query("INSERT INTO t VALUES (1)");
  await until(async () => {
    const { rows } = await from.app.query<{ sent: string }>(
      `SELECT r.sent_lsn >= pg_current_wal_insert_lsn() AS sent
         FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid WHERE s.slot_name = $1`,
      [from.slot],
    );
    return rows[0]?.sent === "t";
  }, "the transaction is sent");
  await from.app.query("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1", [
    from.slot,
  ]);
  await until(async () => !(await readSlot(from.client, from.slot))?.active, "the reader is gone");
  const kinds: string[] = [];
  const error: unknown = await until(() => {
    try {
      for (let item = followed.stream.read(); item !== undefined; item = followed.stream.read()) {
        if (item.kind === "data") kinds.push(decode(item.bytes).kind);
      }
      return undefined;
    } catch (thrown) {
      return thrown;
    }
  }, "the failure is read");
  expect(kinds).toEqual(["begin", "relation", "insert", "commit"]);
  expect(error).toBeInstanceOf(GuardError);
  expect(error).toMatchObject({ code: "postgres-down" });
  expect(followed.stream.read()).toBeUndefined();
});

test.each([
  ["a slot that does not exist", { slot: "nowhere" }, "slot-lost"],
  ["a server that does not answer", { connection: { port: 1 } }, "postgres-down"],
  ["a wrong password", { connection: { password: "not-it" } }, "postgres-refused"],
  ["no password", { connection: { password: "" } }, "postgres-refused"],
  ["an unknown database", { connection: { database: "no_such" } }, "postgres-refused"],
  ["a server without TLS", { connection: { ssl: true } }, "postgres-refused"],
] as const)("%s is refused with the right code and without the password in the message", async (_what, wrong, code) => {
  await using from = await source(TABLE);
  const connection = { ...from.database.address, ...("connection" in wrong ? wrong.connection : {}) };
  const error = await failure(
    openStream({
      slot: "slot" in wrong ? wrong.slot : from.slot,
      connection,
      publication: from.publication,
      start: from.start,
      wake: () => {},
    }),
  );
  expect(error).toMatchObject({ code });
  expect(String(error)).not.toContain(from.database.address.password);
  expect(String(error)).not.toContain("not-it");
});

test("a role without REPLICATION is refused with the statement that helps", async () => {
  await using from = await source(TABLE);
  const role = `role_${from.database.address.database}`;
  await from.app.query(`CREATE ROLE ${role} LOGIN PASSWORD 'of-the-role'`);
  const connection = { ...from.database.address, user: role, password: "of-the-role" };
  const error = await failure(follow(from, { connection }));
  await from.app.query(`DROP ROLE ${role}`);
  expect(error).toMatchObject({ code: "replication-right", next: `ALTER ROLE "${role}" REPLICATION` });
});

test("a stream cannot start at 0/0", async () => {
  await using from = await source(TABLE);
  expect(await failure(follow(from, { start: lsn(0n) }))).toBeInstanceOf(RangeError);
});

test("names with any characters can be followed", async () => {
  await using from = await source(`CREATE TABLE "od""d '1" ("k""ey" int PRIMARY KEY)`);
  await from.app.query(`CREATE PUBLICATION "pub '"" ö" FOR TABLE "od""d '1"`);
  await using followed = await follow(from, { publication: `pub '" ö` });
  await from.app.query(`INSERT INTO "od""d '1" VALUES (1)`);
  const relation = await until(
    () => followed.messages().find((message) => message.kind === "relation"),
    "the table is described",
  );
  expect(relation).toMatchObject({ name: `od"d '1`, columns: [{ name: `k"ey` }] });
});

test("a message beyond the limit is reported with its table, position and size; the messages around it arrive unchanged", async () => {
  await using from = await source(TABLE);
  await using followed = await follow(from, { maxMessageBytes: 1 << 20 });
  await from.app.query("INSERT INTO t VALUES (1, 'a')");
  await from.app.query("INSERT INTO t VALUES (2, repeat('x', 3000000))");
  await from.app.query("SELECT pg_logical_emit_message(true, 'other', repeat('y', 3000000))");
  await from.app.query("INSERT INTO t VALUES (3, 'c')");
  await until(() => newRows(followed.messages()).some(([id]) => id === "3"), "the last row");
  const items = followed.items();
  const messages = items.flatMap((item) => (item.kind === "data" ? [decode(item.bytes)] : []));
  expect(newRows(messages)).toEqual([
    ["1", "a"],
    ["3", "c"],
  ]);
  const relation = messages.find((message) => message.kind === "relation")?.oid;
  const large = items.filter((item) => item.kind === "oversize");
  expect(large.map((item) => item.relation)).toEqual([relation, undefined]);
  expect(large[0]?.bytes).toBeGreaterThan(3_000_000);
  const [first] = items.filter((item) => item.kind === "data");
  expect(large[0]?.lsn).toBeGreaterThan(first?.lsn ?? 0n);
});
