import type { TableState } from "../gate/state.ts";

/** What has to change before a job is tried again, or the time (microseconds) at which it is in any case. */
export interface StuckJob {
  readonly table: Pick<TableState, "shape" | "known" | "amendments" | "poison">;
  readonly again: bigint;
}
