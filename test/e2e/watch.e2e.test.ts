import { expect, it } from "vitest";
import { envelopeSchema, keySchema } from "../../src/event/envelope/schema.ts";
import { fieldOf } from "../../src/event/field.ts";
import { readTable } from "../../src/postgres/catalog.ts";
import { connect } from "../../src/postgres/connection.ts";
import { registryClient } from "../../src/registry/client.ts";
import { tableOid } from "../../src/table/column.ts";
import { type Database, freshDatabase } from "../stack/database.ts";
import { servers } from "../stack/servers.ts";
import { until } from "../stack/until.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { firstDay, type Publisher, readEnds } from "./first-day.ts";
import { startService } from "./service.ts";

it("alongside a Debezium it names consumers that would break before the first row, writes nothing, and follows the registry", async () => {
  await using database = await freshDatabase();
  await database.query("create table t (id int primary key, a text)");
  const other = await standIn(database);
  const slots = () =>
    database.query(
      "select slot_name as name, active, confirmed_flush_lsn::text as at from pg_replication_slots where slot_name = $1",
      [other.slot],
    );
  const before = await slots();
  await firstDay(database, other);
  expect(await slots()).toEqual(before);
  expect(await readEnds(other.prefix)).toEqual({});
  const connector = { "slot.name": `${other.prefix}_guard` };
  const options = { database: database.address, prefix: other.prefix, tables: ["public.t"], connector };
  await using guard = await startService(options, false);
  expect(await guard.exited).toBe(1);
  expect(guard.output()).toContain("fieldgate.mode is guard, and connector");
});

it("a table without events waits for its subject; without the trigger, changes are noticed at the first row", async () => {
  await using database = await freshDatabase();
  await database.query("create table t (id int primary key, a text)");
  const other = await standIn(database);
  const connector = { ...other.connectorFile.config, "fieldgate.mode": "watch" };
  const options = { database: database.address, prefix: other.prefix, tables: ["public.t", "public.later"], connector };
  await using service = await startService(options);
  expect(service.output()).toContain("table.include.list: public.later matches no table");
  const table = async () => (await service.connector()).tables[0];
  expect(await table()).toMatchObject({ schemaId: null, fields: ["id", "a"] });
  const topic = `${other.prefix}.public.t`;
  const view = { topic, environment: "default", flowing: [], withheld: [], severity: [] };
  expect(await service.get(`/v1/topics/${topic}`)).toEqual(view);
  await database.query("alter table t add column b int; insert into t values (1, 'one', 1)");
  await other.publish();
  const found = await until(async () => {
    const now = await table();
    return now?.schemaId != null && now.withheld.length === 0 && now.fields.length === 3 ? now : undefined;
  }, "the subject is found");
  expect(found.fields).toEqual(["id", "a", "b"]);
  await database.query("alter table t rename column a to c; insert into t values (2, 'two', 2)");
  expect(await service.amendment("a", "withheld")).toMatchObject({ changes: ["renamed"], explained: null });
  await other.publish();
  await service.amendment("a", "released");
  // The schema stays the same although the field has a new column, so the registry gets no new version.
  await database.query("alter table t drop column b; alter table t add column b int; insert into t values (3, 'x', 3)");
  await service.amendment("b", "withheld");
  await until(async () => (await table())?.withheld.length === 0, "the amendment matches what is already published");
  // Undoing a change makes Debezium register an older version again; the newest version does not change.
  await database.query("alter table t add column d int; insert into t (id) values (4)");
  await other.publish();
  await until(async () => (await table())?.fields.join() === "id,c,b,d", "the column is published");
  await database.query("alter table t drop column d; insert into t (id) values (5)");
  await other.publish();
  await until(async () => (await table())?.fields.join() === "id,c,b", "the column is no longer published");
  expect(await readEnds(other.prefix)).toEqual({});
});

/** A stand-in for Debezium: registers the schemas that it would register with the next row, and ends on a 409. */
async function standIn(database: Database): Promise<Publisher> {
  const prefix = uniquePrefix();
  const topic = `${prefix}.public.t`;
  const registry = registryClient({ urls: [servers.registry.url], auth: undefined, tls: undefined });
  await database.query(`create publication ${prefix} for table t`);
  await database.query("select pg_create_logical_replication_slot($1, 'pgoutput')", [prefix]);
  const [found] = await database.query<{ oid: number }>("select 't'::regclass::oid as oid");
  let end = "running";
  return {
    prefix,
    topic,
    slot: prefix,
    publication: prefix,
    connectorFile: {
      config: { "slot.name": prefix, "publication.name": prefix, "plugin.name": "pgoutput", "snapshot.mode": "always" },
    },
    async publish() {
      const client = await connect(database.address, { applicationName: "a Debezium" });
      const { table } = await readTable(client, tableOid(found?.oid ?? 0));
      await client.end();
      const fields = (table?.columns ?? []).flatMap((column) => {
        const mapped = fieldOf(column);
        return mapped.kind === "field" ? [mapped.field] : [];
      });
      const key = keySchema(topic, fields.slice(0, 1));
      await registry.register(`${topic}-key`, JSON.stringify(key));
      const answer = await registry.register(`${topic}-value`, JSON.stringify(envelopeSchema(topic, fields)));
      if (answer.kind === "refused") end = "exit code 1";
    },
    ended: async () => end,
  };
}
