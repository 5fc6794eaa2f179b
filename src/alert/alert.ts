import type { Finding } from "../finding.ts";
import type { Mode } from "../gate/state.ts";

/**
 * What people are sent, as values: amendments withheld or released, a summary of many, and a connector that stopped.
 */

/** How urgent it is: act now; a consumer is not ready; something is withheld; nothing to do. */
export type Severity = "stopped" | "not-ready" | "withheld" | "info";

/** One message to people. JSON-safe, no row values, no secrets. */
export type Alert = WithheldAlert | ReleasedAlert | SummaryAlert | StoppedAlert | NoticeAlert;

/** An amendment as an alert shows it. */
export interface Change {
  /** `inventory.public.customers/3`. */
  readonly id: string;
  readonly topic: string;
  /** `public.customers`. */
  readonly table: string;
  readonly field: string;
  /** What happened, one sentence without its full stop: `column nickname text was added`. */
  readonly what: string;
  /** Why its gate is as it is, one sentence. */
  readonly why: string;
  /** ISO 8601, and a position in the log. */
  readonly since: string;
  readonly position: string;
}

/** A consumer that is not ready, or may not be. */
export interface Waiting {
  readonly consumer: string;
  readonly environment: string;
  readonly verdict: "not-ready" | "unknown";
  /** As its contract says. */
  readonly owner: string | undefined;
  readonly finding: Finding | undefined;
  /** How many more findings there are. */
  readonly more: number;
}

/** Number of reminders so far, including this one. */
export interface Reminder {
  readonly count: number;
  /** Milliseconds until the next one. */
  readonly next: number;
}

export interface WithheldAlert {
  readonly kind: "withheld";
  /** stopped: Debezium's task will stop at the first row. */
  readonly severity: "stopped" | "not-ready" | "withheld";
  readonly mode: Mode;
  readonly connector: string;
  /** At least one. */
  readonly changes: readonly Change[];
  readonly waiting: readonly Waiting[];
  /** Under strict: the live groups without a contract that it waits for. */
  readonly groupsWaitedFor: readonly string[];
  /** Other live groups without a contract: they do not count, but should be mentioned. */
  readonly groupsNotNamed: readonly string[];
  /** Why fields would be optional although their columns are not. */
  readonly widened: readonly string[];
  /** Commands to type next. */
  readonly next: readonly string[];
  readonly reminder: Reminder | undefined;
}

export interface ReleasedAlert {
  readonly kind: "released";
  readonly severity: "not-ready" | "info";
  readonly mode: Mode;
  readonly connector: string;
  /** At least one. */
  readonly changes: readonly (Change & { readonly schemaId: number })[];
  /** The consumers that would have kept something back under policy contracts. */
  readonly wouldHaveWaitedFor: readonly string[];
  /** watch: the same consumers, with the reasons. */
  readonly waiting: readonly Waiting[];
  readonly groupsNotNamed: readonly string[];
  /** What happens to the values written in the meantime. */
  readonly backfills: readonly string[];
  readonly next: readonly string[];
}

/** Instead of many messages in a short time. */
export interface SummaryAlert {
  readonly kind: "summary";
  readonly severity: Severity;
  readonly mode: Mode;
  readonly connector: string;
  readonly withheld: number;
  /** How many of the withheld ones wait for a consumer that is not ready. */
  readonly notReady: number;
  readonly released: number;
  /** Tables by the number of their changes, most first. */
  readonly tables: readonly { readonly table: string; readonly changes: number }[];
  readonly waiting: readonly Waiting[];
}

/** A connector has ended by itself. */
export interface StoppedAlert {
  readonly kind: "stopped";
  readonly severity: "stopped" | "info";
  readonly connector: string;
  /** GuardError's code and message. */
  readonly code: string;
  readonly message: string;
  readonly next: string | undefined;
  /** Position in the log, `16/B374D848`. */
  readonly position: string | undefined;
  /** ISO 8601. */
  readonly since: string;
  readonly reminder: Reminder | undefined;
}

/** Tables that are not sent in full or not captured. */
export interface NoticeAlert {
  readonly kind: "notice";
  readonly severity: "withheld" | "info";
  readonly connector: string;
  /** At least one; each a sentence without its full stop, and what to do. */
  readonly notices: readonly { readonly what: string; readonly next: string | undefined }[];
}
