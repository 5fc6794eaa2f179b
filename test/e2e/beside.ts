import { expect } from "vitest";
import { installTrigger } from "../../src/postgres/trigger.ts";
import type { AmendmentView } from "../../src/api/amendment.ts";
import { runCli } from "../cli/run-cli.ts";
import { startFakeSlack } from "../slack/fake-slack.ts";
import type { Database } from "../stack/database.ts";
import { servers } from "../stack/servers.ts";
import { kafkaClient } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { type Service, type ServiceOptions, startService } from "./service.ts";

/** Who publishes a table `public.t` that Fieldgate watches: a real Debezium, or what registers as it would. */
export interface Publisher {
  readonly prefix: string;
  /** The table's. */
  readonly topic: string;
  readonly slot: string;
  readonly publication: string;
  /** Its own file: what watching adds is `fieldgate.mode` alone. */
  readonly connectorFile: { readonly config: Readonly<Record<string, string>> };
  /** Rows were written: publishes them. A real one does so by itself. */
  publish(): Promise<void>;
  /** How it ended by itself. */
  ended(): Promise<string>;
}

const BILLING = { consumer: "billing", decodesWith: "writer", unknownFields: "reject", owner: "@team-billing" };

/**
 * The first day of a team that keeps its Debezium, on `t (id int primary key, a text)` in a database of its own. A
 * message of the DDL trigger must not be an event of the publisher's: message.prefix.exclude.list.
 */
export async function firstDay(database: Database, other: Publisher): Promise<void> {
  const owner = await database.connect();
  await installTrigger(owner, database.address.user);
  await owner.end();
  await row(database, other, "insert into t values (1, 'one')");
  await using slack = await startFakeSlack();
  const titles = () => slack.payloads.map(({ text }) => text);
  const told = (title: RegExp) =>
    until(() => slack.payloads.find(({ text }) => title.test(text)), `${title} is told, of ${titles().join("; ")}`);
  const options: ServiceOptions = {
    database: database.address,
    prefix: other.prefix,
    tables: ["public.t"],
    connector: { ...other.connectorFile.config, "fieldgate.mode": "watch" },
    env: { FIELDGATE_SLACK_WEBHOOK_URL: slack.url },
  };
  const log = await ownSlot(database, other);
  const { topic } = other;
  await until(async () => (await versions(topic)) === 1, "the first row is published");
  const before = await theirs(database, other);
  {
    await using service = await startService(options);
    await until(async () => (await service.connector()).tables[0]?.schemaId != null, "the subject is followed");
    expect(await service.connector()).toMatchObject({ mode: "watch", status: "streaming", chunks: [] });
    await service.publishContract({ ...BILLING, topic, fields: ["id", "a"] });
    const planned = await cli(service, ["plan", "-"], "alter table public.t add column nick text;");
    expect([planned.code, planned.out]).toEqual([100, expect.stringContaining("billing (default): not ready")]);
    expect(planned.out).not.toMatch(/withheld|rows flow on|release/);
    await database.query("alter table t add column nick text");
    const { id, verdicts, explained, meanwhile, next } = await judged(service, "nick");
    expect(verdicts).toMatchObject([{ consumer: "billing", verdict: "not-ready" }]);
    expect(explained).toMatchObject({ command: "ALTER TABLE" });
    expect(meanwhile).toBe("Events come without the field until Debezium publishes the next row.");
    expect(next).toContain("fieldgate publish");
    const asked = await cli(service, ["can-i-release", `${topic}.nick`]);
    expect([asked.code, asked.out]).toEqual([100, expect.stringMatching(/^no: nick .*billing; Debezium publishes it/)]);
    expect(await service.command({ kind: "release", ids: [id] })).toMatchObject({ kind: "refused" });
    const { blocks } = await told(/Debezium publishes next: .*nick$/);
    expect(JSON.stringify(blocks)).toMatch(/team-billing.*\*billing\* \(default\): .*nick/);
    expect(await versions(topic)).toBe(1);
    expect(await theirs(database, other)).toEqual(before);
  }
  await using service = await startService(options);
  const next = await judged(service, "nick");
  expect(next).toMatchObject({ verdicts: [{ consumer: "billing" }] });
  await row(database, other, "insert into t values (2, 'two', 'deuce')");
  const published = await service.amendment("nick", "released");
  expect(published.gate.why).toMatch(/^schema \d+ of .*-value carries it$/);
  expect(JSON.parse(await latest(topic))).toEqual(JSON.parse(next.candidate?.schema ?? ""));
  expect((await service.connector()).tables[0]).toMatchObject({ fields: ["id", "a", "nick"], withheld: [] });
  expect(JSON.stringify(await told(/Published: .*nick$/))).toContain("*billing* (default)");
  await database.query("truncate t; alter table t add column level int not null");
  const fatal = await judged(service, "level");
  expect(fatal.gate.why).toMatch(/^Debezium's task stops at the first row: the registry refuses the schema: /);
  expect((await cli(service, ["can-i-release", fatal.id])).code).toBe(100);
  await told(/🔴 Debezium's task will stop: .*level$/);
  await row(database, other, "insert into t values (3, 'three', null, 3)");
  expect(await other.ended()).toBe("exit code 1");
  expect(await versions(topic)).toBe(2);
  expect(await theirs(database, other)).toEqual(before);
  expect(await messages(database, other, log)).toBe(0);
  expect(service.output()).not.toMatch(/registered|"level":50/);
}

/** Nothing waits for a verdict here: it comes a moment after the amendment. */
function judged(service: Service, field: string): Promise<AmendmentView> {
  return until(async () => {
    const amendment = await service.amendment(field, "withheld");
    return amendment.verdicts.length === 0 ? undefined : amendment;
  }, `${field} is judged`);
}

async function row(database: Database, other: Publisher, sql: string): Promise<void> {
  await database.query(sql);
  await other.publish();
}

/** Its slot but for how far it has read, its publication, its subjects and what their levels are. */
async function theirs(database: Database, { prefix, slot, publication }: Publisher): Promise<unknown> {
  const subjects = (await registryGet("/subjects")) as readonly string[]; // the registry's answer
  const own = subjects.filter((subject) => subject.startsWith(`${prefix}.`)).sort();
  return [
    own,
    await Promise.all(own.map((subject) => registryGet(`/config/${subject}`))),
    await database.query("select slot_name, plugin from pg_replication_slots where slot_name = $1", [slot]),
    await database.query("select * from pg_publication where pubname = $1", [publication]),
    await database.query("select schemaname, tablename from pg_publication_tables where pubname = $1", [publication]),
  ];
}

/** A slot that nobody reads: what is in the log from here on. */
async function ownSlot(database: Database, { slot }: Publisher): Promise<string> {
  const name = `${slot}_log`;
  await database.query("select pg_create_logical_replication_slot($1, 'pgoutput')", [name]);
  return name;
}

/** Logical messages but the trigger's: what Debezium would publish if its file did not keep them out. */
async function messages(database: Database, { publication }: Publisher, slot: string): Promise<number> {
  const rows = await database.query(
    `select from pg_logical_slot_peek_binary_changes($1, null, null, 'proto_version', '1', 'publication_names', $2,
       'messages', 'true')
      where get_byte(data, 0) = ascii('M') and position('fieldgate.ddl'::bytea in data) = 0`,
    [slot, publication],
  );
  return rows.length;
}

/** How far the topics of a prefix go, by topic: as many records as it has, and a transaction's end is one more. */
export async function ends(prefix: string): Promise<Readonly<Record<string, number>>> {
  const admin = kafkaClient().admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${prefix}.`));
  const offsets = await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)));
  await admin.disconnect();
  const sums = offsets.map((partitions) => partitions.reduce((sum, { high }) => sum + Number(high), 0));
  return Object.fromEntries(topics.map((topic, index) => [topic, sums[index] ?? 0]));
}

async function versions(topic: string): Promise<number> {
  return ((await registryGet(`/subjects/${topic}-value/versions`)) as readonly number[]).length; // the registry's answer
}

async function latest(topic: string): Promise<string> {
  return ((await registryGet(`/subjects/${topic}-value/versions/latest`)) as { schema: string }).schema; // its answer
}

async function registryGet(path: string): Promise<unknown> {
  return (await fetch(`${servers.registry.url}${path}`)).json();
}

function cli({ url, token }: Service, args: readonly string[], input?: string) {
  return runCli(args, { env: { FIELDGATE_URL: url, FIELDGATE_TOKEN: token }, input });
}
