import { randomBytes } from "node:crypto";
import { Client, type QueryResultRow } from "pg";
import type { PostgresAddress } from "../../local/postgres.ts";
import { servers } from "./servers.ts";
import { until } from "./until.ts";

/** A new database with one open session. Disposing it drops the database and its replication slots. */
export interface Database extends AsyncDisposable {
  readonly address: PostgresAddress;
  /** Returns the rows of the last statement. Several statements without parameters form one implicit transaction. */
  query<Row extends QueryResultRow = QueryResultRow>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** Opens another session. The caller may end it; dropping the database ends it too. */
  connect(): Promise<Client>;
}

async function open(address: PostgresAddress): Promise<Client> {
  const client = new Client(address);
  // Sessions may be lost, by dropping the database or by a fault that a test causes.
  client.on("error", () => {});
  await client.connect();
  return client;
}

async function drop(address: PostgresAddress, name: string): Promise<void> {
  const admin = await open(address);
  try {
    await admin.query("select pg_terminate_backend(active_pid) from pg_replication_slots where database = $1", [name]);
    const left = await admin.query<{ slot: string }>(
      "select slot_name as slot from pg_replication_slots where database = $1",
      [name],
    );
    for (const { slot } of left.rows) await dropSlot(admin, slot);
    await admin.query(`drop database if exists ${name} with (force)`);
  } finally {
    await admin.end();
  }
}

/** Retries, because a walsender that has been terminated still holds its slot for a moment. */
async function dropSlot(admin: Client, slot: string): Promise<void> {
  await until(async () => {
    await admin.query("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1", [
      slot,
    ]);
    return true;
  }, `slot ${slot} is dropped`);
}

/** Creates an empty database, so that each test has its own slots and publications. */
export async function freshDatabase(address: PostgresAddress = servers.postgres): Promise<Database> {
  const name = `test_${randomBytes(5).toString("hex")}`;
  const admin = await open(address);
  await admin.query(`create database ${name}`);
  await admin.end();
  const own = { ...address, database: name };
  const client = await open(own);
  return {
    address: own,
    async query<Row extends QueryResultRow>(sql: string, parameters?: readonly unknown[]) {
      const result = await client.query<Row>(sql, parameters === undefined ? undefined : [...parameters]);
      // Several statements in one text return a list of results.
      const last = Array.isArray(result) ? (result as (typeof result)[]).at(-1) : result;
      return last?.rows ?? [];
    },
    connect: () => open(own),
    async [Symbol.asyncDispose]() {
      await client.end().catch(() => {});
      await drop(address, name);
    },
  };
}
