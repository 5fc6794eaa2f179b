import type { ErrorCode } from "../../errors.ts";

/**
 * A table is parked while its next change cannot be written. Its changes are kept in order in the connector's parked
 * topic, while all other tables flow. The state says why it is parked, since when, and how many changes there are; the
 * changes themselves are in the topic. Once they are replayed, the table flows again.
 */

/** Why a change could not be written. It contains names but no values. */
export interface ParkCause {
  readonly code: ErrorCode;
  /** The field that the value does not fit, and whether the value is null. */
  readonly field?: string | undefined;
  readonly isNull?: boolean | undefined;
  /** The text of the error. People read it, but no decision depends on it. */
  readonly text: string;
  readonly next?: string | undefined;
}

export interface Parked {
  /**
   * Part of the keys of its records, so that they are not confused with those of an earlier time when the table was
   * parked.
   */
  readonly id: string;
  readonly why: ParkCause;
  /** `since` is a position in the log as text, `time` is ISO 8601. */
  readonly since: string;
  readonly time: string;
  /** How many changes were parked, and how many of those have been replayed or skipped. */
  readonly written: number;
  readonly replayed: number;
  /**
   * How many changes no event could contain when their turn came. The table's rows are published again to make up for
   * them.
   */
  readonly passedOver: number;
  /** How many of those were missing from the parked topic. Absent if none was. */
  readonly lost?: number | undefined;
  /** Changes up to this one are of a table or of columns that were replaced since: they are passed over. */
  readonly supersededTo?: number | undefined;
  /** People have been alerted that it is parked. */
  readonly reported: boolean;
}

/** A table that flows again, kept until that has been reported. */
export type Unparked = Pick<Parked, "time" | "written" | "passedOver" | "lost">;
