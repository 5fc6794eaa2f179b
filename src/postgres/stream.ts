import type { Lsn } from "../wal/lsn.ts";
import type { WalItem } from "../wal/message.ts";
import type { PostgresOptions } from "./connection.ts";

export interface StreamOptions {
  readonly connection: PostgresOptions;
  readonly slot: string;
  readonly publication: string;
  /** The last position that is safely published; nothing before it is needed again. Above 0. */
  readonly start: Lsn;
  /** Bytes kept in memory before the server is made to wait. Default 16 MiB; one read of the socket may exceed it. */
  readonly maxQueuedBytes?: number | undefined;
  /** The server drops a reader it has not heard of for so long; a third of it is the interval of our status. Default 10 s. */
  readonly walSenderTimeoutMs?: number | undefined;
  /** Called after every new item and after a failure: `read` has something. */
  readonly wake: () => void;
}

/** The log of one slot, in order. Disposing it frees the slot; it cannot be restarted. */
export interface WalStream extends AsyncDisposable {
  /**
   * The next item, undefined when nothing is queued now. After a lost connection first what was queued, then
   * throws the GuardError, once.
   */
  read(): WalItem | undefined;
  /** Confirms exactly this position: everything that ends at or before it is never sent again. Never goes back. */
  acknowledge(lsn: Lsn): void;
  readonly queuedBytes: number;
}

/** Throws GuardError: "slot-in-use" naming who reads it, "slot-lost", "postgres-down", … */
export async function openStream(options: StreamOptions): Promise<WalStream> {
  throw new Error(`not yet: ${options.slot}`);
}
