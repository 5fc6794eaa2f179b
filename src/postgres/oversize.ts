import type { Socket } from "node:net";
import { lsn } from "../wal/lsn.ts";
import type { WalItem } from "../wal/message.ts";

/**
 * Sits between the replication connection's socket and its parser, and removes CopyData messages that exceed a given
 * size before they are held in memory. It keeps the first bytes of each, which say where in the log it is and which
 * table it is about. Everything else passes through unchanged.
 */

/** The first bytes of a message that was removed. */
export interface Oversize {
  /** The beginning of the XLogData payload, from its first byte `w`. */
  readonly head: Buffer;
  /** The size of the whole message. */
  readonly bytes: number;
}

export interface Filter {
  /** Accepts a piece of what the server sent. */
  feed(piece: Buffer): void;
}

const COPY_DATA = 0x64; // d
const HEADER = 5;
/** `w`, three numbers of 8 bytes each, the kind of change, and the table's OID. */
const HEAD_BYTES = 1 + 24 + 5;

/** Creates the filter. The first piece that it gets must start at the beginning of a message. */
export function oversizeFilter(
  maxBytes: number,
  pass: (piece: Buffer) => void,
  onOversize: (message: Oversize) => void,
): Filter {
  /** The header of a message that has not arrived completely. */
  let header: Buffer = Buffer.alloc(0);
  /** How many bytes of the current message are still to come. */
  let left = 0;
  let taken: { head: Buffer; readonly bytes: number } | undefined;

  function take(message: NonNullable<typeof taken>, piece: Buffer): void {
    left -= piece.length;
    const missing = HEAD_BYTES - message.head.length;
    // A copy, because a slice would keep the whole piece in memory.
    if (missing > 0) message.head = Buffer.concat([message.head, piece.subarray(0, missing)]);
    if (left > 0) return;
    taken = undefined;
    onOversize(message);
  }

  return {
    feed(piece) {
      let at = 0;
      // What passes is passed on in as few pieces as it arrived in.
      let passFrom = 0;
      const flush = (end: number): void => {
        if (end > passFrom) pass(piece.subarray(passFrom, end));
        passFrom = end;
      };
      while (at < piece.length) {
        if (left > 0) {
          const end = Math.min(piece.length, at + left);
          if (taken === undefined) left -= end - at;
          else {
            take(taken, piece.subarray(at, end));
            passFrom = end;
          }
          at = end;
          continue;
        }
        const whole = header.length === 0 && piece.length - at >= HEADER;
        if (!whole) {
          flush(at);
          const part = piece.subarray(at, at + HEADER - header.length);
          header = Buffer.concat([header, part]);
          at += part.length;
          passFrom = at;
          if (header.length < HEADER) break;
        }
        const from = whole ? piece.subarray(at, at + HEADER) : header;
        const length = from.readUInt32BE(1) - 4;
        const isOversize = from[0] === COPY_DATA && length > maxBytes;
        left = length;
        if (whole) {
          if (isOversize) {
            flush(at);
            passFrom = at + HEADER;
          }
          at += HEADER;
        } else {
          if (!isOversize) pass(header);
          header = Buffer.alloc(0);
        }
        if (isOversize) taken = { head: Buffer.alloc(0), bytes: length };
      }
      flush(piece.length);
    },
  };
}

/** Puts the filter between the socket and pg's parser, which would hold a message twice before it is complete. */
export function filterLarge(socket: Socket, maxBytes: number, add: (item: WalItem) => void): void {
  const parsers = socket.listeners("data");
  const filter = oversizeFilter(
    maxBytes,
    (piece) => {
      for (const parse of parsers) parse.call(socket, piece);
    },
    ({ head, bytes }) => {
      if (head[0] !== XLOG_DATA) return;
      const isRow = ROWS.has(head[25] ?? 0);
      add({
        kind: "oversize",
        lsn: lsn(head.readBigUInt64BE(1)),
        bytes,
        relation: isRow ? head.readUInt32BE(26) : undefined,
      });
    },
  );
  socket.removeAllListeners("data");
  socket.on("data", (piece: Buffer) => filter.feed(piece));
}

const XLOG_DATA = 0x77; // w

/** Insert, Update and Delete. */
const ROWS: ReadonlySet<number> = new Set([0x49, 0x55, 0x44]);
