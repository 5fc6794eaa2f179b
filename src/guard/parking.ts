import type { TxMark } from "../event/envelope/source.ts";
import type { RowEncoder } from "../event/row-encoder.ts";
import type { TableState } from "../gate/state.ts";
import type { ParkedChange, ParkedLayout } from "../store/parked.ts";
import type { Attnum } from "../table/column.ts";
import type { Shape } from "../table/shape.ts";
import type { Lsn } from "../wal/lsn.ts";

/** What a session holds of the tables whose next change cannot be written. */
export interface Parking {
  /** By topic. */
  readonly backlogs: Map<string, Backlog>;
  /** The parked topic is being read. */
  reading: boolean;
  /** Bytes of the changes in all queues, and of all that are fresh. */
  bytes: number;
  freshBytes: number;
}

/** The parked changes of one table. */
export interface Backlog {
  readonly id: string;
  /** As in the state, but ahead of the last commit. */
  written: number;
  replayed: number;
  passedOver: number;
  /** The first changes that are not replayed yet, in order and without a gap; all of them or only some. */
  readonly queue: ParkedChange[];
  /** The newest changes, without a gap, while older ones have to be read back. They follow the queue once it reaches them. */
  readonly fresh: ParkedChange[];
  /** Offset in the parked topic of the next record that is not in memory; undefined if it is not known. */
  offset: bigint | undefined;
  /** How often the parked topic was read without finding the next change. */
  misses: number;
  /** What the changes that are written now have in common. */
  layout: LayoutNow | undefined;
  /** The encoders of the changes that are replayed now. */
  encoding: ParkedEncoding | undefined;
  /** Set while the first change was tried and could not be written. */
  stuck: Stuck | undefined;
}

/** The layout of changes, as long as the table has these columns. */
export interface LayoutNow {
  readonly columns: readonly (Attnum | undefined)[];
  readonly table: Pick<TableState, "shape" | "known">;
  readonly text: string;
  /** By place in the tuple: whether the value is kept. */
  readonly keep: readonly boolean[];
}

/** How parked changes of one layout are written in the table's current shape. */
export interface ParkedEncoding {
  readonly layout: string;
  readonly read: ParkedLayout;
  readonly shape: Shape;
  readonly columns: readonly (Attnum | undefined)[];
  readonly encoder: RowEncoder;
  readonly rowKeys: RowEncoder | undefined;
  tx: TxMark | undefined;
}

/** The first change is tried again when any of this has changed, or at that time (microseconds). */
export interface Stuck {
  readonly table: Pick<TableState, "shape" | "known" | "amendments">;
  readonly applied: Lsn | undefined;
  readonly again: bigint;
  /** A catalog read that is under way may still show that no event has to carry the change. */
  readonly unsettled: boolean;
}
