import type { Lsn } from "./lsn.ts";

/**
 * pgoutput's messages, protocol version 1 (postgresql.org/docs/current/protocol-logicalrep-message-formats.html).
 * A row keeps the bytes it arrived in: `oldAt` and `newAt` are the offsets of its TupleData in `bytes`.
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
  /** Whether it is part of the replica identity, which with FULL every column is. */
  readonly key: boolean;
}

/** A table as of this place in the log, without attnums, nullability or defaults. Columns are in attnum order. */
export interface Relation {
  readonly kind: "relation";
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly identity: "default" | "nothing" | "full" | "index";
  readonly columns: readonly RelationColumn[];
}

/** With `oldKind` key only the replica identity's columns have values; the others are sent as null. -1: no such tuple. */
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
  /** A message too large to be held, of which only the first bytes are known. */
  | {
      readonly kind: "oversize";
      readonly lsn: Lsn;
      readonly bytes: number;
      /** A row's table; undefined: a logical message, or anything else that is no row. */
      readonly relation: number | undefined;
    }
  | { readonly kind: "keepalive"; readonly end: Lsn; readonly replyRequested: boolean };
