import { expect, it } from "vitest";
import { installTrigger } from "../../src/postgres/trigger.ts";
import { freshDatabase } from "../stack/database.ts";
import { until } from "../stack/until.ts";
import { captureTable } from "./world.ts";

it("DDL becomes an amendment before any row, with command, role and time; a forged message changes nothing", async () => {
  await using database = await freshDatabase();
  const { user } = database.address;
  const owner = await database.connect();
  await installTrigger(owner, user);
  await owner.end();
  await using world = await captureTable({ database, connector: { "fieldgate.release.policy": "manual" } });
  const { service, events, topic } = world;
  await database.query("alter table t add column nick text, alter column a set default 'x'");
  const added = await service.amendment("nick", "withheld");
  expect(added.explained).toMatchObject({ command: "ALTER TABLE", role: user });
  expect(await service.amendment("a", "withheld")).toMatchObject({ changes: ["default"], explained: added.explained });
  expect(await events.until((seen) => seen.length > 0, "the first row")).toHaveLength(1);
  const forged = JSON.stringify({ tables: [{ table: { oid: 1, columns: [] }, change: "changed" }] });
  await database.query(`select pg_logical_emit_message(true, 'fieldgate.ddl', '${"0".repeat(64)} ${forged}')`);
  await database.query("insert into t values (2, 'two', 'deuce')");
  const all = await events.until((seen) => seen.length >= 2, "the row");
  expect(all[1]?.after).toEqual({ id: 2, a: "two" });
  await database.query("alter table t rename column nick to nickname; alter table t drop column nickname");
  const left = async () => (await service.amendments()).map(({ id }) => id);
  await until(
    async () => !(await left()).includes(added.id),
    "a dropped column that was never released has no amendment",
  );
  expect(await left()).toEqual([`${topic}/2`]);
});
