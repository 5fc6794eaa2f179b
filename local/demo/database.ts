import { setTimeout as sleep } from "node:timers/promises";
import { Client, type QueryResultRow } from "pg";
import type { PostgresAddress } from "../postgres.ts";

/** A new database with one session. Disposing it drops the database and its replication slots. */
export interface Database extends AsyncDisposable {
  readonly address: PostgresAddress;
  readonly url: string;
  query<Row extends QueryResultRow = QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

async function open(address: PostgresAddress): Promise<Client> {
  const client = new Client(address);
  // The connection may be lost when the demo ends.
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** Retries, because a walsender that has been terminated still holds its slot for a moment. */
async function dropSlots(admin: Client, database: string): Promise<void> {
  const slots = "pg_replication_slots where database = $1";
  await admin.query(`select pg_terminate_backend(active_pid) from ${slots}`, [database]);
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const dropped = await admin.query(`select pg_drop_replication_slot(slot_name) from ${slots}`, [database]).then(
      () => true,
      () => false,
    );
    if (dropped) return;
    await sleep(100);
  }
}

export async function createDatabase(server: PostgresAddress, name: string): Promise<Database> {
  const admin = await open(server);
  await admin.query(`create database ${name}`);
  const address = { ...server, database: name };
  const client = await open(address);
  return {
    address,
    url: `postgres://${server.user}:${server.password}@${server.host}:${server.port}/${name}`,
    async query<Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []) {
      return (await client.query<Row>(sql, [...values])).rows;
    },
    async [Symbol.asyncDispose]() {
      await client.end().catch(() => {});
      await dropSlots(admin, name);
      await admin.query(`drop database if exists ${name} with (force)`);
      await admin.end();
    },
  };
}
