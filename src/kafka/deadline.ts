import { GuardError } from "../errors.ts";

/**
 * The work's outcome, or `kafka-down` after `ms`, or the signal's reason, so much later as `graceMs` says: kafkajs
 * has no deadline and no signal of its own. The work itself goes on; whoever calls this closes what it runs on.
 */
export async function within<T>(
  ms: number,
  doing: string,
  work: Promise<T>,
  signal?: AbortSignal,
  graceMs = 0,
): Promise<T> {
  signal?.throwIfAborted();
  const { promise: cut, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new GuardError("kafka-down", `${doing}: no answer within ${ms} ms`)), ms);
  let grace: NodeJS.Timeout | undefined;
  const onAbort = () => {
    grace = setTimeout(() => reject(signal?.reason), graceMs);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, cut]);
  } finally {
    clearTimeout(timer);
    clearTimeout(grace);
    signal?.removeEventListener("abort", onAbort);
  }
}

/**
 * Closes a kafkajs client at once, and again when the work given up on has ended: a retry under way connects
 * a closed client anew. Never rejects: nothing is lost by a close that fails.
 */
export async function closeNowAndAfter(work: Promise<unknown>, disconnect: () => Promise<void>): Promise<void> {
  const close = () => disconnect().catch(() => {});
  let ended = false;
  const after = work.then(
    () => (ended = true),
    () => (ended = true),
  );
  await close();
  if (!ended) void after.then(close);
}
