import type { Socket } from "node:net";
import { LogicalReplicationService } from "pg-logical-replication";
import type { GuardError } from "../errors.ts";
import { formatLsn, type Lsn, LSN_ZERO, lsn } from "../wal/lsn.ts";
import type { WalItem } from "../wal/message.ts";
import { PIN_NEWER_SETTINGS, type PostgresOptions, sessionConfig } from "./connection.ts";
import {
  countReplyRequest,
  judgeLiveness,
  type Liveness,
  REPLY_EVERY_MS,
  type ReplyRequests,
  SILENCE_MS,
} from "./liveness.ts";
import { pauseReads, type ReadPauses } from "./coalesce.ts";
import { filterLarge } from "./oversize.ts";
import { walQueue } from "./queue.ts";
import { endOfStream, streamError } from "./stream-error.ts";
import type { Client } from "pg";
import { quoteIdentifier } from "../table/quote.ts";

/**
 * The stream of one replication slot. It starts replication, queues what arrives, sends statuses and acknowledgements,
 * and stops reading the socket while the queue is full. liveness.ts decides whether the server is still alive.
 */

export interface StreamOptions {
  readonly connection: PostgresOptions;
  readonly slot: string;
  readonly publication: string;
  /** The last position that has been safely published; nothing before it is needed again. Must be above 0. */
  readonly start: Lsn;
  /**
   * How many bytes may be queued before we stop reading the socket; the last read may exceed this. The default is 4
   * MiB.
   */
  readonly maxQueuedBytes?: number | undefined;
  /** Of a larger message, only the first bytes are kept. The default is 64 MiB. */
  readonly maxMessageBytes?: number | undefined;
  /**
   * The server drops a reader that it has not heard from for this long. We send a status three times as often. The
   * default is 10 s.
   */
  readonly walSenderTimeoutMs?: number | undefined;
  /** Called after every new item and after a failure, because there is then something to read. */
  readonly wake: () => void;
}

/** The log of one slot, in order. Disposing of it frees the slot. It cannot be restarted. */
export interface WalStream extends AsyncDisposable {
  /**
   * Returns the next item, or undefined if none is queued. After a lost connection, returns what is still queued and
   * then throws the GuardError once.
   */
  read(): WalItem | undefined;
  /** Confirms exactly this position: nothing that ends at or before it is sent again. An earlier position is ignored. */
  acknowledge(position: Lsn): void;
  readonly queuedBytes: number;
}

const MAX_QUEUED_BYTES = 4 * 1024 * 1024;
/** A larger row would be in memory several times until its event is refused, so only its first bytes are kept. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const WAL_SENDER_TIMEOUT_MS = 10_000;
const NO_REQUESTS: ReplyRequests = { count: 0, lastAt: 0 };

/**
 * Starts replication of a slot. Throws GuardError: "slot-in-use" naming the current reader, "slot-lost",
 * "replication-right", "postgres-down", …
 */
export async function openStream(options: StreamOptions): Promise<WalStream> {
  if (options.start <= LSN_ZERO) throw new RangeError("a stream cannot start at 0/0: it would have nothing to confirm");
  const stream = new SlotStream(options);
  try {
    await stream.start();
    return stream;
  } catch (error) {
    await stream[Symbol.asyncDispose]();
    throw await streamError(error, options);
  }
}

/**
 * The library serves only as a thin connection, because its decoder, timers and flow control lose changes or drop the
 * connection. Hence automatic acknowledgement is off and the timeout is 0. Each stream has its own service, because a
 * service that is reused starts after the last position it received.
 */
class SlotStream implements WalStream {
  readonly #options: StreamOptions;
  readonly #service: LogicalReplicationService;
  readonly #queue = walQueue();
  readonly #maxQueuedBytes: number;
  readonly #statusEveryMs: number;
  readonly #readLsn = lsnReader();
  #acknowledged: Lsn;
  #reads: ReadPauses | undefined;
  #paused = false;
  #closed = false;
  #failed = false;
  #lost: GuardError | undefined;
  #statusTimer: NodeJS.Timeout | undefined;
  #replyTimer: NodeJS.Timeout | undefined;
  #sentAt = 0;
  #heardAt = 0;
  #askedAt: number | undefined;
  #requests: ReplyRequests = NO_REQUESTS;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#acknowledged = options.start;
    this.#maxQueuedBytes = options.maxQueuedBytes ?? MAX_QUEUED_BYTES;
    const timeout = options.walSenderTimeoutMs ?? WAL_SENDER_TIMEOUT_MS;
    this.#statusEveryMs = Math.max(1, Math.floor(timeout / 3));
    const config = sessionConfig(options.connection, {
      applicationName: `fieldgate ${options.slot}`,
      settings: { logical_decoding_work_mem: "256MB", wal_sender_timeout: `${timeout}ms` },
    });
    this.#service = new LogicalReplicationService(config, { acknowledge: { auto: false, timeoutSeconds: 0 } });
  }

  /** Resolves once the server has started to send. */
  async start(): Promise<void> {
    const started = Promise.withResolvers<void>();
    const { slot, publication, start } = this.#options;
    this.#service.on("start", () => started.resolve());
    this.#service.on("data", (at, bytes: Buffer) => {
      this.#requests = NO_REQUESTS;
      this.#add({ kind: "data", lsn: this.#readLsn(at), bytes });
    });
    this.#service.on("heartbeat", (at, _time, replyRequested) => {
      this.#add({ kind: "keepalive", end: this.#readLsn(at), replyRequested });
      if (replyRequested) this.#reply();
    });
    const lose = (error: unknown): void => {
      started.reject(error);
      this.#lose(error);
    };
    this.#service.on("error", lose);
    // Pending until the stream ends.
    this.#service
      .subscribe(this.#pgoutput(publication), slot, formatLsn(start))
      .then(() => lose(new Error("the server ended the stream")), lose);
    await started.promise;
    this.#heardAt = performance.now();
    this.#statusTimer = setInterval(() => this.#keepUp(), this.#statusEveryMs);
  }

  read(): WalItem | undefined {
    const item = this.#queue.shift();
    if (item !== undefined) {
      if (this.#paused && this.#queue.bytes < this.#maxQueuedBytes / 2) this.#resume();
      return item;
    }
    const lost = this.#lost;
    this.#lost = undefined;
    if (lost !== undefined) throw lost;
    return undefined;
  }

  acknowledge(position: Lsn): void {
    if (position <= this.#acknowledged) return;
    this.#acknowledged = position;
    this.#sendStatus(false);
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopTimers();
    this.#queue.clear();
    await this.#service.destroy();
  }

  #pgoutput(publication: string) {
    return pgoutput(publication, () => {
      const socket = this.#socket();
      if (socket === undefined) return;
      filterLarge(socket, this.#options.maxMessageBytes ?? MAX_MESSAGE_BYTES, (item) => this.#add(item));
      const reads = pauseReads(socket);
      this.#reads = reads;
      socket.on("data", (piece: Buffer) => reads.received(piece.length));
    });
  }

  #add(item: WalItem): void {
    if (this.#closed) return;
    this.#heardAt = performance.now();
    this.#askedAt = undefined;
    this.#queue.push(item);
    if (!this.#paused && this.#queue.bytes > this.#maxQueuedBytes) {
      this.#paused = true;
      this.#reads?.pause();
    }
    this.#options.wake();
  }

  #resume(): void {
    this.#paused = false;
    this.#heardAt = performance.now();
    this.#reads?.resume();
  }

  #lose(error: unknown): void {
    if (this.#closed || this.#failed) return;
    this.#failed = true;
    this.#stopTimers();
    this.#lost = endOfStream(error, this.#options);
    this.#options.wake();
  }

  /**
   * Also runs while the socket is paused: the server's keepalives are not read then, but our status still reaches the
   * server.
   */
  #keepUp(): void {
    const liveness = this.#closeUnlessAlive();
    if (liveness === "doubtful") this.#askedAt ??= performance.now();
    if (liveness === "alive" || liveness === "doubtful") this.#sendStatus(liveness === "doubtful");
  }

  #reply(): void {
    const now = performance.now();
    this.#requests = countReplyRequest(this.#requests, now);
    if (this.#closeUnlessAlive() !== "alive" || this.#replyTimer !== undefined || this.#closed) return;
    const wait = REPLY_EVERY_MS - (now - this.#sentAt);
    if (wait <= 0) {
      this.#sendStatus(false);
      return;
    }
    this.#replyTimer = setTimeout(() => {
      this.#replyTimer = undefined;
      this.#sendStatus(false);
    }, wait);
  }

  /** Closing the socket makes the library report an error, which ends the stream. */
  #closeUnlessAlive(): Liveness {
    const liveness = judgeLiveness({
      now: performance.now(),
      heardAt: this.#heardAt,
      askedAt: this.#askedAt,
      isPaused: this.#paused,
      requests: this.#requests,
    });
    if (liveness === "silent") this.#socket()?.destroy(new Error(`no answer from the server for ${SILENCE_MS} ms`));
    if (liveness === "stopping") this.#socket()?.destroy(new Error("the server is stopping"));
    return liveness;
  }

  #sendStatus(ask: boolean): void {
    this.#sentAt = performance.now();
    // The library adds 1 to the position that it is given. Confirming one byte too many would lose the next transaction
    // if its commit record follows immediately.
    const before = formatLsn(lsn(this.#acknowledged - 1n));
    this.#service.acknowledge(before, ask).catch((error: unknown) => this.#lose(error));
  }

  #stopTimers(): void {
    this.#reads?.[Symbol.dispose]();
    clearInterval(this.#statusTimer);
    clearTimeout(this.#replyTimer);
  }

  /**
   * Direct access to the socket. The library can pause it only through its flow control, which handles keepalives out
   * of order, and has no way to give up a connection that does not answer.
   */
  #socket(): Socket | undefined {
    // pg's Connection, a private member of the library. It is null before it is opened and after it is closed.
    return (this.#service["_connection"] as { readonly stream: Socket } | null)?.stream;
  }
}

/**
 * Returns a parser for the library's `A/BC`, which is called once per message. It caches the upper half, which rarely
 * changes.
 */
function lsnReader(): (text: string) => Lsn {
  let upperText = "";
  let upper = 0n;
  return (text) => {
    const slash = text.indexOf("/");
    if (slash !== upperText.length || !text.startsWith(upperText)) {
      upperText = text.slice(0, slash);
      upper = BigInt(`0x${upperText}`) << 32n;
    }
    return lsn(upper | BigInt(Number.parseInt(text.slice(slash + 1), 16)));
  };
}

/** A plugin that passes on the bytes. Nothing here may throw, because that would be an uncaught exception. */
function pgoutput(publication: string, beforeStart: () => void) {
  const list = quoteIdentifier(publication).replaceAll("'", "''");
  return {
    name: "pgoutput",
    options: {},
    // A copy, because pg-protocol's parser reuses its buffer.
    parse: (bytes: Buffer): Buffer => Buffer.from(bytes),
    start: async (client: Client, slot: string, start: string): Promise<unknown> => {
      await client.query(PIN_NEWER_SETTINGS);
      // The server is waiting for a command, so no message is partly read.
      beforeStart();
      return client.query(
        `START_REPLICATION SLOT ${quoteIdentifier(slot)} LOGICAL ${start} ` +
          `(proto_version '1', publication_names '${list}', messages 'true')`,
      );
    },
  };
}
