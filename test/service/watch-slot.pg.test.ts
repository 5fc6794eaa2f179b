import { expect, test } from "vitest";
import { startStack } from "../../local/stack.ts";
import type { Notice } from "../../src/guard/outside.ts";
import { createSlot, readSlotRoom } from "../../src/postgres/slot.ts";
import { watchSlot } from "../../src/service/watch-slot.ts";
import { session } from "../postgres/follow.ts";
import { until } from "../stack/until.ts";

test("people are alerted before a slot is lost, when the danger is over, and when it is lost; each once", async () => {
  const flags = ["max_slot_wal_keep_size=128MB", "max_wal_size=64MB", "idle_replication_slot_timeout=1d"];
  await using stack = await startStack({ kafka: false, registry: false, postgresFlags: flags });
  await using client = await session(stack.postgres);
  await createSlot(client, "inventory", { observer: client, onWait: () => {} });
  const notices: Notice[] = [];
  let looks = 0;
  using _watching = watchSlot(
    "inventory",
    {
      log: { info: () => {}, warn: () => {} },
      alert: (notice) => void notices.push(notice),
      async room() {
        looks += 1;
        if (looks % 3 === 0) throw new Error("no answer");
        return readSlotRoom(client, "inventory");
      },
    },
    20,
  );
  const write = async (megabytes: number): Promise<void> => {
    for (let written = 0; written < megabytes; written += 1)
      await client.query("SELECT pg_logical_emit_message(false, 'x', repeat('x', 1048576))");
  };
  const looked = async (): Promise<void> => {
    const from = looks;
    await until(() => looks > from + 3 || undefined, "the slot is looked at again");
  };
  await looked();
  expect(notices).toEqual([]);

  await write(112);
  await until(() => notices.length > 0 || undefined, "the danger is reported");
  await looked();
  expect(notices).toEqual([
    {
      id: "slot/inventory/1",
      about: "slot",
      severity: "urgent",
      what: expect.stringMatching(
        /^PostgreSQL keeps \d+ MB of log for slot inventory and drops it after another \d+ MB \(max_slot_wal_keep_size\): /,
      ),
      next: expect.stringContaining("raise max_slot_wal_keep_size"),
    },
  ]);

  await client.query("SELECT pg_replication_slot_advance('inventory', pg_current_wal_lsn())");
  await client.query("CHECKPOINT");
  await client.query("SELECT pg_log_standby_snapshot()");
  await client.query("SELECT pg_replication_slot_advance('inventory', pg_current_wal_lsn())");
  await until(() => notices.length > 1 || undefined, "the end of the danger is reported");
  expect(notices[1]).toMatchObject({ severity: "info", what: expect.stringContaining("no longer about to be lost") });

  await write(300);
  await client.query("CHECKPOINT");
  await until(() => notices.at(-1)?.what.includes("has dropped") || undefined, "the loss is reported");
  await looked();
  expect(notices.filter(({ what }) => what.includes("has dropped"))).toHaveLength(1);
  expect(notices.filter(({ what }) => what.startsWith("PostgreSQL keeps"))).toHaveLength(2);
});

test("how long a slot has not been read counts only where PostgreSQL drops it for that", async () => {
  await using stack = await startStack({ kafka: false, registry: false });
  await using client = await session(stack.postgres);
  await createSlot(client, "inventory", { observer: client, onWait: () => {} });
  expect((await readSlotRoom(client, "inventory"))?.idle).toBeUndefined();
  await client.query("ALTER SYSTEM SET idle_replication_slot_timeout = '1d'");
  await client.query("SELECT pg_reload_conf()");
  const read = async () => (await readSlotRoom(client, "inventory"))?.idle;
  const idle = await until(read, "the setting is read again");
  expect(idle.limit).toBe(86_400_000);
  expect(idle.ms).toBeGreaterThanOrEqual(0);
  expect(idle.ms).toBeLessThan(600_000);
  expect(await readSlotRoom(client, "nowhere")).toBeUndefined();
});
