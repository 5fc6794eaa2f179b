import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import type { Server, Supervisor } from "../supervisor.ts";

/** A process of the demo. It ends with the demo, however the demo ends. */
export interface Program extends Server {
  /** How it ended; undefined while it runs. */
  ended(): string | undefined;
  /** Everything it has printed. */
  output(): Promise<string>;
  /** Asks it to end and waits until it has. */
  stop(): Promise<void>;
}

// kafkajs 2.2.4 sets timers with negative delays, for which Node 24 prints warnings.
const NODE_FLAGS = ["--disable-warning=TimeoutNegativeWarning"];
let started = 0;

export interface Launching {
  readonly script: string;
  readonly args?: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Starts one of our scripts under Node. */
export async function launch(supervisor: Supervisor, name: string, launching: Launching): Promise<Program> {
  const { script, args = [], cwd, env } = launching;
  started += 1;
  const server = await supervisor.launch(`${name}-${started}`, {
    command: process.execPath,
    args: [...NODE_FLAGS, script, ...args],
    stop: "SIGTERM",
    cwd,
    env,
  });
  let how: string | undefined;
  void server.exited.then((end) => (how = end));
  return {
    ...server,
    name,
    ended: () => how,
    output: () => readFile(server.log, "utf8"),
    async stop() {
      if (how === undefined) process.kill(server.pid, "SIGTERM");
      await server.exited;
    },
  };
}

export interface Outcome {
  readonly code: number | null;
  readonly text: string;
}

/** Runs one of our scripts to its end; `text` is everything that it printed. */
export async function runToEnd({ script, args = [], cwd, env }: Launching): Promise<Outcome> {
  const child = spawn(process.execPath, [...NODE_FLAGS, script, ...args], { cwd, env: { ...process.env, ...env } });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  child.stdin.end();
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, text };
}
