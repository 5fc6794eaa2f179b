import type { LeftOutReason, Refusal } from "../capture/left-out.ts";
import type { ListEntry } from "../capture/lists.ts";
import type { LookedTable, TablesLook } from "../capture/look.ts";
import type { Table } from "../table/column.ts";
import type { TableState } from "../gate/state.ts";
import { fullName, type TableName } from "../table/quote.ts";
import type { Lsn } from "../wal/lsn.ts";
import type { TableWarning } from "./outside.ts";

/** What the looks at the catalog have shown about all tables. */
export interface Looks {
  /** The end of the log when this session first looked. */
  readonly began: Lsn;
  /** When the next look is due, in microseconds. */
  due: bigint;
  busy: boolean;
  /** How many have begun in this session. */
  started: number;
  /** The last one that was read, and its number. Its news may not be applied yet. */
  read: { readonly number: number; readonly look: TablesLook } | undefined;
  /** A look that found changes, but whose position in the log has not been reached yet. */
  pending: PendingLook | undefined;
  /** By OID, according to the last look. */
  readonly seen: Map<number, SeenTable>;
  /** The publication's identity at the last look, if it is FOR ALL TABLES. */
  allTables: string | undefined;
  /**
   * OIDs of tables whose rows were skipped, because the file does not capture their name or because they could not be
   * captured, also by the start of this session.
   */
  readonly passedBy: Set<number>;
  /** The latest look for a new table, made for a row of this transaction. */
  forNew: { readonly xid: number; readonly look: TablesLook } | undefined;
  /** By OID: the latest transactions in the log that truncated the table. Its rows are in a new file afterwards. */
  readonly truncated: Map<number, readonly string[]>;
  /** By OID: tables that the file captures but that cannot be captured yet. */
  readonly left: Map<number, LeftOut>;
  /** By OID: when to try again to add a table to the publication, and why the last attempt failed. */
  readonly refused: Map<number, { readonly again: bigint; readonly refusal: Refusal }>;
  /** Entries of the file's column lists that have matched no column of a captured table so far. */
  readonly unmatched: Set<ColumnEntry>;
  /** By what is wrong: warnings about tables, as of the last look. */
  warnings: ReadonlyMap<string, TableWarning>;
  /** Topics of tables whose gap is reported after the next commit. */
  readonly toReport: Set<string>;
}

/** An entry of one of the file's lists of columns. */
export interface ColumnEntry extends ListEntry {
  readonly key: "column.include.list" | "column.exclude.list" | "message.key.columns";
}

export interface SeenTable {
  /** Whether the connector's file captures the name that the table had. */
  readonly captured: boolean;
  /**
   * Whether the table was created after this session began and was in the same publication from the start. Then the log
   * has all its rows.
   */
  readonly alwaysSent: boolean;
}

/** A table that the file captures but that cannot be captured yet. */
export interface LeftOut {
  readonly table: TableName;
  readonly reason: LeftOutReason;
  /** When it may be tried again, in microseconds. */
  readonly again: bigint;
}

export interface PendingLook {
  readonly nonce: string;
  readonly end: Lsn;
  /** The looks before and after tables were added to the publication. */
  readonly first: TablesLook;
  readonly second: TablesLook;
  /** By topic: a different table that has the name of a captured one. */
  readonly replacements: ReadonlyMap<string, Table>;
  readonly candidates: readonly LookedTable[];
}

/** A different table that now has the name of this captured one. */
export function namesakeOf({ named }: TablesLook, { shape, capturedAs }: TableState): LookedTable | undefined {
  const names = [shape.table, ...(capturedAs === undefined ? [] : [capturedAs])];
  const found = names.flatMap((table) => named.get(fullName(table)) ?? []);
  return found.find(({ oid }) => oid !== Number(shape.table.oid));
}

/** True if another table waited to be accepted in place of this one, and none has its name any longer. */
export function isReplacedOver(look: TablesLook, table: TableState): boolean {
  const { replacement, shape } = table;
  return replacement !== undefined && replacement.oid !== shape.table.oid && namesakeOf(look, table) === undefined;
}

/** A look may be some transactions ahead of the log, or behind it. */
const MAX_TRUNCATES = 100;

/** So that the next look does not take the new file for that of a rewrite. */
export function noteTruncate({ truncated }: Looks, oid: number, xid: number): void {
  truncated.set(oid, [...(truncated.get(oid) ?? []).slice(1 - MAX_TRUNCATES), String(xid)]);
}
