import { execFileSync } from "node:child_process";

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Pairs of process and parent. `ps` with these flags works on both Linux and macOS. */
function processes(): readonly (readonly [pid: number, parent: number])[] {
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  return rows.map((row) => {
    const [pid = 0, parent = 0] = row.trim().split(/\s+/).map(Number);
    return [pid, parent];
  });
}

/** All current descendants of a process. */
export function descendants(pid: number, all = processes()): readonly number[] {
  const children = all.filter(([, parent]) => parent === pid).map(([child]) => child);
  return children.flatMap((child) => [child, ...descendants(child, all)]);
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // The child has ended since.
    }
  }
}

/**
 * Pauses a server (`stack.pids.kafka`) with SIGSTOP: like a host that hangs, it keeps its connections open and does not
 * answer. It resumes when the result is disposed. Only for a test's own stack, as other tests would wait too.
 */
export function pause(pid: number | undefined): Disposable {
  if (pid === undefined) throw new Error("only a server this process started can be paused");
  // PostgreSQL answers through child processes: if only the postmaster is paused, open sessions still work.
  const stopped = [pid, ...descendants(pid)];
  signal(stopped, "SIGSTOP");
  return { [Symbol.dispose]: () => signal(stopped, "SIGCONT") };
}
