/**
 * What a connector waits for. Every call to PostgreSQL, Kafka and the registry is a wait with a name, a start and a
 * limit, and so is whatever the loop tries again until it succeeds. The service shows the oldest wait and who causes it
 * (service/watch-waits.ts), so a connector that hangs behind a lock or a broker says so.
 */

/** Which of the outside things is waited for. */
export type Side = "PostgreSQL" | "Kafka" | "the registry";

/** One wait; times are milliseconds of a monotonic clock. */
export interface Wait {
  readonly on: Side;
  /** With `on` before it, as in "the connector waits for PostgreSQL, to …". */
  readonly what: string;
  readonly since: number;
  /** After this time the wait is given up; undefined: it takes as long as it takes. */
  readonly limitMs: number | undefined;
  /** Finds out which other sessions cause it. */
  readonly causes: (() => Promise<readonly string[]>) | undefined;
}

export interface Waits {
  /** Begins a wait, which ends with the scope. */
  begin(on: Side, what: string, more?: Partial<Pick<Wait, "limitMs" | "causes">>): Disposable;
  /** The wait that began first, if there is one. */
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
