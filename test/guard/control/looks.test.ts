import { describe, expect, it } from "vitest";
import type { LeftOutReason } from "../../../src/capture/left-out.ts";
import { entryList } from "../../../src/capture/lists.ts";
import { GuardError } from "../../../src/errors.ts";
import { apply } from "../../../src/guard/control/apply.ts";
import { applyLook } from "../../../src/guard/control/apply-look.ts";
import { leave } from "../../../src/guard/control/left.ts";
import { firstLooks, lookAtTables } from "../../../src/guard/control/looks.ts";
import { needsSnapshot } from "../../../src/guard/control/capture-new.ts";
import type { TablesLook } from "../../../src/capture/look.ts";
import type { TableState } from "../../../src/gate/state.ts";
import { readAgain } from "../../../src/guard/control/read-again.ts";
import { tableOid } from "../../../src/table/column.ts";
import { lsn } from "../../../src/wal/lsn.ts";
import { warnOfTables } from "../../../src/guard/control/table-warnings.ts";
import type { Settings, TableWarning } from "../../../src/guard/outside.ts";
import { publishing, seen, TOPIC } from "../../gate/customers.ts";
import { CUSTOMERS, lookAt, lookedTable, sessionIn, worldOf } from "../session.ts";

const ORDERS = lookedTable(20_000, { schema: "public", name: "orders" });

async function lookWhile(addingFails: GuardError) {
  const world = worldOf({
    source: {
      look: async () => ({ ...lookAt(ORDERS, false), end: lsn(1n) }),
      async ensurePublication() {
        throw addingFails;
      },
    },
  });
  const session = sessionIn(world);
  session.control.state = { ...session.control.state, tables: new Map() };
  session.control.looks.due = 0n;
  lookAtTables(session);
  for (let turns = 0; turns < 20; turns++) await Promise.resolve();
  await applyLook(session);
  return { world, session };
}

describe("a new table that cannot be added to the publication", () => {
  it.each([
    ["another session holds its lock", new GuardError("postgres-locked", "adding tables: the lock was not released")],
    ["the role may not", new GuardError("publication-unfit", "adding tables: must be owner")],
  ])("is left out and reported, and the session goes on: %s", async (_, error) => {
    const { world, session } = await lookWhile(error);
    expect(() => session.waker.throwIfFailed()).not.toThrow();
    expect(session.control.looks.left.get(ORDERS.oid)).toMatchObject({
      reason: { kind: "not-sent", why: { kind: "unpublished" }, refusal: { code: error.code } },
    });
    expect(world.log.join("\n")).toContain(`(${error.text})`);
  });

  it("ends the session if PostgreSQL does not answer", async () => {
    const { session } = await lookWhile(new GuardError("postgres-down", "connection lost"));
    expect(() => session.waker.throwIfFailed()).toThrow("connection lost");
  });
});

it.each([
  ["was there when the session began, and the start did not capture it", ORDERS.oid, true],
  ["was created later", 30_000, false],
])("a new table that %s (oid %s): whether it needs a snapshot: %s", (_, oid, needed) => {
  const world = worldOf({});
  const session = sessionIn(world);
  const looks = firstLooks(world.outside, { ...lookAt(ORDERS), end: lsn(1n) }, session.control.state.tables.values());
  session.control.looks.passedBy.clear();
  for (const passed of looks.passedBy) session.control.looks.passedBy.add(passed);
  expect(needsSnapshot(session, lookAt(ORDERS), { ...CUSTOMERS, oid: tableOid(oid), filenode: oid })).toBe(needed);
});

describe("a table of which something is not known", () => {
  const tables = Array.from({ length: 60 }, (_, index) => {
    const table = { ...publishing(), versions: {} };
    return { ...table, shape: { ...table.shape, table: { ...table.shape.table, oid: tableOid(100 + index) } } };
  });
  const lookOf = (file: number): TablesLook => ({
    ...lookAt(ORDERS, true),
    tables: new Map(tables.map(({ shape }) => [Number(shape.table.oid), { ...ORDERS, file }])),
  });
  const pendingOf = (file: number, table: Partial<TableState> = {}) => {
    const session = sessionIn(worldOf({ source: { table: () => new Promise(() => {}) } }));
    readAgain(
      session,
      lookOf(file),
      tables.map((one) => ({ ...one, ...table })),
    );
    return session.control.catalog.pending.size;
  };

  it("is read again after a look, and at most some at once", () => {
    expect(pendingOf(1)).toBe(0);
    expect(pendingOf(2)).toBe(20);
    expect(pendingOf(1, { doubt: true })).toBe(20);
    expect(pendingOf(1, { filenode: undefined })).toBe(20);
    expect(pendingOf(1, { versions: { 1: "700" } })).toBe(20);
    expect(pendingOf(1, { versions: undefined })).toBe(20);
  });
});

describe("the reason why a table is left out", () => {
  const failed = (code: "registry-refused" | "subject-unfit", text: string): LeftOutReason => ({
    kind: "failed",
    error: { code, text, next: undefined },
  });

  it("is reported once, however it is worded", () => {
    const world = worldOf();
    const session = sessionIn(world);
    leave(session, ORDERS.oid, ORDERS, failed("registry-refused", "409 conflict"));
    leave(session, ORDERS.oid, ORDERS, failed("registry-refused", "the registry refused the schema"));
    expect(world.log.filter((line) => line.startsWith("notice:"))).toHaveLength(1);
  });

  it("is reported again if it changes", () => {
    const world = worldOf();
    const session = sessionIn(world);
    leave(session, ORDERS.oid, ORDERS, failed("registry-refused", "409 conflict"));
    leave(session, ORDERS.oid, ORDERS, failed("subject-unfit", "409 conflict"));
    expect(world.log.filter((line) => line.startsWith("notice:"))).toHaveLength(2);
  });
});

describe("a key of the connector's file for one table", () => {
  const NEXT = "the connector's file; names are case-sensitive here";
  it.each<[what: string, settings: Partial<Settings>, warned: readonly Partial<TableWarning>[]]>([
    ["of a captured table is not warned of", { policyOf: new Map([[TOPIC, "manual"]]) }, []],
    [
      "in a different case has no effect",
      { policyOf: new Map([["inventory.public.Customers", "manual"]]) },
      [
        {
          table: "public.Customers",
          what: "fieldgate.release.policy.public.Customers has no effect, because no table of that name is captured",
          next: `create the table, or write fieldgate.release.policy.public.customers into ${NEXT}`,
        },
      ],
    ],
    [
      "that is a pattern has no effect",
      { poisonOf: new Map([["inventory.audit.order_.*", "dead-letter"]]) },
      [
        {
          table: "audit.order_.*",
          what: "fieldgate.on.poison.audit.order_.* has no effect, because no table of that name is captured",
          next: `create the table, or correct its name in ${NEXT}`,
        },
      ],
    ],
  ])("%s", (_, settings, warned) => {
    const world = worldOf({ settings });
    const session = sessionIn(world);
    warnOfTables(session, lookAt(ORDERS, true));
    warnOfTables(session, lookAt(ORDERS, true));
    expect([...session.control.looks.warnings.values()]).toEqual(warned);
    expect(world.log.filter((line) => line.startsWith("notice:"))).toHaveLength(warned.length);
  });
});

describe("an entry of the file's column lists", () => {
  const listed = (text: string) => {
    const list = entryList(text);
    return list.kind === "list" ? list.entries : [];
  };
  it.each<[what: string, settings: Partial<Settings>, what: string | undefined, next: string]>([
    [
      "that matches a column is not warned of",
      { "column.exclude.list": listed("public.customers.name") },
      undefined,
      "",
    ],
    [
      "that is misspelt excludes nothing, so the column is published",
      { "column.exclude.list": listed(String.raw`public.customers.id,public\.customers\.nmae`) },
      String.raw`column.exclude.list: the entry public\.customers\.nmae matches no column of a captured table, so it excludes nothing`,
      "if public.customers.name was meant, correct the entry",
    ],
    [
      "that is for a table that is not captured includes nothing",
      { "column.include.list": listed("public.customers.(id|name),audit.log.entries") },
      "column.include.list: the entry audit.log.entries matches no column of a captured table, so it includes nothing",
      "check its spelling",
    ],
    [
      "that is misspelt in a key adds nothing to it",
      { "message.key.columns": listed("public.customers.id,public.customers.nick") },
      "message.key.columns: the entry public.customers.nick matches no column of a captured table, so it adds nothing to a key",
      "if public.customers.id was meant, correct the entry",
    ],
  ])("%s", (_, settings, what, next) => {
    const world = worldOf({ settings });
    const session = sessionIn(world);
    warnOfTables(session, lookAt(ORDERS, true));
    warnOfTables(session, lookAt(ORDERS, true));
    expect([...session.control.looks.warnings.values()]).toMatchObject(
      what === undefined ? [] : [{ what, next: `${next}; it has effect once there is such a column` }],
    );
    expect(world.log.filter((line) => line.startsWith("notice:"))).toHaveLength(what === undefined ? 0 : 1);
  });
});

it("a captured table whose rows row level security would hide is warned of once, with the statement that helps", () => {
  const world = worldOf({ settings: { "database.user": "reader" } });
  const session = sessionIn(world);
  const customers = lookedTable(5000, { schema: "public", name: "customers" });
  for (const hidden of [true, true]) warnOfTables(session, lookAt({ ...customers, hidden }));
  expect([...session.control.looks.warnings.values()]).toMatchObject([
    { table: "public.customers", next: expect.stringContaining('ALTER ROLE "reader" BYPASSRLS') as unknown },
  ]);
  expect(world.log.filter((line) => line.startsWith("notice:"))).toHaveLength(1);
  warnOfTables(session, lookAt(customers));
  expect(session.control.looks.warnings.size).toBe(0);
});

it("a captured table whose name another captured one has taken is no replaced table", async () => {
  const look = lookAt(lookedTable(5000, { schema: "public", name: "tmp" }), true);
  const orders = { ...lookedTable(20_000, { schema: "public", name: "customers" }) };
  const both: TablesLook = {
    ...look,
    tables: new Map([...look.tables, [20_000, orders]]),
    named: new Map([...look.named, ["public.customers", orders]]),
  };
  const world = worldOf({ source: { look: async () => ({ ...both, end: lsn(1n) }) } });
  const session = sessionIn(world);
  const [[topic, customers] = [TOPIC, publishing()]] = session.control.state.tables;
  const shape = {
    ...customers.shape,
    topic: "inventory.public.orders",
    table: { oid: tableOid(20_000), schema: "public", name: "orders" },
  };
  session.control.state = {
    ...session.control.state,
    tables: new Map([
      [topic, customers],
      [shape.topic, { ...customers, shape }],
    ]),
  };
  session.control.looks.due = 0n;
  lookAtTables(session);
  for (let turns = 0; turns < 20; turns++) await Promise.resolve();
  expect(await applyLook(session)).toEqual([]);
  // Each is read again, and so reported under its new name.
  expect(new Set([...session.control.catalog.pending.values()].map(({ oid }) => oid))).toEqual(new Set([5000, 20_000]));
});

it("a captured table that is renamed keeps its topic, and people get the statement that undoes it", async () => {
  const renamed = lookAt(lookedTable(5000, { schema: "public", name: "Clients" }));
  const world = worldOf({ source: { look: async () => ({ ...renamed, end: lsn(1n) }) } });
  const session = sessionIn(world);
  session.control.looks.due = 0n;
  lookAtTables(session);
  for (let turns = 0; turns < 20; turns++) await Promise.resolve();
  await applyLook(session);
  expect(session.control.catalog.pending.size).toBe(1);
  apply(session, seen(CUSTOMERS.columns, { as: "Clients" }));
  const reported = world.log.filter((line) => line.startsWith("notice:")).join();
  expect(reported).toContain(`public.customers is now called public.Clients; its topic is still ${TOPIC}`);
  expect(world.log.join()).toContain('ALTER TABLE "public"."Clients" RENAME TO "customers";');
});
