import type { Client } from "pg";
import type { Table, Attnum, TableOid } from "../table/column.ts";
import type { Snapshot } from "../wal/snapshot.ts";

/** Which rows of a table to read: the next range of keys, or the keys in `again`. */
export interface ChunkRequest {
  readonly table: { readonly oid: TableOid; readonly schema: string; readonly name: string };
  /** What to select, in the order the rows shall have. */
  readonly columns: readonly { readonly attnum: Attnum; readonly name: string }[];
  /** Names of the key's columns, in index order; not empty. */
  readonly key: readonly string[];
  /** The key after which the range begins, as text; undefined: at the first. */
  readonly after: readonly string[] | undefined;
  /** Keys in the range. */
  readonly limit: number;
  /** Of the range, only rows whose column, as pgoutput writes it, IS DISTINCT FROM `fill`. */
  readonly due?: { readonly column: string; readonly fill: string | null } | undefined;
  /** These keys instead of a range. */
  readonly again?: readonly (readonly string[])[] | undefined;
  /** How long to wait for a migration that holds the table. Default 2000. */
  readonly lockTimeoutMs?: number | undefined;
}

export type ChunkRead =
  | {
      readonly kind: "rows";
      /** What the rows were read with; `table` is as of it too. */
      readonly snapshot: Snapshot;
      readonly table: Table;
      /** pgoutput TupleData of `columns`, in key order. */
      readonly rows: readonly Buffer[];
      /** The range's last key as text, whether its row was due or not; undefined: the range was empty. */
      readonly last: readonly string[] | undefined;
      /** The range reached the end of the table. */
      readonly done: boolean;
      /** Keys in the range. */
      readonly scanned: number;
    }
  /** A column asked for has another name or is gone: nothing was read. */
  | { readonly kind: "differs"; readonly snapshot: Snapshot; readonly table: Table }
  /** Another session held the table beyond the lock timeout. */
  | { readonly kind: "locked" }
  /** No table of this name, or it has another oid. */
  | { readonly kind: "gone" };

/** Reads one chunk in its own short transaction. */
export async function readChunk(client: Client, request: ChunkRequest): Promise<ChunkRead> {
  throw new Error(`not yet: ${request.table.name} ${typeof client}`);
}
