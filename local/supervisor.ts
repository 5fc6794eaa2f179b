import { type ChildProcess, fork } from "node:child_process";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Launch, Report } from "./supervise.ts";

/**
 * This process's side of the supervisor (supervise.ts): starts servers that end with this process, however it ends, and
 * waits until they are ready.
 */

/** One process under the supervisor. `exited` resolves (never rejects) with how it ended: a signal or an exit code. */
export interface Server {
  readonly name: string;
  readonly pid: number;
  readonly log: string;
  readonly exited: Promise<string>;
}

/** Starts processes that end with this one. Their `folder` is removed after that. */
export interface Supervisor extends AsyncDisposable {
  readonly folder: string;
  launch(name: string, order: Omit<Launch, "log">): Promise<Server>;
}

/** A prepared part of the stack. `start` returns once the server answers, and may be called again after the server ended. */
export interface Prepared<Address> {
  readonly address: Address;
  start(): Promise<Server>;
}

interface Waiting {
  readonly started: (pid: number) => void;
  readonly refused: (error: Error) => void;
  readonly exited: (how: string) => void;
}

function deliver(waiting: ReadonlyMap<number, Waiting>, pids: Set<number>, report: Report, pid?: number): void {
  const entry = waiting.get(report.id);
  switch (report.kind) {
    case "started":
      pids.add(report.pid);
      return entry?.started(report.pid);
    case "refused":
      return entry?.refused(new Error(report.message));
    case "exited":
      if (pid !== undefined) pids.delete(pid);
      return entry?.exited(report.how);
    default:
      report satisfies never;
  }
}

/** If the supervisor itself is killed, this process does its work. */
function standIn(child: ChildProcess, pids: ReadonlySet<number>, folder: string): void {
  child.once("exit", () => {
    for (const pid of pids) {
      try {
        process.kill(-pid, "SIGKILL");
      } catch {
        // Already gone.
      }
    }
    void rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }).catch(() => {});
  });
}

export async function startSupervisor(): Promise<Supervisor> {
  const folder = await mkdtemp(join(tmpdir(), "fieldgate-stack-"));
  // PostgreSQL refuses to run as root, so a different user must be able to enter the folder.
  await chmod(folder, 0o711);
  const child = fork(join(import.meta.dirname, "supervise.ts"), [folder], {
    detached: true,
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const waiting = new Map<number, Waiting>();
  const pids = new Set<number>();
  const pidOf = new Map<number, number>();
  child.on("message", (message) => {
    const report = message as Report; // only supervise.ts writes to this channel
    if (report.kind === "started") pidOf.set(report.id, report.pid);
    deliver(waiting, pids, report, pidOf.get(report.id));
  });
  standIn(child, pids, folder);
  let count = 0;
  return {
    folder,
    async launch(name, order) {
      const id = ++count;
      const log = join(folder, `${name}.log`);
      const exit = Promise.withResolvers<string>();
      const pid = await new Promise<number>((started, refused) => {
        waiting.set(id, { started, refused, exited: exit.resolve });
        child.send({ id, order: { ...order, log } });
      });
      return { name, pid, log, exited: exit.promise };
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await gone;
    },
  };
}

async function tail(log: string): Promise<string> {
  const text = await readFile(log, "utf8").catch(() => "");
  return text.split("\n").slice(-25).join("\n");
}

/** Runs a command to its end. If it does not exit with 0, throws an error with the end of its log. */
export async function runToEnd(supervisor: Supervisor, name: string, order: Omit<Launch, "log">): Promise<void> {
  const server = await supervisor.launch(name, order);
  const how = await server.exited;
  if (how !== "exit code 0") throw new Error(`${name} ended with ${how}:\n${await tail(server.log)}`);
}

/**
 * Waits until `probe` resolves. If the server ends first or does not answer within 120 s, throws an error with the end
 * of its log.
 */
export async function untilReady(server: Server, probe: () => Promise<unknown>): Promise<void> {
  let ended: string | undefined;
  void server.exited.then((how) => (ended = how));
  const deadline = performance.now() + 120_000;
  for (;;) {
    try {
      await probe();
      return;
    } catch (error) {
      const why = ended ?? (performance.now() > deadline ? "no answer in 120 s" : undefined);
      if (why !== undefined) {
        throw new Error(`${server.name} did not start (${why}):\n${await tail(server.log)}`, { cause: error });
      }
    }
    await sleep(50);
  }
}
