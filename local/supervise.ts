/**
 * The process between the one that starts a stack and the stack's servers. It starts the servers. When the channel to
 * its parent closes for any reason (normal end, Ctrl-C, kill -9), it ends them and removes their folder.
 * Run as `node supervise.ts FOLDER` with an IPC channel. It has its own process group, so that Ctrl-C in the terminal
 * reaches only the parent.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { rm } from "node:fs/promises";

/** `log` is the file for stdout and stderr. `stop` is the signal to end with: SIGKILL if the process's files do not matter. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly log: string;
  readonly stop: NodeJS.Signals;
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

export type Report =
  | { readonly kind: "started"; readonly id: number; readonly pid: number }
  | { readonly kind: "refused"; readonly id: number; readonly message: string }
  | { readonly kind: "exited"; readonly id: number; readonly how: string };

const GRACE_MS = 3_000;

interface Running {
  readonly child: ChildProcess;
  readonly stop: NodeJS.Signals;
}

function report(value: Report): void {
  // If the parent is gone, there is nobody to report to.
  if (process.connected) process.send?.(value, () => {});
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Already gone.
  }
}

function launch(running: Set<Running>, id: number, order: Launch): void {
  const log = openSync(order.log, "a");
  const child = spawn(order.command, order.args, {
    stdio: ["ignore", log, log],
    detached: true,
    ...(order.cwd === undefined ? {} : { cwd: order.cwd }),
    ...(order.uid === undefined ? {} : { uid: order.uid }),
    ...(order.gid === undefined ? {} : { gid: order.gid }),
    env: { ...process.env, ...order.env },
  });
  closeSync(log);
  const entry: Running = { child, stop: order.stop };
  running.add(entry);
  child.once("spawn", () => report({ kind: "started", id, pid: child.pid ?? 0 }));
  child.once("error", (error) => {
    running.delete(entry);
    report({ kind: "refused", id, message: error.message });
  });
  child.once("exit", (code, signal) => {
    running.delete(entry);
    report({ kind: "exited", id, how: signal ?? `exit code ${code}` });
  });
}

/** Sends SIGCONT too, because a server that a test has paused reacts to no other signal but SIGKILL. */
async function endAll(running: ReadonlySet<Running>): Promise<void> {
  const exits = [...running].map(({ child, stop }) => {
    if (child.pid === undefined) return Promise.resolve();
    const { pid } = child;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    signalGroup(pid, stop);
    signalGroup(pid, "SIGCONT");
    setTimeout(() => signalGroup(pid, "SIGKILL"), GRACE_MS).unref();
    return gone;
  });
  await Promise.all(exits);
}

function supervise(folder: string): void {
  const running = new Set<Running>();
  let ending = false;
  async function end(): Promise<void> {
    if (ending) return;
    ending = true;
    await endAll(running);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    process.exit(0);
  }
  process.on("message", (message) => {
    const { id, order } = message as { id: number; order: Launch }; // only supervisor.ts writes to this channel
    if (!ending) launch(running, id, order);
  });
  process.on("disconnect", () => void end());
  process.on("SIGTERM", () => void end());
  process.on("SIGINT", () => void end());
}

const folder = process.argv[2];
if (folder !== undefined && process.send !== undefined) supervise(folder);
