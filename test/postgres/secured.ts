import { chmod, chown, copyFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { createPostgres, type PostgresAddress } from "../../local/postgres.ts";
import { startSupervisor } from "../../local/supervisor.ts";
import type { PostgresOptions } from "../../src/postgres/connection.ts";
import { type Authority, certificateAuthority } from "../stack/certificates.ts";

/** A separate PostgreSQL server that accepts these roles only with TLS, and `plain` only without. */
export interface SecuredPostgres extends AsyncDisposable {
  /** The superuser, who may connect without TLS. */
  readonly admin: PostgresAddress;
  readonly authority: Authority;
  /** For role `secure` (password), `certified` (client certificate) or `plain` (password, never TLS). */
  options(role: "secure" | "certified" | "plain", host?: string): PostgresOptions;
}

const PASSWORD = "pässword";
const HBA = `
hostssl all secure all scram-sha-256
hostssl all certified all cert
hostnossl all plain all scram-sha-256
host all postgres all scram-sha-256
`;

/** `hosts` are the names in the server's certificate. */
export async function securedPostgres(hosts: readonly string[]): Promise<SecuredPostgres> {
  await using stack = new AsyncDisposableStack();
  const authority = stack.use(await certificateAuthority());
  const server = await authority.issue("server", { hosts });
  // Never one of the servers in FIELDGATE_STACK, because this test changes the server's settings.
  const prepared = await createPostgres(stack.use(await startSupervisor()), []);
  await prepared.start();
  const admin = prepared.address;
  const client = new Client(admin);
  await client.connect();
  try {
    await secure(client, [
      [server.certFile, "server.crt"],
      [server.keyFile, "server.key"],
      [authority.caFile, "clients.crt"],
    ]);
  } finally {
    await client.end();
  }
  const open = stack.move();
  return {
    admin,
    authority,
    options: (role, host = admin.host) => ({
      host,
      port: admin.port,
      user: role,
      password: role === "certified" ? undefined : PASSWORD,
      database: admin.database,
    }),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

async function secure(client: Client, files: readonly (readonly [from: string, to: string])[]): Promise<void> {
  for (const role of ["secure", "certified", "plain"]) {
    await client.query(`CREATE ROLE ${role} LOGIN REPLICATION PASSWORD '${PASSWORD}'`);
  }
  const { rows } = await client.query<{ data: string; hba: string }>(
    "SELECT current_setting('data_directory') AS data, current_setting('hba_file') AS hba",
  );
  const [{ data, hba } = { data: "", hba: "" }] = rows;
  const { uid, gid } = await stat(hba);
  for (const [from, to] of files) {
    const path = join(data, to);
    await copyFile(from, path);
    await chown(path, uid, gid);
    await chmod(path, 0o600);
  }
  await writeFile(hba, HBA);
  await client.query("ALTER SYSTEM SET ssl_ca_file = 'clients.crt'");
  await client.query("ALTER SYSTEM SET ssl = on");
  await client.query("SELECT pg_reload_conf()");
}
