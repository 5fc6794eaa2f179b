import type { Contracts } from "../contract/contracts.ts";
import type { ChunkJob, StuckRow } from "../chunk/job.ts";
import type { Contract } from "../contract/contract.ts";
import type { SeverityChange } from "../contract/severity.ts";
import type { GuardError } from "../errors.ts";
import type { Finding } from "../finding.ts";
import type { ValueModes } from "../event/types/modes.ts";
import type { Attnum, Table, TypeDetail } from "../table/column.ts";
import type { KnownColumn } from "../table/prove.ts";
import type { RegisteredSchema, Shape } from "../table/shape.ts";
import type { Lsn } from "../wal/lsn.ts";
import type { Relation } from "../wal/message.ts";
import type { Amendment, Candidate, Explanation, RegistryAnswer, SentAlert } from "./amendment/amendment.ts";
import type { ParkCause, Parked, Unparked } from "./parking/parked.ts";
import type { Evidence, GroupPoll } from "./evidence/evidence.ts";
import type { ReleasePolicy } from "./decision/policy.ts";
import type { Outcome } from "./decision/reason.ts";
import type { Json } from "../json.ts";
import type { Poison, PoisonInput } from "./poison.ts";
import type { PoisonWay } from "./poison-way.ts";
import type { CaptureFilter, ExcludedColumn } from "../capture/lists.ts";
import type { Gap, Sent, SentNews } from "../capture/sent.ts";
import type { TableName } from "../table/quote.ts";

/**
 * The state that `decide` works on, its inputs, and the effects that the loop has to carry out. All of it is plain
 * data.
 */

export type Definitions = Readonly<Record<string, { readonly version: string; readonly since: string }>>;

/** One captured table: its shape, its columns by attnum, and its amendments. */
export interface TableState {
  readonly shape: Shape;
  /** The last proven list of columns, including those that are withheld or left out. */
  readonly known: readonly KnownColumn[];
  /**
   * The highest attnum that was assigned when `known` was proven, including dropped columns; absent in records before
   * 0.2.
   */
  readonly assigned?: number | undefined;
  /**
   * A DDL message named the table without describing it, and its columns have not been proven since. Until then, the
   * absence of messages says nothing about `known`.
   */
  readonly undescribed?: boolean | undefined;
  /** The columns that the file's lists exclude, by attnum; absent in records before 0.2, and in watch mode. */
  readonly excluded?: readonly ExcludedColumn[] | undefined;
  /** The table's file (Table.filenode) when `known` was proven; undefined if it is not known. */
  readonly filenode?: number | undefined;
  /**
   * By attnum: the version of each column's definition at the time of that file (Column.version); undefined if it is
   * not known.
   */
  readonly versions?: Readonly<Record<string, string>> | undefined;
  /**
   * By attnum: the version of each column's definition in the newest catalog read or DDL message, and the position in
   * the log since when it is known to be that one; absent in records before 0.2.
   */
  readonly defined?: Definitions | undefined;
  /** Labels of published rows that no catalog read from after these rows has shown yet. */
  readonly unseen?: UnseenLabels | undefined;
  readonly amendments: readonly Amendment[];
  /** Columns that no event can have: generated ones, and those of a type that is not supported (amendment/left-out.ts). */
  readonly leftOut: readonly Finding[];
  /** Rows were published while some of their columns could not be identified, or are missing from the events. */
  readonly doubt: boolean;
  /** Some of those columns are published fields: the rows are published again once the columns are identified. */
  readonly emptied?: boolean | undefined;
  /** The name in the connector's file, if the table was renamed after it was captured. */
  readonly capturedAs?: { readonly schema: string; readonly name: string } | undefined;
  /** A different table that now has this one's name and waits to be accepted in its place. */
  readonly replacement?: Table | undefined;
  /** How many rows of it were passed over: if it is accepted, all its rows are read. */
  readonly replacementRows?: number | undefined;
  /** The table's own key, if the events use a different one (message.key.columns). Chunks are read in its order. */
  readonly rowKey?: readonly Attnum[] | undefined;
  /** How the publication sent it at the last look; undefined until the first look at the catalog. */
  readonly sent?: Sent | undefined;
  /** The last gap, over or not: a time in which changes of the table were not sent. */
  readonly gap?: Gap | undefined;
  /** Set while its changes wait in the parked topic, because the next one cannot be written. */
  readonly parked?: Parked | undefined;
  /** Set if it was parked and flows again, and that has not been reported yet. */
  readonly unparked?: Unparked | undefined;
  /** Changes of it that no event can carry. undefined: there was none. */
  readonly poison?: Poison | undefined;
  /** Watch mode: the registry has no schema for it yet, so the shape is made from its columns and has no schema id. */
  readonly unpublished?: boolean | undefined;
  /** How many of the topic's partitions its keys are spread over; undefined until the topic was described. */
  readonly partitions?: number | undefined;
  /** The topic has this many partitions since, and an operator has not accepted that yet. */
  readonly morePartitions?: number | undefined;
  /** Every value schema that events have been written with, oldest first. The last one is the current one. */
  readonly flowed: readonly RegisteredSchema[];
}

/** Labels with which rows were published although the last proven columns do not have them. */
export interface UnseenLabels {
  readonly labels: readonly {
    readonly attnum: Attnum;
    readonly label: string;
    /** The highest id (pg_enum.oid) of the labels that were known when the row was published; 0 if none was. */
    readonly newest: number;
  }[];
  /** The position of the last of these rows. */
  readonly at: string;
}

/** Everything known about one connector. All of it except `contracts` and the last group poll is in its state topic. */
export interface State {
  /** By topic. */
  readonly tables: ReadonlyMap<string, TableState>;
  readonly jobs: ReadonlyMap<string, ChunkJob>;
  /** They are stored in the contracts topic. */
  readonly contracts: Contracts;
  /** By command id. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** Which groups were seen reading. Part of it is recorded in the state topic. */
  readonly evidence: Evidence;
}

/**
 * In watch mode Debezium publishes and nothing is withheld: Fieldgate judges what Debezium registers, and alerts
 * people.
 */
export type Mode = "guard" | "watch";

/**
 * The settings of the connector's file that decisions depend on. Properties with a dotted name are keys of the file.
 */
export interface Rules {
  readonly mode: Mode;
  readonly "fieldgate.environment": string;
  readonly "fieldgate.release.policy": ReleasePolicy;
  /** By topic. A topic that is missing here has `fieldgate.release.policy`. */
  readonly policyOf: ReadonlyMap<string, ReleasePolicy>;
  /**
   * Severity overrides, each until a given day. They apply to every contract that does not override the rule itself.
   */
  readonly severity?: readonly SeverityChange[] | undefined;
  /** A group is live if its committed offsets moved within this many milliseconds. */
  readonly "fieldgate.groups.seen": number;
  /** A contract is stale if none of its groups was seen for this many milliseconds. */
  readonly "fieldgate.contracts.stale": number;
  /** A backfill of more rows than this waits for an operator. */
  readonly "fieldgate.backfill.max.rows": number;
  /** How values are represented in events. */
  readonly modes: ValueModes;
  /** Which tables and columns are captured, and which keys the file sets. */
  readonly filter: CaptureFilter;
  /** The operations that are in no event. A plan that does not know them assumes `t`, the default. */
  readonly "skipped.operations"?: ReadonlySet<string> | undefined;
  /** Watch mode: events are rows with fields of these names added (view `row`). undefined if they are envelopes. */
  readonly unwrapped?: ReadonlySet<string> | undefined;
}

export interface OperatorCommand {
  readonly id: string;
  readonly kind: "release" | "withhold" | "fill";
  readonly ids: readonly string[];
  readonly reason?: string | undefined;
  /** release: applies even if contracts are not ready; needs a reason. */
  readonly force?: boolean | undefined;
  readonly backfill?: "all" | "none" | undefined;
  /** release: keeps the old field beside the new one, which gets this name or else its column's. */
  readonly beside?: { readonly name?: string | undefined } | undefined;
  /** release of TOPIC/row: what becomes of the change that waits. */
  readonly as?: PoisonWay | undefined;
  /** fill: the value of a dropped column's field in events from this position on. */
  readonly value?: Json | undefined;
  /** Who gave the command: the token's name, or else what the client states: `anna@laptop`. */
  readonly actor: string;
}

/** A position in the log as text, and an ISO 8601 time. */
export interface When {
  readonly position: string;
  readonly time: string;
}

/** Everything that can change what flows. */
export type Input =
  | {
      /**
       * The first row that uses a Relation. `columns` are the attnums of its columns, undefined where they are not
       * known.
       */
      readonly kind: "seen";
      readonly topic: string;
      readonly relation: Relation;
      readonly columns: readonly (Attnum | undefined)[];
      readonly table: Table;
      /** The position in the log at which `table` was like this; undefined if it is not known. */
      readonly tableAt?: Lsn | undefined;
      /** The highest attnum known to be assigned at this position in the log, including dropped columns. */
      readonly assigned: number;
      /** By type OID: catalog details of types that only the Relation names. */
      readonly types?: ReadonlyMap<number, TypeDetail> | undefined;
      /** The DDL message that reported the change. */
      readonly explained?: Explanation | undefined;
      /** For a catalog read at its mark: the log's end at the read, which shows every earlier row's labels. */
      readonly readTo?: Lsn | undefined;
      /** The table was rewritten: existing rows may have new values that no event carries. */
      readonly rewritten?: boolean | undefined;
    }
  /** A newly captured table, before its first row. */
  | { readonly kind: "captured"; readonly table: TableState; readonly job?: ChunkJob | undefined }
  /** A row in the log has null in a required field, even if the catalog now says NOT NULL again. */
  | { readonly kind: "null-found"; readonly topic: string; readonly field: string }
  /** A different table now has the name of a captured table. */
  | {
      readonly kind: "replaced";
      readonly topic: string;
      readonly table: Table;
      /**
       * It is the same table, but the log has other columns of it than the catalog: for an unknown reason, or because
       * the publication leaves some out.
       */
      readonly unexplained?: "columns-unexplained" | "columns-not-sent" | undefined;
    }
  /** That table is gone, or the captured one has its name back. */
  | { readonly kind: "replaced-over"; readonly topic: string }
  /** More rows of that table were passed over. */
  | { readonly kind: "replacement-rows"; readonly topic: string; readonly rows: number }
  /** The result of a look: how the table is sent now, and what has changed since the previous look. */
  | { readonly kind: "sent"; readonly topic: string; readonly sent: Sent; readonly news: SentNews }
  /** People have been alerted to the gap of this table that began at this position. */
  | { readonly kind: "gap-reported"; readonly topic: string; readonly since: string }
  /**
   * The table's next change cannot be written, so its changes are parked from this position on. `id` is used only if
   * the table is not parked yet.
   */
  | { readonly kind: "parked"; readonly topic: string; readonly id: string; readonly why: ParkCause }
  /** How many changes of a parked table were written, replayed and skipped. */
  | ({ readonly kind: "replayed"; readonly topic: string } & Pick<
      Parked,
      "written" | "replayed" | "passedOver" | "lost"
    >)
  /** Every parked change has been replayed or skipped. */
  | ({ readonly kind: "unparked"; readonly topic: string } & Pick<Parked, "written" | "passedOver" | "lost">)
  /** The next row of this job cannot be written, so the job waits. */
  | { readonly kind: "job-stuck"; readonly id: string; readonly stuck: StuckRow }
  /** People were alerted that the table is parked or, without an id, that it flows again. */
  | { readonly kind: "park-reported"; readonly topic: string; readonly id: string | undefined }
  /** After a restart, asks the registry and the contracts again about a withheld amendment. */
  | { readonly kind: "ask"; readonly id: string }
  /** Rows were published without the withheld fields. `doubt`: unidentified columns were left out too. */
  | { readonly kind: "passed"; readonly topic: string; readonly doubt: boolean }
  /** A DDL message named the table without describing it. */
  | { readonly kind: "undescribed"; readonly topic: string }
  /** A row was published with labels that the last proven columns do not have: they were added, or renamed since. */
  | { readonly kind: "labels-published"; readonly topic: string; readonly unseen: UnseenLabels }
  | { readonly kind: "judged"; readonly id: string; readonly answer: RegistryAnswer }
  | { readonly kind: "contract"; readonly key: string; readonly contract: Contract | undefined }
  | { readonly kind: "command"; readonly command: OperatorCommand }
  /** Kafka's consumer groups were read, or reading them failed. */
  | { readonly kind: "groups"; readonly poll: GroupPoll }
  /** The candidate is registered, and after that the contracts were read to their end. */
  | {
      readonly kind: "registered";
      readonly id: string;
      readonly hash: string;
      readonly schema: RegisteredSchema;
      readonly estimatedRows: number;
    }
  | { readonly kind: "registration-refused"; readonly id: string; readonly hash: string; readonly text: string }
  /** The candidate may flow once somebody else has registered it. `text`: why Fieldgate may not. */
  | {
      readonly kind: "registration-awaited";
      readonly id: string;
      readonly hash: string;
      readonly subject: string;
      readonly text?: string | undefined;
    }
  /** Watch mode: what the registry has for the topic, and the table at the same or a later position in the log. */
  | {
      readonly kind: "observed";
      readonly topic: string;
      readonly value: RegisteredSchema;
      /** undefined if the events have no key, or if its schema was not read. */
      readonly key: RegisteredSchema | undefined;
      readonly table: Table;
    }
  /** Decides again about every amendment that is withheld on this topic. */
  | { readonly kind: "settle"; readonly topic: string }
  | ({ readonly kind: "alerted" } & SentAlert)
  | PoisonInput;

/**
 * What the loop has to do. `alert`, `report-gap` and `report-parked` run after the commit that records the state; the others at once.
 */
export type Effect =
  | { readonly kind: "judge"; readonly id: string }
  | { readonly kind: "register"; readonly id: string; readonly candidate: Candidate }
  | { readonly kind: "alert"; readonly id: string }
  /** Alert people to the table's gap. */
  | { readonly kind: "report-gap"; readonly topic: string }
  /** Warn people that these columns are new and generated, so no event will have them. */
  | { readonly kind: "report-generated"; readonly topic: string; readonly columns: readonly string[] }
  /** Warn people that the table has a new name. `before`: the old one. */
  | { readonly kind: "report-rename"; readonly topic: string; readonly before: TableName }
  /** Report that the table is parked, or that it flows again. */
  | { readonly kind: "report-parked"; readonly topic: string }
  | { readonly kind: "stop"; readonly error: GuardError };

export interface Decided {
  readonly state: State;
  readonly effects: readonly Effect[];
}
