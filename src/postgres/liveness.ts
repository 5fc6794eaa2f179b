/** What has been seen of the server that sends the log; times are milliseconds of one monotonic clock. */
export interface ServerSigns {
  readonly now: number;
  /** When the last message arrived, or when reading resumed after a pause. */
  readonly heardAt: number;
  /** When we asked for a reply; undefined if a message has arrived since, or we have not asked. */
  readonly askedAt: number | undefined;
  /** Our queue is full, so we do not read the socket. */
  readonly isPaused: boolean;
  readonly requests: ReplyRequests;
}

/** Keepalives in which the server requests a reply: how many in a row without data in between, and when the last one. */
export interface ReplyRequests {
  readonly count: number;
  readonly lastAt: number;
}

/** `doubtful`: request a reply with the next status. `silent` and `stopping`: close the connection. */
export type Liveness = "alive" | "doubtful" | "silent" | "stopping";

/** How long the server may be silent before we ask for a reply, and how long it then has to send one. */
export const SILENCE_MS = 30_000;
/** A stopping server requests a reply as soon as it has one; we send at most one in this time. */
export const REPLY_EVERY_MS = 100;
/** Reply requests in a row, at most one per reply, after which we take the server to be stopping: about 3 s. */
const STOPPING_REQUESTS = 30;

/**
 * Should we keep the connection? Two kinds of trouble raise no error on the socket:
 * - The server is gone or unreachable. A live one sends a keepalive well within 30 s, so after that much silence we
 *   ask for a reply, and without one for another 30 s we give up. While we do not read the socket, silence proves
 *   nothing: the messages may be waiting in it.
 * - The server is shutting down. It waits for readers that have not confirmed everything, and keeps requesting a reply.
 *   During an outage of Kafka we cannot confirm, so without our leaving PostgreSQL could not stop. Data in between
 *   means that it is still sending, and starts the count again.
 */
export function judgeLiveness({ now, heardAt, askedAt, isPaused, requests }: ServerSigns): Liveness {
  if (requests.count > STOPPING_REQUESTS) return "stopping";
  if (isPaused) return "alive";
  if (askedAt !== undefined) return now - askedAt > SILENCE_MS ? "silent" : "doubtful";
  return now - heardAt > SILENCE_MS ? "doubtful" : "alive";
}

/** Requests far apart are ordinary keepalives, each of which starts the count again. */
export function countReplyRequest(before: ReplyRequests, now: number): ReplyRequests {
  const isInARow = now - before.lastAt < REPLY_EVERY_MS * 5;
  return { count: isInARow ? before.count + 1 : 0, lastAt: now };
}
