import { expect } from "vitest";
import { installTrigger } from "../../src/postgres/trigger.ts";
import type { AmendmentView } from "../../src/http/amendment-view.ts";
import { runCli } from "../cli/run-cli.ts";
import { startFakeSlack } from "../slack/fake-slack.ts";
import type { Database } from "../stack/database.ts";
import { servers } from "../stack/servers.ts";
import { until } from "../stack/until.ts";
import { type Service, type ServiceOptions, startService } from "./service.ts";

/** Who publishes a table `public.t` that Fieldgate watches: a real Debezium, or what registers as it would. */
export interface Publisher {
  readonly prefix: string;
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
  const before = await theirs(database, other);
  const topic = `${other.prefix}.public.t`;
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
  expect(await judged(service, "nick")).toMatchObject({ verdicts: [{ consumer: "billing" }] });
  await row(database, other, "insert into t values (2, 'two', 'deuce')");
  const published = await service.amendment("nick", "released");
  expect(published.gate.why).toMatch(/^schema \d+ of .*-value carries it$/);
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

/** Its slot but for how far it has read, its publication, and that Fieldgate has its own. */
async function theirs(database: Database, { slot, publication }: Publisher): Promise<unknown> {
  return [
    await database.query("select slot_name, plugin from pg_replication_slots where slot_name = $1", [slot]),
    await database.query("select * from pg_publication where pubname = $1", [publication]),
    await database.query("select schemaname, tablename from pg_publication_tables where pubname = $1", [publication]),
  ];
}

async function versions(topic: string): Promise<number> {
  const response = await fetch(`${servers.registry.url}/subjects/${topic}-value/versions`);
  return ((await response.json()) as readonly number[]).length; // the registry's answer
}

function cli({ url, token }: Service, args: readonly string[], input?: string) {
  return runCli(args, { env: { FIELDGATE_URL: url, FIELDGATE_TOKEN: token }, input });
}
