import { MARK_PREFIX } from "../../src/chunk/mark.ts";
import type { Column } from "../../src/table/column.ts";
import { lsn } from "../../src/wal/lsn.ts";
import type { WalItem } from "../../src/wal/message.ts";
import { type Sent, tupleData } from "../event/row.ts";

/** pgoutput's messages as the server sends them, for the table `customers` of gate/customers.ts. */

const OID = 5000;

function item(at: bigint, ...parts: readonly (Buffer | string)[]): WalItem {
  return { kind: "data", lsn: lsn(at), bytes: Buffer.concat(parts.map((part) => Buffer.from(part))) };
}

function uint(size: 2 | 4, value: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
}

function long(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

export function relation(columns: readonly Column[], more: { readonly oid?: number; readonly key?: string } = {}) {
  const { oid = OID, key = "id" } = more;
  const each = columns.map(({ name, type }) =>
    Buffer.concat([
      Buffer.from(name === key ? "\x01" : "\0"),
      Buffer.from(`${name}\0`),
      uint(4, type.oid),
      uint(4, 0xffff_ffff),
    ]),
  );
  return item(0n, "R", uint(4, oid), "public\0customers\0d", uint(2, columns.length), ...each);
}

export function insert(at: bigint, ...values: readonly Sent[]): WalItem {
  return item(at, "I", uint(4, OID), "N", tupleData(values));
}

/** `old`: the old key, which the log contains only if the key changed. */
export function update(at: bigint, now: readonly Sent[], old?: readonly Sent[]): WalItem {
  const before = old === undefined ? [] : ["K", tupleData(old)];
  return item(at, "U", uint(4, OID), ...before, "N", tupleData(now));
}

export function truncate(at: bigint): WalItem {
  return item(at, "T", uint(4, 1), "\0", uint(4, OID));
}

/** `low:…`, `high:…` or `catalog-read:…`. */
export function mark(content: string): WalItem {
  return item(0n, "M", "\x01", long(0n), `${MARK_PREFIX}\0`, uint(4, content.length), content);
}

export function keepalive(end: bigint): WalItem {
  return { kind: "keepalive", end: lsn(end), replyRequested: false };
}

/** A transaction that ends at this position. */
export function transaction(end: bigint, ...items: readonly WalItem[]): readonly WalItem[] {
  const xid = Number(end);
  return [
    item(0n, "B", long(end - 1n), long(0n), uint(4, xid)),
    ...items,
    item(0n, "C", "\0", long(end - 1n), long(end), long(0n)),
  ];
}
