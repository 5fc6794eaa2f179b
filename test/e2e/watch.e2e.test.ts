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
import { ends, firstDay, type Publisher } from "./beside.ts";
import { startService } from "./service.ts";

it("beside a Debezium: who would break is named before the first row, nothing is written, what it registers is followed", async () => {
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
  expect(await ends(other.prefix)).toEqual({});
  const connector = { "slot.name": `${other.prefix}_guard` };
  const options = { database: database.address, prefix: other.prefix, tables: ["public.t"], connector };
  await using guard = await startService(options, false);
  expect(await guard.exited).toBe(1);
  expect(guard.output()).toContain("fieldgate.mode is guard, and connector");
});

it("a table that nothing is published of waits for its subject; without the trigger its first row tells", async () => {
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
  expect(await service.get(`/v1/topics/${topic}`)).toEqual({ topic, flowing: [], withheld: [], severity: [] });
  await database.query("alter table t add column b int; insert into t values (1, 'one', 1)");
  await other.publish();
  await until(async () => (await table())?.schemaId !== null, "the subject is found");
  expect(await table()).toMatchObject({ fields: ["id", "a", "b"], withheld: [] });
  await database.query("alter table t rename column a to c; insert into t values (2, 'two', 2)");
  expect(await service.amendment("a", "withheld")).toMatchObject({ changes: ["renamed"], explained: null });
  await other.publish();
  await service.amendment("a", "released");
  // The registry has no new version of it: the field's column is another.
  await database.query("alter table t drop column b; alter table t add column b int; insert into t values (3, 'x', 3)");
  await service.amendment("b", "withheld");
  await until(async () => (await table())?.withheld.length === 0, "it is what is published already");
  // Undone: what Debezium registers then is an older version, and the newest one stays.
  await database.query("alter table t add column d int; insert into t (id) values (4)");
  await other.publish();
  await until(async () => (await table())?.fields.join() === "id,c,b,d", "the column is published");
  await database.query("alter table t drop column d; insert into t (id) values (5)");
  await other.publish();
  await until(async () => (await table())?.fields.join() === "id,c,b", "it is published without the column");
  expect(await ends(other.prefix)).toEqual({});
});

/** Registers what a Debezium would with the next row of `t`, from the catalog as it does; 409 ends it. */
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
