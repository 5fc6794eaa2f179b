import { descendants } from "../../local/processes.ts";

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
