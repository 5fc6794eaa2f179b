import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AmendmentView } from "../../src/api/amendment.ts";
import type { ConnectorView, Health } from "../../src/api/api.ts";
import type { OutcomeText } from "../../src/words/reason.ts";
import { freePort } from "../../local/ports.ts";
import type { PostgresAddress } from "../../local/postgres.ts";
import { COMPILED } from "../cli/run-cli.ts";
import { servers } from "../stack/servers.ts";
import { until } from "../stack/until.ts";

/**
 * Starts the real service for end-to-end tests and talks to it through its HTTP API.
 */

const CLI = join(import.meta.dirname, "../../src/cli.ts");
const TOKEN = "token-of-the-tests";

export interface ServiceOptions {
  readonly database: PostgresAddress;
  /** The name of the connector, its topic prefix and its deployment. */
  readonly prefix: string;
  readonly tables: readonly string[];
  /** Additional keys in the connector file. */
  readonly connector?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly registryUrl?: string;
  readonly kafkaBrokers?: readonly string[];
}

/** The real service in its own process. */
export interface Service extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  /** Its output so far, stdout and stderr. */
  output(): string;
  /** Waits until its output matches, because what it prints may arrive after what its API answers; returns the match. */
  said(text: RegExp): Promise<string>;
  get<T>(path: string): Promise<T>;
  send(method: "POST" | "PUT", path: string, body: unknown): Promise<{ status: number; body: unknown }>;
  amendments(): Promise<readonly AmendmentView[]>;
  /** Waits until an amendment of this field has this gate, and returns it. */
  amendment(field: string, gate: "withheld" | "released", deadline?: number): Promise<AmendmentView>;
  connector(): Promise<ConnectorView>;
  /** Waits until the connector streams: it shows so after readers may see what it has committed. */
  streams(): Promise<void>;
  /** Waits until no snapshot or backfill is running. */
  idle(deadline?: number): Promise<void>;
  publishContract(contract: Readonly<Record<string, unknown>>): Promise<void>;
  command(command: Readonly<Record<string, unknown>>): Promise<OutcomeText>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves to its exit code, or null if it was killed. */
  readonly exited: Promise<number | null>;
}

/** Starts the service and waits until it streams; with `started: false` it returns at once. */
export async function startService(options: ServiceOptions, started = true): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), "fieldgate-e2e-"));
  await writeFile(join(folder, `${options.prefix}.json`), JSON.stringify(connectorFile(options)));
  const port = await freePort();
  const child = spawn(process.execPath, [CLI, "run"], {
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILED, ...environment(options, folder, port) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const service = wrapProcess(child, `http://127.0.0.1:${port}`, folder);
  if (started) await untilReady(service);
  return service;
}

async function untilReady(service: Service): Promise<void> {
  let code: number | null | undefined;
  void service.exited.then((value) => (code = value));
  await until(
    async () => {
      if (code !== undefined) return true;
      return isRead(await service.get<Health>("/health"));
    },
    "the service streams",
    120_000,
  ).catch((cause: unknown) => {
    throw new Error(`the service does not stream: ${service.output()}`, { cause });
  });
  if (code !== undefined) throw new Error(`the service ended with ${code}: ${service.output()}`);
}

/** Whether the connectors have read their states, or have given up. */
export function isRead({ status }: Health): boolean {
  return status === "ok" || status === "stopped";
}

function connectorFile(options: ServiceOptions): object {
  const { database, prefix, tables } = options;
  // However slow the registry is, a column that nobody opposes is in its first row. A registry that fails is not waited for.
  const patient = options.registryUrl === undefined ? { "fieldgate.judge.timeout.ms": "60000" } : {};
  return {
    ...patient,
    "database.hostname": database.host,
    "database.port": String(database.port),
    "database.user": database.user,
    "database.password": "${env:TEST_PG_PASSWORD}",
    "database.dbname": database.database,
    "topic.prefix": prefix,
    "table.include.list": tables.join(","),
    ...options.connector,
  };
}

function environment(options: ServiceOptions, folder: string, port: number): Record<string, string> {
  return {
    FIELDGATE_KAFKA_BROKERS: (options.kafkaBrokers ?? servers.kafka.brokers).join(","),
    FIELDGATE_REGISTRY_URL: options.registryUrl ?? servers.registry.url,
    FIELDGATE_DEPLOYMENT: options.prefix,
    FIELDGATE_CONNECTORS: folder,
    FIELDGATE_HTTP_PORT: String(port),
    FIELDGATE_TOKEN: TOKEN,
    FIELDGATE_LOG_LEVEL: "info",
    TEST_PG_PASSWORD: options.database.password,
    ...options.env,
  };
}

function wrapProcess(child: ChildProcess, url: string, folder: string): Service {
  let printed = "";
  child.stdout?.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(`${url}${path}`, { headers });
    if (!response.ok && path !== "/health") throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T; // the test names the type of the path
  };
  const send = async (method: "POST" | "PUT", path: string, body: unknown) => {
    const response = await fetch(`${url}${path}`, { method, headers, body: JSON.stringify(body) });
    return { status: response.status, body: await response.json() };
  };
  const connector = async (): Promise<ConnectorView> => {
    const [view] = await get<readonly ConnectorView[]>("/v1/connectors");
    if (view === undefined) throw new Error("no connector");
    return view;
  };
  const amendments = () => get<readonly AmendmentView[]>("/v1/amendments");
  const service: Service = {
    url,
    token: TOKEN,
    pid: child.pid ?? 0,
    output: () => printed,
    said: (text) =>
      until(() => text.exec(printed)?.[0], `the service prints ${String(text)}`).catch((cause: unknown) => {
        throw new Error(printed.slice(-4000), { cause });
      }),
    get,
    send,
    amendments,
    connector,
    async streams() {
      await until(async () => (await connector()).status === "streaming", "the connector streams");
    },
    exited,
    async amendment(field, gate, deadline) {
      const find = async () => (await amendments()).find((one) => one.field === field && one.gate.kind === gate);
      return until(find, `amendment ${field} is ${gate}`, deadline).catch(async (cause: unknown) => {
        throw new Error(`${field} is not ${gate}: ${printed.slice(-4000)}`, { cause });
      });
    },
    async idle(deadline) {
      await until(
        async () => (await connector()).chunks.every((chunk) => chunk.state !== "running"),
        "snapshots and backfills are done",
        deadline,
      );
    },
    async publishContract(contract) {
      const answer = await send("POST", "/v1/contracts", { version: 1, environment: "default", ...contract });
      if (answer.status >= 300) throw new Error(`contract: ${JSON.stringify(answer)}`);
    },
    async command(command) {
      const answer = await send("POST", "/v1/commands", { actor: "test", ...command });
      const { id } = answer.body as { id?: string }; // checked on the next line
      if (id === undefined) throw new Error(`command: ${JSON.stringify(answer)}`);
      return until(async () => {
        const outcome = await get<OutcomeText>(`/v1/commands/${id}`);
        return outcome.kind === "pending" ? undefined : outcome;
      }, "the command has an outcome");
    },
    kill: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await exited;
      clearTimeout(timer);
      await rm(folder, { recursive: true, force: true });
    },
  };
  return service;
}
