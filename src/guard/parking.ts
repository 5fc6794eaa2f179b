import type { TxMark } from "../event/envelope/source.ts";
import type { RowEncoder } from "../event/row-encoder.ts";
import type { TableState } from "../gate/state.ts";
import type { ParkedChange, ParkedLayout } from "../store/parked.ts";
import type { Attnum } from "../table/column.ts";
import type { Shape } from "../table/shape.ts";
import type { Lsn } from "../wal/lsn.ts";

/** What a session knows about tables whose next change cannot be written. */
export interface Parking {
  /** By topic. */
  readonly backlogs: Map<string, Backlog>;
  /** Whether the parked topic is being read. */
  reading: boolean;
  /** The size in bytes of the changes in all queues, and of all fresh changes. */
  bytes: number;
  freshBytes: number;
  /** By topic: rows of tables that wait to be accepted, which were passed over since the last commit. */
  readonly passed: Map<string, number>;
}

/** The parked changes of one table. */
export interface Backlog {
  readonly id: string;
  /** As in the state, but these may be ahead of the last commit. */
  written: number;
  replayed: number;
  passedOver: number;
  /** How many of those were missing from the parked topic; undefined if none was. */
  lost: number | undefined;
  /** The first changes that are not replayed yet, in order and without a gap. May be only some of them. */
  readonly queue: ParkedChange[];
  /**
   * The newest changes, without a gap, while older ones still have to be read back. They are added to the queue once it
   * reaches them.
   */
  readonly fresh: ParkedChange[];
  /** Offset in the parked topic of the next record that is not in memory; undefined if it is not known. */
  offset: bigint | undefined;
  /** How often the parked topic was read without finding the next change. */
  misses: number;
  /** The layout shared by the changes that are being written now. */
  layout: LayoutNow | undefined;
  /** The encoders for the changes that are being replayed now. */
  encoding: ParkedEncoding | undefined;
  /** Set if the first change was tried and could not be written. */
  stuck: Stuck | undefined;
}

/** The layout of changes while the table has these columns. */
export interface LayoutNow {
  readonly columns: readonly (Attnum | undefined)[];
  readonly table: Pick<TableState, "shape" | "known">;
  readonly text: string;
  /** By position in the tuple: whether the value is kept. */
  readonly keep: readonly boolean[];
}

/** How parked changes with one layout are written in the table's current shape. */
export interface ParkedEncoding {
  readonly layout: string;
  readonly read: ParkedLayout;
  readonly shape: Shape;
  readonly columns: readonly (Attnum | undefined)[];
  readonly encoder: RowEncoder;
  readonly rowKeys: RowEncoder | undefined;
  tx: TxMark | undefined;
}

/** The first change is tried again when any of this has changed, or at the given time (microseconds). */
export interface Stuck {
  readonly table: Pick<TableState, "shape" | "known" | "amendments" | "poison">;
  readonly applied: Lsn | undefined;
  readonly again: bigint;
  /** Whether a catalog read under way may still show that no event has to contain the change. */
  readonly unsettled: boolean;
}
