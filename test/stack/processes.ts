import { execFileSync } from "node:child_process";

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Pairs of process and parent; `ps` with these flags is the same on Linux and macOS. */
function processes(): readonly (readonly [pid: number, parent: number])[] {
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  return rows.map((row) => {
    const [pid = 0, parent = 0] = row.trim().split(/\s+/).map(Number);
    return [pid, parent];
  });
}

/** Children of a process, theirs, and so on, as of now. */
export function descendants(pid: number, all = processes()): readonly number[] {
  const children = all.filter(([, parent]) => parent === pid).map(([child]) => child);
  return children.flatMap((child) => [child, ...descendants(child, all)]);
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // A child that has ended meanwhile.
    }
  }
}

/**
 * Stops a server (`stack.pids.kafka`) as SIGSTOP does: connections stay open and nothing answers, as with a host that
 * hangs. It goes on when the result is disposed. Only for a stack of the test's own: others' tests would wait with it.
 */
export function pause(pid: number | undefined): Disposable {
  if (pid === undefined) throw new Error("only a server this process started can be paused");
  // PostgreSQL answers through children: a stopped postmaster alone leaves open sessions working.
  const stopped = [pid, ...descendants(pid)];
  signal(stopped, "SIGSTOP");
  return { [Symbol.dispose]: () => signal(stopped, "SIGCONT") };
}
