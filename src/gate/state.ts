import type { ChunkJob } from "../chunk/job.ts";
import type { Contract } from "../contract/contract.ts";
import type { SeverityChange } from "../contract/severity.ts";
import type { GuardError } from "../errors.ts";
import type { Finding } from "../finding.ts";
import type { ValueModes } from "../event/types/modes.ts";
import type { Attnum, Table, TypeDetail } from "../table/column.ts";
import type { KnownColumn } from "../table/prove.ts";
import type { RegisteredSchema, Shape } from "../table/shape.ts";
import type { Relation } from "../wal/message.ts";
import type { Amendment, Candidate, Explanation, RegistryAnswer, SentAlert } from "./amendment/amendment.ts";
import type { Evidence, GroupPoll } from "./evidence/evidence.ts";
import type { ReleasePolicy } from "./decision/policy.ts";
import type { Outcome } from "./decision/reason.ts";
import type { Json } from "../json.ts";
import type { CaptureFilter, ExcludedColumn } from "../capture/lists.ts";
import type { Gap, Sent, SentNews } from "../capture/sent.ts";

/**
 * The state that `decide` works on, its inputs, and the effects that it asks the loop to carry out. All of it is plain data.
 */

/** One captured table: its shape, its columns by identity, and its amendments. */
export interface TableState {
  readonly shape: Shape;
  /** The last proven list of columns, including those that are withheld or left out. */
  readonly known: readonly KnownColumn[];
  /** The highest attnum assigned when they were proven, dropped columns included; absent in records before 0.2. */
  readonly assigned?: number | undefined;
  /** What the file's column lists keep out, by identity; absent in records before 0.2, and where Debezium publishes. */
  readonly excluded?: readonly ExcludedColumn[] | undefined;
  /** The table's file (Table.filenode) when they were proven; undefined: not known. */
  readonly filenode?: number | undefined;
  /** By attnum, which definition of each column was in force with that file (Column.version); undefined: not known. */
  readonly versions?: Readonly<Record<string, string>> | undefined;
  readonly amendments: readonly Amendment[];
  /** Columns that have been left out since the start because their type is not supported. */
  readonly leftOut: readonly Finding[];
  /** Rows were published while some of their columns could not be identified. */
  readonly doubt: boolean;
  /** Some of those columns are fields that flow: the rows are published again once the columns are identified. */
  readonly emptied?: boolean | undefined;
  /** The name in the connector's file, if the table was renamed since. */
  readonly capturedAs?: { readonly schema: string; readonly name: string } | undefined;
  /** Another table that now has this one's name and waits to be accepted in its place. */
  readonly replacement?: Table | undefined;
  /** The table's own key, if the events use a different one (message.key.columns). Chunks are read in its order. */
  readonly rowKey?: readonly Attnum[] | undefined;
  /** How the publication sent it at the last look. undefined: no one has read the catalog yet. */
  readonly sent?: Sent | undefined;
  /** The last gap: a time in which changes of the table were not sent, over or not. */
  readonly gap?: Gap | undefined;
  /** watch: the registry has no schema for it yet, so the shape is made from its columns and has no schema id. */
  readonly unpublished?: boolean | undefined;
  /** Every value schema that events have been written with, oldest first, the current one last. */
  readonly flowed: readonly RegisteredSchema[];
}

/** Everything known about one connector. All but `contracts` and the last group poll is in its state topic. */
export interface State {
  /** By topic. */
  readonly tables: ReadonlyMap<string, TableState>;
  readonly jobs: ReadonlyMap<string, ChunkJob>;
  /** By contractKey; they are stored in the contracts topic. */
  readonly contracts: ReadonlyMap<string, Contract>;
  /** By command id. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** Which groups were seen reading; part of it is recorded in the state topic. */
  readonly evidence: Evidence;
}

/** watch: Debezium publishes and nothing is withheld; Fieldgate follows what it registers, judges it and alerts. */
export type Mode = "guard" | "watch";

/** What decisions depend on in the connector's file; keys have their own names. */
export interface Rules {
  readonly mode: Mode;
  readonly "fieldgate.environment": string;
  readonly "fieldgate.release.policy": ReleasePolicy;
  /** By topic; a topic that is missing has `fieldgate.release.policy`. */
  readonly policyOf: ReadonlyMap<string, ReleasePolicy>;
  /** Rules that weigh otherwise for every contract that does not say it itself, each until a day. */
  readonly severity?: readonly SeverityChange[] | undefined;
  /** A group whose committed offsets moved within this many milliseconds is live. */
  readonly "fieldgate.groups.seen": number;
  /** A contract none of whose groups was seen for this many milliseconds is stale. */
  readonly "fieldgate.contracts.stale": number;
  /** A backfill of more rows waits for an operator. */
  readonly "fieldgate.backfill.max.rows": number;
  /** How values are written. */
  readonly modes: ValueModes;
  /** Which tables and columns are captured, and what the file says of keys. */
  readonly filter: CaptureFilter;
  /** watch: events are rows, with fields of these names added (view `row`). undefined: they are envelopes. */
  readonly unwrapped?: ReadonlySet<string> | undefined;
}

export interface OperatorCommand {
  readonly id: string;
  readonly kind: "release" | "withhold" | "fill";
  readonly ids: readonly string[];
  readonly reason?: string | undefined;
  /** release: even if contracts are not ready; needs a reason. */
  readonly force?: boolean | undefined;
  readonly backfill?: "all" | "none" | undefined;
  /** release: the old field is kept beside the new one, which has this name or its column's. */
  readonly beside?: { readonly name?: string | undefined } | undefined;
  /** fill: the value that the kept field of a dropped column has in events from now on. */
  readonly value?: Json | undefined;
  /** Who gave it: the token's name, or else what the client states: `anna@laptop`. */
  readonly actor: string;
}

/** Where and when: a position in the log as text, ISO 8601. */
export interface When {
  readonly position: string;
  readonly time: string;
}

/** Everything that can change what flows. */
export type Input =
  | {
      /** The first row that uses a Relation. `columns` identifies its columns; undefined where that is not known. */
      readonly kind: "seen";
      readonly topic: string;
      readonly relation: Relation;
      readonly columns: readonly (Attnum | undefined)[];
      readonly table: Table;
      /** The highest attnum known to be assigned at this place in the log, dropped columns included. */
      readonly assigned: number;
      /** By type OID: catalog details of types that only the Relation names. */
      readonly types?: ReadonlyMap<number, TypeDetail> | undefined;
      /** The DDL message that reported the change. */
      readonly explained?: Explanation | undefined;
      /** The table was rewritten: existing rows may have new values that no event carries. */
      readonly rewritten?: boolean | undefined;
    }
  /** A newly captured table, before its first row. */
  | { readonly kind: "captured"; readonly table: TableState; readonly job?: ChunkJob | undefined }
  /** A row in the log has null in a required field, even if the catalog says NOT NULL again. */
  | { readonly kind: "null-found"; readonly topic: string; readonly field: string }
  /** The name of a captured table now belongs to another table. */
  | { readonly kind: "replaced"; readonly topic: string; readonly table: Table }
  /** A look at the catalog: how the table is sent now, and what that means after how it was sent before. */
  | { readonly kind: "sent"; readonly topic: string; readonly sent: Sent; readonly news: SentNews }
  /** People were reported the table's gap that began at this position. */
  | { readonly kind: "gap-reported"; readonly topic: string; readonly since: string }
  /** After a restart the registry and the contracts are asked again about a withheld amendment. */
  | { readonly kind: "ask"; readonly id: string }
  /** Rows were published without what is withheld; `doubt`: also without columns that could not be identified. */
  | { readonly kind: "passed"; readonly topic: string; readonly doubt: boolean }
  | { readonly kind: "judged"; readonly id: string; readonly answer: RegistryAnswer }
  | { readonly kind: "contract"; readonly key: string; readonly contract: Contract | undefined }
  | { readonly kind: "command"; readonly command: OperatorCommand }
  /** Kafka's consumer groups were read, or could not be. */
  | { readonly kind: "groups"; readonly poll: GroupPoll }
  /** The candidate is registered, and the contracts were read to their end after that. */
  | {
      readonly kind: "registered";
      readonly id: string;
      readonly hash: string;
      readonly schema: RegisteredSchema;
      readonly estimatedRows: number;
    }
  | { readonly kind: "registration-refused"; readonly id: string; readonly hash: string; readonly text: string }
  /** watch: what the registry has for the topic, and the table at the same or a later position in the log. */
  | {
      readonly kind: "observed";
      readonly topic: string;
      readonly value: RegisteredSchema;
      /** undefined: the events have no key, or its schema was not read. */
      readonly key: RegisteredSchema | undefined;
      readonly table: Table;
    }
  /** Decide again on everything that waits on this topic. */
  | { readonly kind: "settle"; readonly topic: string }
  | ({ readonly kind: "alerted" } & SentAlert);

/** What to do about it. `alert` and `report-gap` run after the commit that records the state; the others at once. */
export type Effect =
  | { readonly kind: "judge"; readonly id: string }
  | { readonly kind: "register"; readonly id: string; readonly candidate: Candidate }
  | { readonly kind: "alert"; readonly id: string }
  /** Report people of the table's gap. */
  | { readonly kind: "report-gap"; readonly topic: string }
  | { readonly kind: "stop"; readonly error: GuardError };

/** The next state, and what to do about it. */
export interface Decided {
  readonly state: State;
  readonly effects: readonly Effect[];
}
