/** What is known about the server that sends the log. Times are milliseconds of one monotonic clock. */
export interface ServerSigns {
  readonly now: number;
  /** When the last message arrived, or when reading resumed after a pause. */
  readonly heardAt: number;
  /** When we last asked for a reply; undefined if a message has arrived since, or if we have not asked. */
  readonly askedAt: number | undefined;
  /** True if our queue is full, so we are not reading the socket. */
  readonly isPaused: boolean;
  readonly requests: ReplyRequests;
}

/**
 * Keepalives in which the server requested a reply: how many arrived in a row without data in between, and when the
 * last one arrived.
 */
export interface ReplyRequests {
  readonly count: number;
  readonly lastAt: number;
}

/** `doubtful`: ask for a reply with the next status. `silent` and `stopping`: close the connection. */
export type Liveness = "alive" | "doubtful" | "silent" | "stopping";

/** How long the server may be silent before we ask for a reply, and how long it then has to reply. */
export const SILENCE_MS = 30_000;
/** A stopping server requests a new reply as soon as it receives one. We send at most one reply in this time. */
export const REPLY_EVERY_MS = 100;
/**
 * The number of reply requests in a row after which the server counts as stopping. We reply to each at most every 100
 * ms, so this takes about 3 s.
 */
const STOPPING_REQUESTS = 30;

/**
 * Decides whether to keep the connection. Two kinds of trouble cause no error on the socket:
 * - The server is down or unreachable. A live server sends a keepalive well within 30 s. So after 30 s of silence we
 *   ask for a reply, and if none arrives within another 30 s, we give up. While we do not read the socket, silence
 *   proves nothing, because messages may be waiting in it.
 * - The server is shutting down. It waits for readers that have not confirmed everything, and keeps requesting replies.
 *   During an outage of Kafka we cannot confirm, so PostgreSQL could not stop unless we disconnect. Data in between
 *   means that it is still sending, and resets the count.
 */
export function judgeLiveness({ now, heardAt, askedAt, isPaused, requests }: ServerSigns): Liveness {
  if (requests.count > STOPPING_REQUESTS) return "stopping";
  if (isPaused) return "alive";
  if (askedAt !== undefined) return now - askedAt > SILENCE_MS ? "silent" : "doubtful";
  return now - heardAt > SILENCE_MS ? "doubtful" : "alive";
}

/** Requests that are far apart are ordinary keepalives; each of them resets the count. */
export function countReplyRequest(before: ReplyRequests, now: number): ReplyRequests {
  const isInARow = now - before.lastAt < REPLY_EVERY_MS * 5;
  return { count: isInARow ? before.count + 1 : 0, lastAt: now };
}
