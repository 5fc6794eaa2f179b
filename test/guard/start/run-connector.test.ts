import { contractKey } from "../../../src/contract/contract.ts";
import { type Contracts, eachContract, hasContract, withContract } from "../../../src/contract/contracts.ts";
import { describe, expect, it } from "vitest";
import { GuardError } from "../../../src/errors.ts";
import { runConnector } from "../../../src/guard/start/run-connector.ts";
import { passUnreadable } from "../../../src/guard/start/pass-unreadable.ts";
import { EMPTY, replay } from "../../../src/store/records.ts";
import { lsn } from "../../../src/wal/lsn.ts";
import type { Settings } from "../../../src/guard/outside.ts";
import { tableOid } from "../../../src/table/column.ts";
import { schemaId } from "../../../src/table/shape.ts";
import { column, ID, NAME, REPLICA, tableOf, TOPIC } from "../../gate/customers.ts";
import { until } from "../../stack/until.ts";
import { CUSTOMERS, type Given, lookAt, lookedTable, SLOT, stateRecords, type World, worldOf } from "../session.ts";
import { insert, relation, transaction } from "../wal.ts";

const FACTS = { systemId: "1", timeline: 1, version: 180_000, database: "shop", encoding: "UTF8", end: lsn(1000n) };
const DOWN = new GuardError("postgres-down", "connection refused");

/** Runs a connector until the test is over. */
function running(given: Given = {}) {
  const world = worldOf(given);
  const ending = new AbortController();
  const ended = runConnector(world.outside, ending.signal).then(
    () => undefined,
    (error: unknown) => error,
  );
  return {
    world,
    ended,
    ending,
    async [Symbol.asyncDispose]() {
      ending.abort(new Error("the test is over"));
      await ended;
    },
  };
}

/** A connector that has made its first start and has ended. */
async function firstRun() {
  await using connector = running();
  await until(() => keysOf(connector.world).includes("position"), "the first start is done");
  return connector;
}

const MISSING = new GuardError("table-missing", "public.orders");
const UNFIT = new GuardError("publication-unfit", "creating publication fieldgate_shop: permission denied");
const UNMAPPED = tableOf([column(1, "id", "tid", { notNull: true }), NAME]);

const kinds = ({ statuses }: World) => statuses.map(({ kind }) => kind);
const keysOf = (world: World) => stateRecords(world.commits).map(({ key }) => key);

describe("a connector", () => {
  it("knows every contract that was published before it listens, however late that is in the start of a session", async () => {
    let contracts: Contracts = new Map();
    let given: Contracts | undefined;
    let missed: readonly string[] | undefined;
    await using _connector = running({
      source: {
        // The last thing that is awaited before the session listens.
        look: async () => {
          const contract = { ...REPLICA, consumer: `consumer${[...eachContract(contracts)].length}` };
          contracts = withContract(contracts, contractKey(contract), contract);
          return { ...lookAt(lookedTable(5000, CUSTOMERS)), end: lsn(1n) };
        },
      },
      controlTopics: {
        contracts: () => (given = contracts),
        listen: () => {
          const keys = Array.from(eachContract(contracts), ([key]) => key);
          missed = keys.filter((key) => given === undefined || !hasContract(given, key));
          return { [Symbol.dispose]: () => {} };
        },
      },
    });
    await until(() => missed !== undefined, "the session listens");
    expect(contracts.size).toBeGreaterThan(0);
    expect(missed).toEqual([]);
  });

  it("fences before it reads its state, and records intent, tables and position before it streams", async () => {
    await using connector = running();
    await until(() => keysOf(connector.world).includes("position"), "the first start is done");
    const keys = keysOf(connector.world);
    expect(keys[0]).toBe("started");
    expect(keys.indexOf(`table/${TOPIC}`)).toBeLessThan(keys.indexOf("intent"));
    expect(keys.indexOf("intent")).toBeLessThan(keys.indexOf("position"));
  });

  it("warns that a database with encoding SQL_ASCII may have texts that stop it", async () => {
    await using connector = running({ source: { check: async () => ({ ...FACTS, encoding: "SQL_ASCII" }) } });
    const { world } = connector;
    await until(() => keysOf(world).includes("position"), "the connector runs");
    expect(world.log.filter((line) => line.includes("SQL_ASCII")).join("\n")).toMatch(/one that is not UTF-8 stops/);
  });

  it.each([
    ["compact", 0],
    ["compact,delete", 1],
    ["delete", 1],
  ])(
    "with cleanup.policy=%s of its state topic, reports what Kafka may delete: %i times",
    async (cleanupPolicy, times) => {
      const described = (name: string) => {
        const policy = name === TOPIC ? "delete" : cleanupPolicy;
        return { partitions: 1, maxMessageBytes: 1 << 20, cleanupPolicy: policy, config: new Map() };
      };
      const describeTopics = async (names: readonly string[]) => new Map(names.map((name) => [name, described(name)]));
      await using connector = running({ sink: { describeTopics } });
      const { world } = connector;
      await until(() => keysOf(world).includes("position"), "the connector runs");
      const lines = world.log.filter((line) => line.startsWith("notice") && line.includes("may delete amendments"));
      expect(lines).toHaveLength(times);
    },
  );

  it("begins a new session after a temporary error, with growing delays, until the source is back", async () => {
    let failures = 0;
    await using connector = running({
      source: {
        check: async () => {
          if ((failures += 1) <= 7) throw DOWN;
          return FACTS;
        },
      },
    });
    const { world } = connector;
    await until(() => keysOf(world).includes("position"), "the connector runs");
    expect(world.slept).toEqual([100, 500, 1000, 2000, 5000, 10_000, 10_000]);
    expect(kinds(world).filter((kind) => kind === "retrying")).toHaveLength(7);
    expect(world.log.filter((line) => line.endsWith("trying again"))).toHaveLength(7);
    expect(keysOf(world).filter((key) => key === "started")).toHaveLength(8);
  });

  it("stops with an error that only a person can resolve", async () => {
    const lost = new GuardError("wal-level", "wal_level is replica", { next: "ALTER SYSTEM …" });
    await using connector = running({ source: { check: () => Promise.reject(lost) } });
    expect(await connector.ended).toBe(lost);
    expect(connector.world.slept).toEqual([]);
    expect(connector.world.statuses.at(-1)).toMatchObject({
      kind: "stopped",
      code: "wal-level",
      next: "ALTER SYSTEM …",
    });
  });

  it.each<[what: string, given: Given, code: string]>([
    ["a slot that exists", { source: { slot: async () => SLOT } }, "slot-exists"],
    ["a table that is missing", { source: { tables: () => Promise.reject(MISSING) } }, "table-missing"],
    ["a key column whose type is not mapped", { source: { tables: async () => [UNMAPPED] } }, "table-unsupported"],
    [
      "two tables with the same topic",
      { source: { tables: async () => [CUSTOMERS, { ...CUSTOMERS, oid: tableOid(5001) }] } },
      "table-unsupported",
    ],
    [
      "a publication that its role may not create",
      { source: { ensurePublication: () => Promise.reject(UNFIT) } },
      "publication-unfit",
    ],
  ])("that is refused at its first start because of %s leaves nothing behind", async (_, given, code) => {
    const made: string[] = [];
    const makes = (what: string) => async () => void made.push(what);
    await using connector = running({
      ...given,
      source: {
        createSlot: () => Promise.reject(new Error("it must not be created")),
        ensurePublication: async (tables) => {
          made.push("publication");
          return tables;
        },
        mark: makes("mark"),
        ...given.source,
      },
      sink: { createTopics: makes("topic"), createParkedTopic: makes("topic") },
      registry: {
        async register() {
          made.push("schema");
          return { kind: "registered", id: schemaId(7) };
        },
      },
    });
    expect(await connector.ended).toMatchObject({ code });
    expect(made).toEqual([]);
    expect(keysOf(connector.world)).toEqual(["started"]);
  });

  it("leaves out a table whose schema the registry refuses at the first start, and publishes the others", async () => {
    const orders = { ...CUSTOMERS, oid: tableOid(5001), name: "orders" };
    const refusing: Given["registry"] = {
      register: async (subject) =>
        subject.includes("orders")
          ? { kind: "refused", status: 422, message: "no Avro schema" }
          : { kind: "registered", id: schemaId(subject.endsWith("-key") ? 7 : 8) },
    };
    await using connector = running({
      settings: { "snapshot.mode": "initial" },
      source: { tables: async () => [orders, CUSTOMERS] },
      registry: refusing,
    });
    const { world } = connector;
    await until(() => keysOf(world).includes("position"), "the first start is done");
    const recorded = new Set(keysOf(world).filter((key) => /^(table|job)/.test(key)));
    expect(recorded).toEqual(new Set([`table/${TOPIC}`, `job/snapshot/${TOPIC}`]));
    expect(world.log.filter((line) => line.includes("public.orders-value: 422 no Avro schema"))).toHaveLength(1);
  });

  it.each<[key: string, settings: Partial<Settings>, message: string]>([
    ["topic.prefix", { "topic.prefix": "elsewhere" }, `publishes to ${TOPIC}`],
    [
      "message.key.columns",
      {
        filter: { table: () => true, column: () => true, keyColumns: () => ["name"] },
        "message.key.columns": [{ text: "public.customers:name", plain: true, matches: () => true }],
      },
      "public.customers has events with key (id), and the file says (name)",
    ],
  ])("whose file has another %s at the next start stops with what that concerns", async (_, settings, message) => {
    const { world } = await firstRun();
    await using second = running({
      settings,
      source: { slot: () => world.source.slot() },
      sink: { readState: async () => stateRecords([...world.commits, ...second.world.commits]) },
    });
    expect(await second.ended).toMatchObject({ code: "config-invalid", message: expect.stringContaining(message) });
    expect(keysOf(second.world)).toEqual(["started"]);
  });

  it("continues from its state after a session that failed in the middle: nothing is published twice", async () => {
    let failed = false;
    await using connector = running({
      writer: {
        async commit(records) {
          const isFirst = !failed && records.some(({ topic }) => topic === TOPIC);
          failed ||= isFirst;
          if (isFirst) throw new GuardError("kafka-down", "no broker");
          connector.world.commits.push(records);
        },
      },
    });
    const { world } = connector;
    const change = transaction(200n, relation([ID, NAME]), insert(150n, "1", "Ann"));
    await until(() => keysOf(world).includes("position"), "the first start is done");
    world.feed(...change);
    await until(() => kinds(world).includes("retrying"), "the commit has failed");
    // The server sends changes again that were not acknowledged.
    await until(() => keysOf(world).filter((key) => key === "started").length === 2, "the next session has fenced");
    world.feed(...change);
    const events = () => world.commits.flat().filter(({ topic }) => topic === TOPIC);
    await until(() => events().length > 0, "the row is published");
    expect(events()).toHaveLength(1);
  });

  it("passes over a part of the log that PostgreSQL cannot read: what came before is published, the table repaired", async () => {
    const unreadable = new GuardError("log-unreadable", 'publication "fieldgate_shop" does not exist');
    const items = [...transaction(200n, relation([ID, NAME]), insert(150n, "1", "Ann"))];
    const starts: bigint[] = [];
    let broken = false;
    await using connector = running({
      source: {
        look: async () => ({ ...lookAt(lookedTable(5000, CUSTOMERS)), end: lsn(1n) }),
        openStream: async (start) => {
          starts.push(start);
          const read = () => {
            if (starts.length > 1 || broken) return undefined;
            if (items.length > 0) return items.shift();
            broken = true;
            throw unreadable;
          };
          return { ...world.stream, read };
        },
      },
    });
    const { world } = connector;
    await until(() => starts.length === 2, "the next session reads on");
    expect(starts).toEqual([100n, 1000n]);
    expect(world.commits.flat().filter(({ topic }) => topic === TOPIC)).toHaveLength(1);
    const { position, jobs, tables } = replay(stateRecords(world.commits));
    expect(position).toMatchObject({ endLsn: 1000n, tx: undefined });
    expect(jobs.get(`repair/${TOPIC}`)?.state).toBe("running");
    expect(tables.get(TOPIC)?.gap?.news).toEqual({ kind: "again" });
    expect(world.log.join()).toContain("The log from 0/C8 to 0/3E8 is passed over");
  });

  it("knows from its first start on since when each column's definition is the one that it read", async () => {
    const columns = [ID, NAME].map((one) => ({ ...one, version: "700" }));
    await using connector = running({ source: { tables: async () => [tableOf(columns)] } });
    const { world } = connector;
    await until(() => keysOf(world).includes("position"), "the first start is done");
    const { tables } = replay(stateRecords(world.commits));
    const known = { version: "700", since: "0/64" };
    expect(tables.get(TOPIC)?.defined).toEqual({ 1: known, 2: known });
  });

  it("counts the DDL trigger as newly found after a part of the log was passed over", () => {
    const position = { endLsn: lsn(100n), commitLsn: undefined, tx: undefined, systemId: "1", timeline: 1, slot: "s" };
    const stored = { ...EMPTY, position, trigger: "as before" };
    const look = lookAt(lookedTable(5000, CUSTOMERS));
    expect(passUnreadable(worldOf().outside, stored, look, lsn(1000n)).trigger).toBeUndefined();
  });

  it("that is fenced fences again if no other instance has started since", async () => {
    let fenced = 0;
    await using connector = running({
      source: {
        terminateReader: async () => {
          if ((fenced += 1) === 1) throw new GuardError("kafka-fenced", "the transaction expired");
          return false;
        },
      },
    });
    const { world } = connector;
    await until(() => fenced === 2, "the second session");
    expect(keysOf(world).filter((key) => key === "started")).toHaveLength(2);
  });

  it("that is fenced stops with connector-taken if another instance has started since", async () => {
    await using connector = running({
      source: {
        terminateReader: async () => {
          const value = JSON.stringify({ v: 1, id: "theirs", time: "2026-01-01T00:00:00Z" });
          connector.world.commits.push([
            {
              topic: connector.world.outside.settings.stateTopic,
              partition: 0,
              key: Buffer.from("started"),
              value: Buffer.from(value),
            },
          ]);
          throw new GuardError("kafka-fenced", "another producer has this id");
        },
      },
    });
    expect(await connector.ended).toMatchObject({ code: "connector-taken" });
    expect(kinds(connector.world).at(-1)).toBe("stopped");
  });

  it("ends without an error when it is asked to stop, even while it waits to try again", async () => {
    const connector = running({
      source: { check: () => Promise.reject(DOWN) },
      outside: {
        sleep: async (_, signal) => {
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          signal.throwIfAborted();
        },
      },
    });
    await until(() => kinds(connector.world).includes("retrying"), "it waits to try again");
    connector.ending.abort(new Error("SIGTERM"));
    expect(await connector.ended).toBeUndefined();
    expect(kinds(connector.world)).not.toContain("stopped");
  });
});
