import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CLI = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));

const TERMINAL = new URL("as-terminal.ts", import.meta.url).href;

/** Node's compile cache: the command starts in a third of the time. */
export const COMPILED = join(tmpdir(), "fieldgate-test-compile-cache");

export interface CliRun {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  readonly input?: string | undefined;
  /** Makes the command believe that it prints to a terminal of this width, which has colours. */
  readonly terminal?: number | undefined;
  /** Sends Ctrl-C once this resolves; `printed` returns the output so far. Standard input remains open. */
  readonly interruptWhen?: ((printed: () => string) => Promise<void>) | undefined;
  /** The signal that is sent instead of Ctrl-C. */
  readonly signal?: NodeJS.Signals | undefined;
}

/** This process's variables, without those of Fieldgate and those for colours. */
export function inherited(): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^FIELDGATE_|^(NO|FORCE)_COLOR$/.test(name)),
  );
}

/** Runs the real CLI in its own process, with only the given FIELDGATE_ variables, and those for colours. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: {
      ...inherited(),
      NODE_NO_WARNINGS: "1",
      NODE_COMPILE_CACHE: COMPILED,
      ...(options.terminal !== undefined && { NODE_OPTIONS: `--import=${TERMINAL}?columns=${options.terminal}` }),
      ...options.env,
    },
    cwd: options.cwd,
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  child.stdin.write(options.input ?? "");
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  if (options.interruptWhen === undefined) child.stdin.end();
  else {
    await options.interruptWhen(() => out).finally(() => child.kill(options.signal ?? "SIGINT"));
  }
  return { code: await ended, out, err };
}
