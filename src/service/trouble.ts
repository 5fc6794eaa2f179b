import type { ErrorCode } from "../errors.ts";
import type { Status } from "../guard/outside.ts";
import { describeStall } from "../words/trouble.ts";
import type { RunningConnector } from "./running.ts";

/**
 * What keeps a connector from reading the log: it stopped, it is retrying, or it has been waiting for the same thing for
 * a long time. The health, the API and the alerts all get it from here, so that they agree. Times are milliseconds of a
 * monotonic clock.
 */
export interface Trouble {
  readonly kind: "retrying" | "stalled" | "stopped";
  readonly since: number;
  /** The error's code; undefined for a stall, and for an unexpected error. */
  readonly code: ErrorCode | undefined;
  /** One sentence without its full stop. */
  readonly what: string;
  readonly next: string | undefined;
}

/** Retries that succeed within this time are no trouble. */
const RETRYING_MS = 5000;
/** A wait of this length is a stall. */
const STALL_MS = 60_000;
/** A connector works again if it has streamed for this long without a failure. */
const SETTLED_MS = 10_000;
/** A session that has begun for longer than this ago is starting, however the one before it ended. */
const STARTING_MS = 30_000;

/** The connector's trouble; undefined if it works, or if it is starting. */
export function troubleOf(running: RunningConnector, now: number): Trouble | undefined {
  const { status, stoppedAt, failing, waits, causes } = running;
  if (status.kind === "stopped") return { kind: "stopped", since: stoppedAt ?? now, ...problemIn(status) };
  if (failing !== undefined && status.kind !== "streaming" && now - failing.since >= RETRYING_MS) {
    return { kind: "retrying", since: failing.since, ...failing.problem };
  }
  const wait = waits.oldest();
  if (wait === undefined || now - wait.since < STALL_MS) return undefined;
  return { kind: "stalled", since: wait.since, code: undefined, what: describeStall(wait, causes), next: undefined };
}

function problemIn({ code, message, next }: Extract<Status, { kind: "retrying" | "stopped" }>) {
  return { code, what: message, next };
}

/**
 * Notes what a new status means for the connector's failures. A session that follows a failure is starting, but that
 * says nothing about the failure, so only undisturbed streaming ends it (`settle`).
 */
export function noteStatus(running: RunningConnector, status: Status, now: number): void {
  if (status.kind === "retrying") {
    running.failing = { since: running.failing?.since ?? now, last: now, problem: problemIn(status) };
  }
  if (status.kind !== "stopped") running.stoppedAt = undefined;
  else {
    running.stoppedAt ??= now;
    running.failing = undefined;
  }
  if (status.kind !== "streaming") running.streamingSince = undefined;
  else running.streamingSince ??= now;
}

/**
 * Ends the failures once the connector has streamed undisturbed for a while. Returns true if it works: it has done so,
 * and waits for nothing.
 */
export function settle(running: RunningConnector, now: number): boolean {
  const { streamingSince, failing, waits } = running;
  const lastFailed = failing?.last ?? Number.NEGATIVE_INFINITY;
  if (streamingSince === undefined || now - Math.max(streamingSince, lastFailed) < SETTLED_MS) return false;
  running.failing = undefined;
  const wait = waits.oldest();
  return wait === undefined || now - wait.since < SETTLED_MS;
}

/** What a session that follows a failure shows: the failure, until the session has lasted for a while. */
export function statusOf({ status, failing }: RunningConnector, now: number): Status {
  if (status.kind !== "starting" || failing === undefined || now - failing.last > STARTING_MS) return status;
  const { code, what, next } = failing.problem;
  return { kind: "retrying", code, message: what, next };
}
