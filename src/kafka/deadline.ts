import { GuardError } from "../errors.ts";

/**
 * Awaits the work, but throws `kafka-down` after `ms`, or the signal's reason `graceMs` after it aborts, because
 * kafkajs has neither deadlines nor signals. The work itself continues; the caller closes the client that it uses.
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
 * Closes a kafkajs client now, and again when the abandoned work has ended, because a pending retry reconnects a closed
 * client. Never rejects: if closing fails, nothing is lost.
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
