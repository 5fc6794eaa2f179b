import type { ErrorCode } from "../../errors.ts";

/**
 * A table is parked while its next change cannot be written: its changes are kept in order in the connector's parked
 * topic, and those of all other tables flow. The state says why, since when and how many there are; the changes
 * themselves are in the topic. Once they are replayed, the table flows again.
 */

/** Why a change could not be written, by names and without values. */
export interface ParkCause {
  readonly code: ErrorCode;
  /** The field that the value does not fit, and whether the value is null. */
  readonly field?: string | undefined;
  readonly isNull?: boolean | undefined;
  /** The error's own words, which people read and nothing is decided by. */
  readonly text: string;
  readonly next?: string | undefined;
}

export interface Parked {
  /** Part of the keys of its records, so that an earlier time in which the table was parked is not confused with it. */
  readonly id: string;
  readonly why: ParkCause;
  /** A position in the log as text, and ISO 8601. */
  readonly since: string;
  readonly time: string;
  /** How many changes were kept, and how many of those have been replayed or passed over. */
  readonly written: number;
  readonly replayed: number;
  /** How many no event could carry when their turn came; the table's rows are published again in their place. */
  readonly passedOver: number;
  /** It was reported to people that it is parked. */
  readonly reported: boolean;
}

/** A table that flows again, as long as that has not been reported. */
export type Unparked = Pick<Parked, "time" | "written" | "passedOver">;
