import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { once } from "node:events";

/** What parent.ts prints: all its descendants, the servers among them, and PostgreSQL's data folder. */
interface Started {
  readonly pids: readonly number[];
  readonly servers: Readonly<Record<string, number>>;
  readonly data: string;
}

interface Parent extends Started, AsyncDisposable {
  readonly child: ChildProcess;
}

/** A process that has started a stack and now waits. */
export async function startedParent(...parts: readonly string[]): Promise<Parent> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "parent.ts"), ...parts], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return {
    child,
    ...(JSON.parse(String(line)) as Started), // parent.ts writes nothing else
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
    },
  };
}
