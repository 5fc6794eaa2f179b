import type { Lsn } from "./lsn.ts";

/**
 * pgoutput's messages, protocol version 1 (postgresql.org/docs/current/protocol-logicalrep-message-formats.html). A row
 * message keeps the bytes that were received: `oldAt` and `newAt` are the offsets of its TupleData in `bytes`.
 */
export type WalMessage = Begin | Commit | Relation | RowChange | Truncate | LogicalMessage | Other;

/** `finalLsn` is the commit record's LSN; `commitTime` is microseconds since the Unix epoch; `xid` has 32 bits. */
export interface Begin {
  readonly kind: "begin";
  readonly finalLsn: Lsn;
  readonly commitTime: bigint;
  readonly xid: number;
}

/** `endLsn` is the position to acknowledge once the transaction is published. */
export interface Commit {
  readonly kind: "commit";
  readonly commitLsn: Lsn;
  readonly endLsn: Lsn;
  readonly commitTime: bigint;
}

export interface RelationColumn {
  readonly name: string;
  readonly typeOid: number;
  readonly typmod: number;
  /** True if the column is part of the replica identity. With FULL, every column is. */
  readonly key: boolean;
}

/** A table as of this position in the log, without attnums, nullability or defaults. Columns are in attnum order. */
export interface Relation {
  readonly kind: "relation";
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly identity: "default" | "nothing" | "full" | "index";
  readonly columns: readonly RelationColumn[];
}

/**
 * If `oldKind` is key, only the columns of the replica identity have values; the others are sent as null. An offset of
 * -1 means that there is no such tuple.
 */
export interface RowChange {
  readonly kind: "insert" | "update" | "delete";
  readonly relation: number;
  readonly bytes: Buffer;
  readonly oldKind: "key" | "full" | "none";
  readonly oldAt: number;
  readonly newAt: number;
}

export interface Truncate {
  readonly kind: "truncate";
  readonly relations: readonly number[];
}

export interface LogicalMessage {
  readonly kind: "message";
  readonly transactional: boolean;
  readonly lsn: Lsn;
  readonly prefix: string;
  readonly content: Buffer;
}

/** Type and Origin messages, which are ignored. */
export interface Other {
  readonly kind: "other";
  readonly tag: string;
}

/** What the replication connection delivers, in the order it was received. */
export type WalItem =
  | { readonly kind: "data"; readonly lsn: Lsn; readonly bytes: Buffer }
  /** A message too large to hold in memory; only its first bytes are known. */
  | {
      readonly kind: "oversize";
      readonly lsn: Lsn;
      readonly bytes: number;
      /** The table of a row message; undefined for any other message, such as a logical message. */
      readonly relation: number | undefined;
    }
  | { readonly kind: "keepalive"; readonly end: Lsn; readonly replyRequested: boolean };
