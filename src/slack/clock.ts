export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Rejects when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Resolves to the promise's value, or to undefined if it fails or takes too long. */
export async function within<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T | undefined> {
  const done = new AbortController();
  const late = clock.sleep(ms, done.signal).catch(() => undefined);
  try {
    return (await Promise.race([promise, late])) ?? undefined;
  } catch {
    return undefined;
  } finally {
    done.abort();
  }
}

/** ISO 8601 in UTC. */
export function timeOf(now: number): string {
  return new Date(now).toISOString();
}
