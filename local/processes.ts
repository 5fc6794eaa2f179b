import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

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

/**
 * Kills a process and its descendants with SIGKILL, and returns once they are gone. The descendants would otherwise
 * outlive it for a moment, and PostgreSQL does not start on its data while one of its old processes runs.
 */
export async function killFamily(pid: number): Promise<void> {
  // Stopped, it starts no others.
  process.kill(pid, "SIGSTOP");
  const family = [pid, ...descendants(pid)];
  for (const one of family.filter(alive)) process.kill(one, "SIGKILL");
  const deadline = performance.now() + 10_000;
  while (family.some(alive) && performance.now() < deadline) await sleep(10);
}
