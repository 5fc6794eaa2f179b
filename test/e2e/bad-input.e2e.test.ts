import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { describe, expect, it } from "vitest";
import { startStack } from "../../local/stack.ts";
import type { ConnectorView, Health } from "../../src/api/api.ts";
import { connect } from "../../src/postgres/connection.ts";
import { createSlot } from "../../src/postgres/slot.ts";
import { openStream } from "../../src/postgres/stream.ts";
import { type Database, freshDatabase } from "../stack/database.ts";
import { faultyRegistry } from "../stack/faulty-registry.ts";
import { servers } from "../stack/servers.ts";
import { kafkaClient, uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { readEvents } from "./events.ts";
import { type Service, type ServiceOptions, startService } from "./service.ts";
import { captureTable } from "./world.ts";

/**
 * Wrong configuration, missing rights, missing servers and invalid requests: each is reported by name with what to do, and
 * leaves nothing behind.
 */

const TABLE = "create table t (id int primary key, a text); insert into t values (1, 'one')";
const REPLICA = { consumer: "replica", decodesWith: "writer", unknownFields: "reject" };

/** What a failed start left in the database, Kafka and the registry, except for the service's own `__` topics. */
async function leftBehind(database: Database, prefix: string): Promise<readonly string[]> {
  const slots = await database.query<{ name: string }>(
    "select slot_name as name from pg_replication_slots where database = current_database()",
  );
  const publications = await database.query<{ name: string }>("select pubname as name from pg_publication");
  const topics = (await topicNames()).filter((topic) => topic.startsWith(`${prefix}.`));
  const subjects = (await (await fetch(`${servers.registry.url}/subjects`)).json()) as string[]; // the registry documents this
  return [...slots, ...publications]
    .map(({ name }) => name)
    .concat(
      topics,
      subjects.filter((subject) => subject.startsWith(`${prefix}.`)),
    );
}

async function topicNames(): Promise<readonly string[]> {
  const admin = kafkaClient().admin();
  await admin.connect();
  try {
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

/** Starts a service that must end by itself with exit code 1, and returns its output. */
async function runRefused(
  options: Omit<ServiceOptions, "tables" | "prefix"> & Partial<ServiceOptions>,
): Promise<string> {
  await using service = await startService({ tables: ["public.t"], prefix: uniquePrefix(), ...options }, false);
  expect(await service.exited).toBe(1);
  return service.output();
}

/** A role on the shared server that exists during one test. */
async function freshRole(attributes: string): Promise<{ name: string; password: string } & AsyncDisposable> {
  const name = `role_${randomBytes(5).toString("hex")}`;
  const password = randomBytes(8).toString("hex");
  await asAdmin(`create role ${name} login ${attributes} password '${password}'`);
  return { name, password, [Symbol.asyncDispose]: () => asAdmin(`drop role ${name}`) };
}

async function asAdmin(sql: string): Promise<void> {
  const client = new Client(servers.postgres);
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

async function sourceWith(setup = TABLE): Promise<Database> {
  const fresh = await freshDatabase();
  await fresh.query(setup);
  return fresh;
}

describe("a source that cannot be captured ends the service with what to do and leaves nothing behind", () => {
  it("a role without a right on the database", async () => {
    await using role = await freshRole("replication");
    await using source = await sourceWith();
    await source.query(`grant select on t to ${role.name}`);
    const address = { ...source.address, user: role.name, password: role.password };
    const output = await runRefused({ database: address });
    expect(output).toMatch(/\[publication-unfit\] creating publication .*permission denied/);
    expect(output).toMatch(/next: have an administrator run: CREATE PUBLICATION "[^"]+" FOR TABLE "public"."t" /);
    const slots = await source.query("select from pg_replication_slots where database = current_database()");
    expect(slots).toEqual([]);
  });

  it("a wrong password, which is not shown", async () => {
    await using source = await sourceWith();
    const prefix = uniquePrefix();
    const output = await runRefused({ database: { ...source.address, password: "not-the-password" }, prefix });
    expect(output).toMatch(/\[postgres-refused\] connecting to .* as postgres: password authentication failed/);
    expect(output).toContain("check user, password and pg_hba.conf");
    expect(output).not.toContain("not-the-password");
    expect(output).not.toContain(source.address.password);
    expect(await leftBehind(source, prefix)).toEqual([]);
  });

  it("tables that cannot be captured, all named", async () => {
    await using source = await sourceWith(
      `create table t (at tid, day int, primary key (at, day)); create table u (id xid8 primary key);
       create table "a b" (id int primary key); create table a_b (id int primary key)`,
    );
    const prefix = uniquePrefix();
    const tables = ["public.t", "public.u", "public.a b", "public.a_b"];
    const output = await runRefused({ database: source.address, prefix, tables });
    expect(output).toMatch(/\[table-unsupported\]/);
    expect(output).toContain("public.t: key column at has type tid");
    expect(output).toContain("public.u: key column id has type xid8");
    expect(output).toMatch(/several tables would be published to topic \S+\.public\.a_b/);
    expect(output).toContain("leave the table out of table.include.list");
    expect(await leftBehind(source, prefix)).toEqual([]);
  });

  it("a slot that already exists and is in use is left alone", async () => {
    await using source = await sourceWith();
    const prefix = uniquePrefix();
    const slot = `theirs_${prefix}`;
    const { address } = source;
    const client = await connect(address, { applicationName: "theirs" });
    const start = await createSlot(client, slot, { observer: client, onWait: () => {} });
    await client.query("create publication theirs for all tables");
    const connector = { "slot.name": slot };
    await using _stream = await openStream({ connection: address, slot, publication: "theirs", start, wake: () => {} });
    const output = await runRefused({ database: address, prefix, connector });
    expect(output).toMatch(new RegExp(`\\[slot-exists\\] slot ${slot} exists, and this connector has no state for it`));
    expect(output).toContain("slot.name");
    const [still] = await source.query(
      "select active, confirmed_flush_lsn::text as at from pg_replication_slots where slot_name = $1",
      [slot],
    );
    expect(still).toMatchObject({ active: true });
    expect(await leftBehind(source, prefix)).toEqual([slot, "theirs"]);
    await client.end();
  });
});

describe("a server that is down", () => {
  it("Kafka: the service reports that it waits, changes nothing in PostgreSQL, and ends when asked to", async () => {
    await using source = await sourceWith();
    const options = { database: source.address, prefix: uniquePrefix(), tables: ["public.t"] };
    await using service = await startService({ ...options, kafkaBrokers: ["127.0.0.1:1"] }, false);
    const isSaid = () => /waiting for Kafka: .*\[kafka-down\].*127\.0\.0\.1:1/.test(service.output());
    await until(isSaid, "it reports that it waits", 60_000);
    service.kill("SIGTERM");
    expect(await service.exited).toBe(0);
    expect(await source.query("select from pg_replication_slots where database = current_database()")).toEqual([]);
    expect(await source.query("select from pg_publication")).toEqual([]);
  });

  it("PostgreSQL: the connector reports that it retries, and streams once the server is up", async () => {
    await using own = await startStack({ kafka: false, registry: false });
    await using source = await freshDatabase(own.postgres);
    await source.query(TABLE);
    await own.kill("postgres");
    const prefix = uniquePrefix();
    await using service = await startService({ database: source.address, prefix, tables: ["public.t"] }, false);
    const [view] = await untilRetrying(service);
    expect(view?.problem).toMatchObject({
      code: "postgres-down",
      message: expect.stringContaining("ECONNREFUSED") as unknown,
    });
    await own.restart("postgres");
    await until(async () => (await service.get<Health>("/health")).status === "ok", "the connector streams", 40_000);
    await using events = readEvents([`${prefix}.public.t`]);
    await events.until((seen) => seen.length === 1, "the snapshot");
    await service[Symbol.asyncDispose]();
    const again = await freshDatabase(own.postgres); // the kill of the server ended the session of `source`
    await again[Symbol.asyncDispose]();
  });

  it("the registry at the first start: the connector reports that it retries, and continues once the registry answers", async () => {
    await using registry = await faultyRegistry(servers.registry.url);
    await registry.refuse();
    await using source = await sourceWith();
    const prefix = uniquePrefix();
    await using service = await startService(
      { database: source.address, prefix, tables: ["public.t"], registryUrl: registry.url },
      false,
    );
    const [view] = await untilRetrying(service);
    expect(view?.problem?.code).toBe("registry-down");
    expect(view?.problem?.message).not.toBe("");
    // It is retrying once the attempts have failed for some seconds.
    expect((await service.get<Health>("/health")).status).toMatch(/^(starting|retrying)$/);
    expect(await source.query("select from pg_replication_slots where database = current_database()")).toEqual([]);
    await registry.heal();
    await until(async () => (await service.get<Health>("/health")).status === "ok", "the connector streams", 40_000);
    // A row inserted during the snapshot could be in the snapshot as well.
    await service.idle();
    await source.query("insert into t values (2, 'two')");
    await using events = readEvents([`${prefix}.public.t`]);
    const all = await events.until((seen) => seen.length >= 2, "both rows");
    expect(all.map(({ after }) => after?.["id"])).toEqual([1, 2]);
  });
});

/** Waits until the connector reports that it retries. */
async function untilRetrying(service: Service): Promise<readonly ConnectorView[]> {
  return until(async () => {
    const views = await service.get<readonly ConnectorView[]>("/v1/connectors");
    return views[0]?.status === "retrying" ? views : undefined;
  }, "the connector retries");
}

describe("an invalid file or request", () => {
  it("a connector file: every mistake is reported at once, without secrets, and nothing is started", async () => {
    await using source = await sourceWith();
    const prefix = uniquePrefix();
    const connector = {
      "database.port": "54x",
      "snapshot.mode": "always",
      "table.include.lst": "public.t",
      "fieldgate.release.policy": "whenever",
      "fieldgate.judge.timeout.ms": "-5",
      "database.sslmode": "a-secret",
    };
    const output = await runRefused({ database: source.address, prefix, connector });
    for (const key of Object.keys(connector)) expect(output).toContain(key);
    expect(output).toContain("table.include.list");
    expect(output).toMatch(/\[config-invalid\]/);
    expect(output).not.toContain("a-secret");
    expect(output).not.toContain(source.address.password);
    expect(await leftBehind(source, prefix)).toEqual([]);
    expect((await topicNames()).filter((topic) => topic.includes(prefix))).toEqual([]);
  });

  it("a wrong token or contract gets a 4xx; garbage in the control topics is skipped, even after a restart", async () => {
    await using world = await captureTable();
    expect((await fetch(`${world.service.url}/v1/amendments`)).status).toBe(401);
    const wrong = { ...REPLICA, topic: world.topic, decodesWith: "guess" };
    const refused = await world.service.send("POST", "/v1/contracts", wrong);
    expect(refused).toMatchObject({ status: 400, body: { code: "contract-invalid" } });
    expect(
      await world.service.send("POST", "/v1/commands", { kind: "release", ids: ["x/9"], actor: "me" }),
    ).toMatchObject({
      status: 404,
    });
    expect(await world.service.get("/v1/contracts")).toEqual([]);
    const deployment = world.topic.split(".")[0] ?? "";
    const producer = kafkaClient().producer({ allowAutoTopicCreation: false });
    await producer.connect();
    const [contracts, commands] = [`__fieldgate.${deployment}.contracts`, `__fieldgate.${deployment}.commands`];
    await producer.sendBatch({
      topicMessages: [
        {
          topic: contracts,
          messages: [
            { key: "a", value: "{" },
            { key: "b", value: '{"version":9}' },
            { key: "c", value: "" },
            { key: "gone", value: null },
          ],
        },
        {
          topic: commands,
          messages: [
            { key: deployment, value: "{" },
            { key: deployment, value: null },
            { key: deployment, value: JSON.stringify({ v: 1, connector: deployment, command: null }) },
            { key: deployment, value: JSON.stringify({ v: 1, connector: deployment, command: { id: "c" } }) },
            { key: deployment, value: JSON.stringify({ v: 2, connector: deployment, command: {} }) },
          ],
        },
      ],
    });
    await producer.disconnect();
    const untilSkipped = (service: Service) =>
      until(() => {
        const output = service.output();
        const [contract, command] = [/contract [abc] at offset \d+ was skipped/g, /command at offset \d+ was skipped/g];
        return (output.match(contract)?.length ?? 0) >= 3 && (output.match(command)?.length ?? 0) >= 5;
      }, "all of it is skipped");
    await untilSkipped(world.service);
    await world.service.publishContract({ ...REPLICA, topic: world.topic, fields: ["id", "a"] });
    await world.database.query("alter table t add column nick text");
    await world.database.query("insert into t values (2, 'two', 'deuce')");
    await world.service.amendment("nick", "withheld");
    await world.stop();
    const service = await world.start();
    await untilSkipped(service);
    const { id } = await service.amendment("nick", "withheld");
    expect(await service.command({ kind: "release", ids: [id], force: true, reason: "agreed" })).toMatchObject({
      kind: "done",
    });
  });
});
