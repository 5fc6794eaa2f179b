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
import type { Evidence, Look } from "./evidence/evidence.ts";
import type { ReleasePolicy } from "./decision/policy.ts";
import type { Outcome } from "./decision/reason.ts";
import type { Json } from "../json.ts";
import type { CaptureFilter } from "../capture/lists.ts";

/** One captured table: its shape, who its columns are, and what it has that does not flow. */
export interface TableState {
  readonly shape: Shape;
  /** The last proven list of columns: withheld and left-out ones too. */
  readonly known: readonly KnownColumn[];
  readonly amendments: readonly Amendment[];
  /** Columns whose type is not mapped, since the start. */
  readonly leftOut: readonly Finding[];
  /** Rows were published while some of their columns could not be identified. */
  readonly doubt: boolean;
  /** Some of those columns were fields that flow: their rows are published once more when it is known who they are. */
  readonly emptied?: boolean | undefined;
  /** The name the connector's file takes the table by, when it has another since. */
  readonly capturedAs?: { readonly schema: string; readonly name: string } | undefined;
  /** The table that has this one's name now, and waits to take its place. */
  readonly replacement?: Table | undefined;
  /** The table's own key, when the events have another (message.key.columns): chunks are read in its order. */
  readonly rowKey?: readonly Attnum[] | undefined;
  /** watch: the registry has no schema of it yet; the shape is that of its columns, under no schema's id. */
  readonly unpublished?: boolean | undefined;
  /** Every value schema that has flowed, oldest first, the present one last. */
  readonly flowed: readonly RegisteredSchema[];
}

/** What is known of one connector. Everything but `contracts` and the last look is in its state topic. */
export interface State {
  /** By topic. */
  readonly tables: ReadonlyMap<string, TableState>;
  readonly jobs: ReadonlyMap<string, ChunkJob>;
  /** By contractKey; the contracts topic is their home. */
  readonly contracts: ReadonlyMap<string, Contract>;
  /** By command id. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** Who was seen reading; what is recorded of it is in the state topic. */
  readonly evidence: Evidence;
}

/** watch: a Debezium publishes, whatever anyone says; Fieldgate follows what it registers, judges and tells. */
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
      /** The first row that uses a Relation: who its columns are, undefined where that is not known. */
      readonly kind: "seen";
      readonly topic: string;
      readonly relation: Relation;
      readonly columns: readonly (Attnum | undefined)[];
      readonly table: Table;
      /** By type OID: what the catalog says of types that only the Relation names. */
      readonly types?: ReadonlyMap<number, TypeDetail> | undefined;
      /** A DDL message said it. */
      readonly explained?: Explanation | undefined;
      /** Values of rows that exist may be others now, and no event says so. */
      readonly rewritten?: boolean | undefined;
    }
  /** A table of the file that nobody knew: its first row comes next. */
  | { readonly kind: "captured"; readonly table: TableState }
  /** A row of the log has null in a required field, whatever the catalog says by now. */
  | { readonly kind: "null-found"; readonly topic: string; readonly field: string }
  /** Another table has the name of one of ours. */
  | { readonly kind: "replaced"; readonly topic: string; readonly table: Table }
  /** A withheld amendment after a restart: the registry and the contracts are asked anew. */
  | { readonly kind: "ask"; readonly id: string }
  /** Rows of this topic flow on from here without what is withheld; `doubt`: and without columns nobody can name. */
  | { readonly kind: "passed"; readonly topic: string; readonly doubt: boolean }
  | { readonly kind: "judged"; readonly id: string; readonly answer: RegistryAnswer }
  | { readonly kind: "contract"; readonly key: string; readonly contract: Contract | undefined }
  | { readonly kind: "command"; readonly command: OperatorCommand }
  /** Somebody looked at Kafka's consumer groups, or could not. */
  | { readonly kind: "groups"; readonly look: Look }
  /** The candidate is in the registry and contracts were read to their end after that. */
  | {
      readonly kind: "registered";
      readonly id: string;
      readonly hash: string;
      readonly schema: RegisteredSchema;
      readonly estimatedRows: number;
    }
  | { readonly kind: "registration-refused"; readonly id: string; readonly hash: string; readonly text: string }
  /** watch: what the registry has of the topic, and the table at a place in the log that is not before that. */
  | {
      readonly kind: "observed";
      readonly topic: string;
      readonly value: RegisteredSchema;
      /** undefined: events without a key, or not looked for. */
      readonly key: RegisteredSchema | undefined;
      readonly table: Table;
    }
  /** Whatever waits on this topic is decided on again. */
  | { readonly kind: "settle"; readonly topic: string }
  | ({ readonly kind: "alerted" } & SentAlert);

/** What to do about it. `alert` runs after the commit that records the state; the others at once. */
export type Effect =
  | { readonly kind: "judge"; readonly id: string }
  | { readonly kind: "register"; readonly id: string; readonly candidate: Candidate }
  | { readonly kind: "alert"; readonly id: string }
  | { readonly kind: "stop"; readonly error: GuardError };

export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}
