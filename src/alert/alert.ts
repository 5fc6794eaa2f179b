import type { Finding } from "../finding.ts";
import type { Mode } from "../gate/state.ts";

/**
 * The alerts that people are sent, as values: amendments that are withheld or released, a summary of many, a connector
 * that stopped, and notices about tables.
 */

/**
 * How urgent it is, in this order: someone has to act now; a consumer is not ready; something is withheld; there is
 * nothing to do.
 */
export type Severity = "stopped" | "not-ready" | "withheld" | "info";

/** One message to people. It can be stored as JSON, and contains no row values and no secrets. */
export type Alert = WithheldAlert | ReleasedAlert | SummaryAlert | StoppedAlert | NoticeAlert;

/** An amendment in the form that alerts show. */
export interface Change {
  /** `inventory.public.customers/3`. */
  readonly id: string;
  readonly topic: string;
  /** `public.customers`. */
  readonly table: string;
  readonly field: string;
  /** What happened, as one sentence without its full stop: `column nickname text was added`. */
  readonly what: string;
  /** Why it is withheld or released, as one sentence. */
  readonly why: string;
  /** `since` is an ISO 8601 time, `position` a position in the log. */
  readonly since: string;
  readonly position: string;
}

/** A consumer that is not ready, or about which too little is known. */
export interface Waiting {
  readonly consumer: string;
  readonly environment: string;
  readonly verdict: "not-ready" | "unknown";
  /** The owner named in its contract. */
  readonly owner: string | undefined;
  readonly finding: Finding | undefined;
  /** How many more findings there are. */
  readonly more: number;
}

/** Numbers this reminder. */
export interface Reminder {
  readonly count: number;
  /** Milliseconds until the next reminder. */
  readonly next: number;
}

/**
 * Whether events of the affected tables are published in the meantime. `parked`: the changes of at least one of the
 * tables wait. `none`: the connector publishes nothing.
 */
export type Flow = "flows" | "parked" | "none";

export interface WithheldAlert {
  readonly kind: "withheld";
  /** `stopped`: Debezium's task will stop at the first row. */
  readonly severity: "stopped" | "not-ready" | "withheld";
  readonly mode: Mode;
  readonly connector: string;
  readonly flow: Flow;
  /** At least one. */
  readonly changes: readonly Change[];
  readonly waiting: readonly Waiting[];
  /** Under strict: live groups without a contract that the amendments wait for. */
  readonly groupsWaitedFor: readonly string[];
  /** Other live groups without a contract. They hold nothing back, but should be mentioned. */
  readonly groupsNotNamed: readonly string[];
  /** Why fields would be optional although their columns are NOT NULL. */
  readonly widened: readonly string[];
  /** What dropped columns do to the copies that sinks have of their values, and what to do. */
  readonly overwritten: readonly string[];
  /** The commands to run next. */
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
  /** The consumers that would have held something back under policy contracts. */
  readonly wouldHaveWaitedFor: readonly string[];
  /** Watch mode: the same consumers, with the reasons. */
  readonly waiting: readonly Waiting[];
  readonly groupsNotNamed: readonly string[];
  /** What happens to values that were written in the meantime. */
  readonly backfills: readonly string[];
  readonly next: readonly string[];
}

/** Sent instead of many messages in a short time. */
export interface SummaryAlert {
  readonly kind: "summary";
  readonly severity: Severity;
  readonly mode: Mode;
  readonly connector: string;
  readonly flow: Flow;
  readonly withheld: number;
  /** How many of the withheld amendments wait for a consumer that is not ready. */
  readonly notReady: number;
  readonly released: number;
  /** Tables ordered by number of changes, largest first. */
  readonly tables: readonly { readonly table: string; readonly changes: number }[];
  readonly waiting: readonly Waiting[];
}

/** A connector stopped on its own. */
export interface StoppedAlert {
  readonly kind: "stopped";
  readonly severity: "stopped" | "info";
  readonly connector: string;
  /** The code and the message of the GuardError. */
  readonly code: string;
  readonly message: string;
  readonly next: string | undefined;
  /** Position in the log, `16/B374D848`. */
  readonly position: string | undefined;
  /** ISO 8601. */
  readonly since: string;
  readonly reminder: Reminder | undefined;
}

/**
 * What a notice is about. `rows-missing`: changes are in no event, or were removed with their topic. `table-warning`: the
 * application's writes or the events' key are at risk. `waits`: a snapshot, backfill or repair waits for a person.
 * `slot`: PostgreSQL is about to drop the log that the replication slot keeps. `contract`: a contract is not ready for
 * what flows already; `contract-fits`: it is ready again.
 */
export type NoticeAbout =
  | "rows-missing"
  | "not-captured"
  | "table-warning"
  | "parked"
  | "flows-again"
  | "no-event"
  | "waits"
  | "tables"
  | "topics"
  | "registry"
  | "file-changed"
  | "retrying"
  | "stalled"
  | "slot"
  | "contract"
  | "contract-fits";

/** Notices about tables, topics, contracts, the connector and its file. */
export interface NoticeAlert {
  readonly kind: "notice";
  readonly severity: Severity;
  readonly connector: string;
  /** At least one. `what` is a sentence without its full stop, `next` is what to do. */
  readonly notices: readonly {
    readonly about: NoticeAbout;
    readonly what: string;
    readonly next: string | undefined;
    /** The owner that a contract names. */
    readonly owner?: string | undefined;
  }[];
}
