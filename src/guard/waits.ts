/**
 * Records what a connector is waiting for. Every call to PostgreSQL, Kafka and the registry is a wait with a name, a
 * start and a limit, and so is anything that the loop retries until it succeeds. The service shows the oldest wait and
 * its cause (service/watch-waits.ts), so a connector that hangs behind a lock or a broker says so.
 */

/** The external system that is waited for. */
export type Side = "PostgreSQL" | "Kafka" | "the registry";

/** One wait. Times are milliseconds of a monotonic clock. */
export interface Wait {
  readonly on: Side;
  /** Follows `on` in a sentence, as in "the connector waits for PostgreSQL, to …". */
  readonly what: string;
  readonly since: number;
  /** When the wait is given up, in milliseconds after its start; undefined if it has no limit. */
  readonly limitMs: number | undefined;
  /** Finds out which other sessions cause the wait. */
  readonly causes: (() => Promise<readonly string[]>) | undefined;
}

export interface Waits {
  /** Begins a wait. It ends when the returned value is disposed. */
  begin(on: Side, what: string, more?: Partial<Pick<Wait, "limitMs" | "causes">>): Disposable;
  /** The wait that began first; undefined if there is none. */
  oldest(): Wait | undefined;
}

export function createWaits(now: () => number): Waits {
  const waits = new Set<Wait>();
  return {
    begin(on, what, more = {}) {
      const wait: Wait = { on, what, since: now(), limitMs: more.limitMs, causes: more.causes };
      waits.add(wait);
      return { [Symbol.dispose]: () => void waits.delete(wait) };
    },
    oldest() {
      const [first] = waits;
      return first;
    },
  };
}
