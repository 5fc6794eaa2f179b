import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AmendmentView } from "../../src/api/amendment.ts";
import type { ConnectorView } from "../../src/api/api.ts";
import { connect } from "../../src/postgres/connection.ts";
import { installTrigger, readTriggerSecret } from "../../src/postgres/trigger.ts";
import { readDdl } from "../../src/table/ddl.ts";
import { decode } from "../../src/wal/decode.ts";
import { type Event, type Events, readEvents, type Row } from "../e2e/events.ts";
import { type Service, startService } from "../e2e/service.ts";
import { type Database, freshDatabase } from "../stack/database.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { type Situation, SITUATIONS } from "./situation.ts";

/** One database and connector in one situation. */
interface Place {
  readonly situation: Situation;
  readonly database: Database;
  readonly prefix: string;
  readonly topic: string;
  readonly mallory: string;
  readonly events: Events;
  readonly secret: string | undefined;
}

const CREATE = "CREATE TABLE t (id int PRIMARY KEY, a text, n int); INSERT INTO t VALUES (1, 'one', 1), (2, 'two', 2)";

/** What happens in each database: every kind of change of a column, with rows before and after it. */
const COMMANDS: readonly (readonly [before: string, ddl: string, after: string])[] = [
  [
    "INSERT INTO t VALUES (3, 'three', 3)",
    "ALTER TABLE t ADD COLUMN nick text DEFAULT 'none'",
    "INSERT INTO t VALUES (4, 'four', 4, 'quattro')",
  ],
  ["UPDATE t SET a = 'uno' WHERE id = 1", "ALTER TABLE t DROP COLUMN a", "INSERT INTO t VALUES (5, 5, 'cinque')"],
  ["DELETE FROM t WHERE id = 2", "ALTER TABLE t RENAME COLUMN n TO m", "INSERT INTO t VALUES (6, 6, 'sei')"],
  [
    "UPDATE t SET m = 60 WHERE id = 6",
    "ALTER TABLE t ALTER COLUMN m TYPE bigint",
    "INSERT INTO t VALUES (7, 7, 'sette')",
  ],
  [
    "INSERT INTO t VALUES (8, 8, 'otto')",
    "ALTER TABLE t OWNER TO CURRENT_USER",
    "UPDATE t SET nick = 'OTTO' WHERE id = 8",
  ],
];
const LAST = "INSERT INTO t VALUES (99, 99, 'last')";

/** An event without what differs in every run: positions, transactions and times. */
interface Published extends Pick<Event, "op" | "key" | "before" | "after"> {
  readonly snapshot: unknown;
}

const open = new AsyncDisposableStack();
const places: Place[] = [];
const read = new Map<
  string,
  {
    readonly events: readonly Published[];
    readonly amendments: readonly AmendmentView[];
    readonly messages: readonly string[];
  }
>();

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "fieldgate-versions-"));
  open.defer(() => rm(folder, { recursive: true }));
  for (const situation of SITUATIONS) places.push(await prepare(situation, folder));
  const [first] = places;
  if (first === undefined) throw new Error("no situation");
  const options = { database: first.database.address, prefix: uniquePrefix(), tables: ["public.t"] };
  const service = open.use(await startService({ ...options, env: { FIELDGATE_CONNECTORS: folder } }));
  await streaming(service);
  for (const place of places) await live(place, service);
});
afterAll(() => open.disposeAsync());

async function prepare(situation: Situation, folder: string): Promise<Place> {
  const database = open.use(await freshDatabase());
  const prefix = uniquePrefix();
  const mallory = `mallory_${prefix}`;
  await database.query(CREATE);
  let secret: string | undefined;
  if (situation.installed) {
    const client = await connect(database.address, { applicationName: "test" });
    await installTrigger(client, database.address.user);
    const found = await readTriggerSecret(client);
    secret = found.kind === "installed" ? found.secret : undefined;
    await client.end();
    await database.query(situation.arrange(mallory));
  }
  if (situation.name === "forged") open.defer(async () => void (await database.query(`DROP ROLE ${mallory}`)));
  await database.query("CREATE PUBLICATION peek");
  await database.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [`peek_${prefix}`]);
  const { host, port, user, password, database: name } = database.address;
  const file = {
    "database.hostname": host,
    "database.port": String(port),
    "database.user": user,
    "database.password": password,
    "database.dbname": name,
    "topic.prefix": prefix,
    "table.include.list": "public.t",
    "fieldgate.release.policy": "manual",
  };
  await writeFile(join(folder, `${prefix}.json`), JSON.stringify(file));
  const topic = `${prefix}.public.t`;
  return { situation, database, prefix, topic, mallory, events: open.use(readEvents([topic])), secret };
}

async function streaming(service: Service): Promise<void> {
  await until(
    async () => {
      const all = await service.get<readonly ConnectorView[]>("/v1/connectors");
      return all.length === SITUATIONS.length && all.every((one) => one.status === "streaming" && idle(one));
    },
    "all connectors stream",
    60_000,
  );
}

function idle(connector: ConnectorView): boolean {
  return connector.chunks.length > 0 && connector.chunks.every((chunk) => chunk.state !== "running");
}

async function live(place: Place, service: Service): Promise<void> {
  const { situation, database, topic, mallory, events } = place;
  const [row] = await database.query<{ oid: string }>("SELECT 't'::regclass::oid::text AS oid");
  for (const [before, ddl, after] of COMMANDS) {
    await database.query(situation.transaction({ before, ddl, after, oid: Number(row?.oid), mallory }));
    // Without the trigger, the columns of a row that is read several migrations later may be in doubt.
    const id = Number(/ VALUES \((\d+)|id = (\d+)/.exec(after)?.slice(1).find(Boolean));
    await events.until((sofar) => sofar.some((one) => one.after?.["id"] === id), `${situation.name}: row ${id}`);
  }
  // A release takes effect at the current position of the stream. After this, nothing is in progress.
  await events.until((sofar) => sofar.some(({ op, after }) => op === "u" && after?.["id"] === 8), "the rows are there");
  const ours = async () => (await service.amendments()).filter((one) => one.topic === topic);
  await until(async () => (await ours()).length >= 3, `${situation.name}: the amendments are there`).catch(
    (cause: unknown) => {
      throw new Error(`${situation.name}: ${service.output().slice(-3000)}`, { cause });
    },
  );
  const nick = (await ours()).find((one) => one.field === "nick");
  const outcome = await service.command({ kind: "release", ids: [nick?.id ?? ""], backfill: "all" });
  expect(outcome).toMatchObject({ kind: "done" });
  await until(async () => {
    const all = await service.get<readonly ConnectorView[]>("/v1/connectors");
    return all.every((one) => idle(one));
  }, `${situation.name}: the backfill is done`);
  await database.query(LAST);
  const is99 = (event: { after: Readonly<Record<string, unknown>> | null }) => event.after?.["id"] === 99;
  const all = await events.until((sofar) => sofar.some(is99), `${situation.name}: the last row is there`);
  read.set(situation.name, {
    events: all.map(({ op, key, before, after, source }) => ({ op, key, before, after, snapshot: source["snapshot"] })),
    amendments: await ours(),
    messages: await messagesOf(place),
  });
}

/** How a reader with the secret judges each message in the log. */
async function messagesOf({ database, prefix, secret }: Place): Promise<readonly string[]> {
  const rows = await database.query<{ data: Buffer }>(
    `SELECT data FROM pg_logical_slot_peek_binary_changes($1, NULL, NULL,
       'proto_version', '1', 'publication_names', 'peek', 'messages', 'true')`,
    [`peek_${prefix}`],
  );
  const kinds: string[] = [];
  let xid = 0;
  for (const { data } of rows) {
    const message = decode(data);
    if (message.kind === "begin") xid = message.xid;
    if (message.kind !== "message") continue;
    const ddl = readDdl(message, xid, secret);
    if (ddl !== undefined) kinds.push(ddl.kind);
  }
  return kinds;
}

/** The last row of each key. */
function kept(events: readonly Published[]): readonly (readonly [key: unknown, row: Row | null])[] {
  const rows = new Map(events.map(({ key, after }) => [key?.["id"], after]));
  return [...rows].toSorted(([one], [other]) => Number(one) - Number(other));
}

describe.each(SITUATIONS)("$name", ({ name, message }) => {
  const of = (situation: string) => {
    const found = read.get(situation);
    if (found === undefined) throw new Error(`${situation} was not run`);
    return found;
  };

  test(`the log has messages that are: ${message}`, () => {
    const { messages } = of(name);
    if (message === "none") expect(messages).toEqual([]);
    else {
      expect(new Set(messages)).toEqual(new Set([message]));
      expect(messages.length).toBeGreaterThanOrEqual(COMMANDS.length);
    }
  });

  // After a reported rewrite (the column that became a bigint) the table is read again, which repeats correct rows.
  test("the published changes, and what a consumer keeps of them, equal those of a database without the trigger", () => {
    const { events } = of(name);
    const changes = (all: readonly Published[]) => all.filter(({ snapshot }) => snapshot !== "incremental");
    expect(changes(events).length).toBeGreaterThan(10);
    expect(changes(events)).toEqual(changes(of("off").events));
    expect(kept(events)).toEqual(kept(of("off").events));
  });

  test(`its amendments are the same, and ${message === "trusted" ? "" : "not "}explained`, () => {
    const net = (views: readonly AmendmentView[]) =>
      views.map(({ field, kind, changes, column, gate }) => ({ field, kind, changes, column, gate: gate.kind }));
    const { amendments } = of(name);
    expect(net(amendments)).toEqual(net(of("off").amendments));
    const by = message === "trusted" ? { command: "ALTER TABLE", role: "postgres", time: expect.any(String) } : null;
    expect(amendments.map(({ explained }) => explained)).toEqual(amendments.map(() => by));
  });
});
