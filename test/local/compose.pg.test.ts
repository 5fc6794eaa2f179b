import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { expect, test } from "vitest";
import { startStack } from "../../local/stack.ts";

test("in the database of docker-compose.yml, the role fieldgate may publish its tables", async () => {
  // A separate server, because roles belong to the whole server.
  await using stack = await startStack({ kafka: false, registry: false });
  const admin = new Client(stack.postgres);
  await admin.connect();
  await admin.query("create database inventory");
  await admin.end();
  const sql = await readFile(join(import.meta.dirname, "../../local/compose/inventory.sql"), "utf8");
  const owner = new Client({ ...stack.postgres, database: "inventory" });
  await owner.connect();
  // What psql does with the two lines that only it understands.
  await owner.query(sql.replace(/^\\getenv.*$/m, "").replace(":'password'", "'secret'"));
  await owner.end();
  const role = new Client({ ...stack.postgres, user: "fieldgate", password: "secret", database: "inventory" });
  await role.connect();
  await role.query("create publication p for table customers, orders");
  await role.query("select pg_create_logical_replication_slot('s', 'pgoutput')");
  expect((await role.query("select count(*)::int as n from customers")).rows).toStrictEqual([{ n: 2 }]);
  await role.end();
});
