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

/**
 * The story of a team that keeps its Debezium and lets Fieldgate watch it, played against a real Debezium or against a
 * stand-in that registers the same schemas.
 */

/** Publishes the table `public.t` that Fieldgate watches. */
export interface Publisher {
  readonly prefix: string;
  /** The topic of `public.t`. */
  readonly topic: string;
  readonly slot: string;
  readonly publication: string;
  /** Its connector file; for Fieldgate only `fieldgate.mode` is added. */
  readonly connectorFile: { readonly config: Readonly<Record<string, string>> };
  /** Publishes the rows written since. A real Debezium does so by itself. */
  publish(): Promise<void>;
  /** How it ended, e.g. `exit code 1`. */
  ended(): Promise<string>;
}

const BILLING = { consumer: "billing", decodesWith: "writer", unknownFields: "reject", owner: "@team-billing" };

/**
 * Needs the table `t (id int primary key, a text)` in its own database. The publisher must exclude the DDL trigger's
 * messages from its events with message.prefix.exclude.list.
 */
export async function firstDay(database: Database, other: Publisher): Promise<void> {
  const owner = await database.connect();
  await installTrigger(owner, database.address.user);
  await owner.end();
  await writeRow(database, other, "insert into t values (1, 'one')");
  await using slack = await startFakeSlack();
  const titles = () => slack.payloads.map(({ text }) => text);
  const alerted = (title: RegExp) =>
    until(
      () => slack.payloads.find(({ text }) => title.test(text)),
      `there is an alert ${title}; so far: ${titles().join("; ")}`,
    );
  const options: ServiceOptions = {
    database: database.address,
    prefix: other.prefix,
    tables: ["public.t"],
    connector: { ...other.connectorFile.config, "fieldgate.mode": "watch" },
    env: { FIELDGATE_SLACK_WEBHOOK_URL: slack.url },
  };
  const log = await createLogSlot(database, other);
  const { topic } = other;
  await until(async () => (await countVersions(topic)) === 1, "the first row is published");
  const before = await publisherState(database, other);
  {
    await using service = await startService(options);
    const connector = await until(async () => {
      const now = await service.connector();
      return now.status === "streaming" && now.tables[0]?.schemaId != null ? now : undefined;
    }, "the subject was read");
    expect(connector).toMatchObject({ mode: "watch", chunks: [] });
    await service.publishContract({ ...BILLING, topic, fields: ["id", "a"] });
    const planned = await cli(service, ["plan", "-"], "alter table public.t add column nick text;");
    expect([planned.code, planned.out]).toEqual([100, expect.stringContaining("billing (default): not ready")]);
    expect(planned.out).not.toMatch(/withheld|continue to flow|release/);
    await database.query("alter table t add column nick text");
    const { id, verdicts, explained, meanwhile, next } = await untilJudged(service, "nick");
    expect(verdicts).toMatchObject([{ consumer: "billing", verdict: "not-ready" }]);
    expect(explained).toMatchObject({ command: "ALTER TABLE" });
    expect(meanwhile).toBe("Events lack the field until Debezium publishes the next row.");
    expect(next).toContain("fieldgate publish");
    const asked = await cli(service, ["can-i-release", `${topic}.nick`]);
    expect([asked.code, asked.out]).toEqual([100, expect.stringMatching(/^no: nick .*billing; Debezium publishes it/)]);
    expect(await service.command({ kind: "release", ids: [id] })).toMatchObject({ kind: "refused" });
    const { blocks } = await alerted(/Debezium publishes next: .*nick$/);
    expect(JSON.stringify(blocks)).toMatch(/team-billing.*\*billing\* \(default\): .*nick/);
    expect(await countVersions(topic)).toBe(1);
    expect(await publisherState(database, other)).toEqual(before);
  }
  await using service = await startService(options);
  const next = await untilJudged(service, "nick");
  expect(next).toMatchObject({ verdicts: [{ consumer: "billing" }] });
  await writeRow(database, other, "insert into t values (2, 'two', 'deuce')");
  const published = await service.amendment("nick", "released");
  expect(published.gate.why).toMatch(/^schema \d+ of .*-value contains it$/);
  expect(JSON.parse(await latestSchema(topic))).toEqual(JSON.parse(next.candidate?.schema ?? ""));
  expect((await service.connector()).tables[0]).toMatchObject({ fields: ["id", "a", "nick"], withheld: [] });
  expect(JSON.stringify(await alerted(/Published: .*nick$/))).toContain("*billing* (default)");
  await database.query("truncate t; alter table t add column level int not null");
  const fatal = await until(async () => {
    const amendment = await service.amendment("level", "withheld");
    return amendment.gate.why.startsWith("Debezium's task will stop") ? amendment : undefined;
  }, "the registry's answer is known");
  expect(fatal.gate.why).toMatch(/^Debezium's task will stop at the first row: the registry rejected the schema: /);
  expect((await cli(service, ["can-i-release", fatal.id])).code).toBe(100);
  await alerted(/🔴 Debezium's task will stop: .*level$/);
  await writeRow(database, other, "insert into t values (3, 'three', null, 3)");
  expect(await other.ended()).toBe("exit code 1");
  expect(await countVersions(topic)).toBe(2);
  expect(await publisherState(database, other)).toEqual(before);
  expect(await countMessages(database, other, log)).toBe(0);
  expect(service.output()).not.toMatch(/registered|"level":50/);
}

/** In watch mode rows do not wait for verdicts, so these follow a moment after the amendment. */
function untilJudged(service: Service, field: string): Promise<AmendmentView> {
  return until(async () => {
    const amendment = await service.amendment(field, "withheld");
    return amendment.verdicts.length === 0 ? undefined : amendment;
  }, `${field} is judged`);
}

async function writeRow(database: Database, other: Publisher, sql: string): Promise<void> {
  await database.query(sql);
  await other.publish();
}

/** Its slot without the position, its publication, its subjects and their levels. */
async function publisherState(database: Database, { prefix, slot, publication }: Publisher): Promise<unknown> {
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

/** Creates a slot that is never read, to see what is in the log from this position. */
async function createLogSlot(database: Database, { slot }: Publisher): Promise<string> {
  const name = `${slot}_log`;
  await database.query("select pg_create_logical_replication_slot($1, 'pgoutput')", [name]);
  return name;
}

/** The number of logical messages except the trigger's. Debezium would publish them if its file did not exclude them. */
async function countMessages(database: Database, { publication }: Publisher, slot: string): Promise<number> {
  const rows = await database.query(
    `select from pg_logical_slot_peek_binary_changes($1, null, null, 'proto_version', '1', 'publication_names', $2,
       'messages', 'true')
      where get_byte(data, 0) = ascii('M') and position('fieldgate.ddl'::bytea in data) = 0`,
    [slot, publication],
  );
  return rows.length;
}

/** The sum of the end offsets of each topic with this prefix. The end of a transaction counts as one offset too. */
export async function readEnds(prefix: string): Promise<Readonly<Record<string, number>>> {
  const admin = kafkaClient().admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${prefix}.`));
  const offsets = await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)));
  await admin.disconnect();
  const sums = offsets.map((partitions) => partitions.reduce((sum, { high }) => sum + Number(high), 0));
  return Object.fromEntries(topics.map((topic, index) => [topic, sums[index] ?? 0]));
}

async function countVersions(topic: string): Promise<number> {
  return ((await registryGet(`/subjects/${topic}-value/versions`)) as readonly number[]).length; // the registry's answer
}

async function latestSchema(topic: string): Promise<string> {
  return ((await registryGet(`/subjects/${topic}-value/versions/latest`)) as { schema: string }).schema; // its answer
}

async function registryGet(path: string): Promise<unknown> {
  return (await fetch(`${servers.registry.url}${path}`)).json();
}

function cli({ url, token }: Service, args: readonly string[], input?: string) {
  return runCli(args, { env: { FIELDGATE_URL: url, FIELDGATE_TOKEN: token }, input });
}
