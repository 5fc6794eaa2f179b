import type { Contract, ContractName } from "../contract/contract.ts";
import type { SeverityChange } from "../contract/severity.ts";
import type { Finding } from "../finding.ts";
import type { ReleasePolicy } from "../gate/decision/policy.ts";
import type { PoisonWay } from "../gate/poison-way.ts";
import type { Mode } from "../gate/state.ts";
import type { OutcomeText } from "../words/reason.ts";
import type { DdlStep } from "../migration/ddl-step.ts";
import type { AmendmentView, ChunkView, VerdictView } from "./amendment.ts";
import type { CoverageView } from "./coverage.ts";
import type { PlanView } from "./plan.ts";
import type { Command } from "./command.ts";

/**
 * The operations that the running service offers over HTTP. The command line calls the same methods. Every value is
 * JSON-safe: LSNs are text (`16/B374D848`), times are ISO 8601 in UTC. No value contains row data. Methods throw
 * GuardError (`not-found`, `refused`, …).
 */
export interface Api {
  health(): Promise<Health>;
  connectors(): Promise<readonly ConnectorView[]>;
  /** Every amendment, or those of one table (`inventory.public.customers` or `public.customers`). */
  amendments(filter: { readonly table?: string | undefined }): Promise<readonly AmendmentView[]>;
  /** `id` is `inventory.public.customers/3` or `topic.field`. An ambiguous name is `refused`, with the matching ids. */
  amendment(id: string): Promise<AmendmentView>;
  contracts(): Promise<readonly Contract[]>;
  /**
   * Which groups read each topic, and under which contracts. With `policy`, also what that policy would have done with
   * each amendment.
   */
  coverage(asked: { readonly policy?: ReleasePolicy | undefined }): Promise<CoverageView>;
  /** Appends to the contracts topic. Replaces all contracts of the consumer for this environment and topic. */
  publishContract(contract: Contract): Promise<Published>;
  /** Appends a version that is being rolled out. It counts in addition to the others until the next publishContract. */
  publishRollingOut(contract: Contract): Promise<Published>;
  /**
   * Withdraws all contracts of the consumer for this environment and topic, including versions that are being rolled
   * out.
   */
  retireContract(named: ContractName): Promise<Retired>;
  /**
   * Appends to the commands topic; the outcome is known later. Before that, calls `check` with the connector that the
   * command is for. `check` throws if the caller may not operate that connector.
   */
  command(command: Command, check: (connector: string) => void): Promise<{ readonly id: string }>;
  outcome(commandId: string): Promise<OutcomeText>;
  topic(name: string): Promise<TopicView>;
  /** How a migration would change the events. Nothing is recorded. */
  plan(steps: readonly DdlStep[]): Promise<PlanView>;
}

export interface Health {
  /**
   * The worst that is the matter with any connector. `stopped`: it waits for a person. `retrying`: its attempts have
   * been failing for some seconds. `stalled`: it has been waiting for the same thing for a minute. `starting`: it has
   * not read its state yet.
   */
  readonly status: "ok" | "starting" | "stalled" | "retrying" | "stopped";
  /** False while the service waits for Kafka or a connector is starting without having failed. */
  readonly ready: boolean;
  readonly deployment: string;
  readonly version: string;
  /** Connectors that do not read the log, with the error's code; missing if there are none. */
  readonly troubled?:
    | readonly {
        readonly connector: string;
        readonly status: TroubleView["status"];
        readonly code: string | null;
        readonly seconds: number;
      }[]
    | undefined;
  /** Connectors with parked tables, and how many; missing if there are none. */
  readonly parked?: readonly { readonly connector: string; readonly tables: number }[] | undefined;
  /**
   * Connectors that have been waiting for the same thing for some seconds; missing if there are none. It can be read
   * without a token, so unlike ConnectorView it does not name tables or sessions.
   */
  readonly waiting?:
    | readonly { readonly connector: string; readonly for: WaitView["on"]; readonly seconds: number }[]
    | undefined;
}

/** What a connector has been waiting for longest. */
export interface WaitView {
  readonly on: "PostgreSQL" | "Kafka" | "the registry";
  /** Completes the sentence "it waits for …". */
  readonly for: string;
  readonly since: string;
  readonly seconds: number;
  /** After this time the call fails and is tried again; null if it has no limit. */
  readonly limitSeconds: number | null;
  /** The sessions and prepared transactions of the database that cause the wait, as far as they are known. */
  readonly causes: readonly string[];
}

/** What keeps a connector from reading the log, so that everything else about it may be out of date. */
export type TroubleView = NonNullable<AmendmentView["trouble"]>;

export interface ConnectorView {
  readonly name: string;
  /** In watch mode Debezium publishes, and `withheld` is what it has not published yet. */
  readonly mode: Mode;
  readonly status: "starting" | "snapshot" | "streaming" | "retrying" | "stopped";
  /** Why it is retrying or stopped, or why its oldest parked table is parked: the error's message and next step. */
  readonly problem?: ErrorBody | undefined;
  /** Missing unless it has stopped, or has been retrying or waiting for some time. Missing from older services. */
  readonly trouble?: TroubleView | undefined;
  /** Missing unless the connector has been waiting for the same thing for some seconds. */
  readonly waiting?: WaitView | undefined;
  readonly position?: { readonly endLsn: string; readonly commitTime: string | null } | undefined;
  readonly tables: readonly TableView[];
  readonly chunks: readonly ChunkView[];
  /** Tables that the connector's file captures but that cannot be captured yet, each with what to do. */
  readonly notCaptured: readonly { readonly table: string; readonly why: string; readonly next: string }[];
  /** What is wrong with a table, captured or not, although its rows flow. */
  readonly warnings: readonly { readonly table: string; readonly what: string; readonly next: string }[];
}

export interface TableView {
  /** `schema.table`. */
  readonly table: string;
  readonly topic: string;
  /** null if nothing is published yet (watch mode). */
  readonly schemaId: number | null;
  readonly fields: readonly string[];
  readonly withheld: readonly string[];
  /** Columns that are in no event, and why. Missing from older services. */
  readonly leftOut?: readonly LeftOutColumn[] | undefined;
  /** Whether the table has no key, so its rows cannot be read: no snapshot, backfill or repair. */
  readonly keyless?: boolean | undefined;
  /** Set if the table's changes wait, because the first of them cannot be written. */
  readonly parked?: ParkedView | undefined;
  /** Changes that no event can carry. */
  readonly poison?: PoisonView | undefined;
  /** Set if the topic has more partitions than the keys are spread over, until an operator accepts them. */
  readonly morePartitions?: { readonly used: number; readonly now: number; readonly next: string } | undefined;
  /** The last time in which changes of the table were not sent. `open`: whether it is still going on. */
  readonly gap?:
    | { readonly what: string; readonly next: string | null; readonly since: string; readonly open: boolean }
    | undefined;
}

export interface LeftOutColumn {
  readonly column: string;
  readonly kind: "generated" | "type-not-mapped" | "excluded";
  /** One sentence. */
  readonly why: string;
}

export interface ParkedView {
  /** The error's code. */
  readonly code: string;
  readonly what: string;
  /** What to do so that the table flows again. */
  readonly next: string | null;
  /** How many changes are waiting. */
  readonly changes: number;
  /** ISO 8601. */
  readonly since: string;
}

/** The changes of a table that no event can carry. */
export interface PoisonView {
  /** How many are dead letters, and how many were published with null instead of a value. */
  readonly deadLetters: number;
  readonly nulls: number;
  readonly last: {
    readonly as: PoisonWay;
    readonly code: string;
    /** null: the whole change was too large. */
    readonly field: string | null;
    readonly position: string;
    readonly time: string;
  } | null;
  /** The change that waits for an operator. */
  readonly waits: { readonly what: string; readonly next: string; readonly since: string } | null;
}

export interface Published {
  readonly id: string;
  /** Missing from older services. */
  readonly counts?: Counts | undefined;
  /** Other topics on which this consumer has contracts in this environment. Missing from older services. */
  readonly otherTopics?: readonly string[] | undefined;
}

/**
 * What a published contract counts for. It counts where a connector publishes its topic in its environment. `unknown`:
 * these connectors may do so, but they have not read their state yet.
 */
export type Counts =
  | {
      readonly kind: "counts";
      readonly connectors: readonly string[];
      /** Errors against the events that flow now, as `fieldgate check` finds them. Empty if the contract fits. */
      readonly errors: readonly Finding[];
      /** The topic's withheld amendments, with the verdict on this consumer and the others that are not ready. */
      readonly withheld: readonly {
        readonly id: string;
        readonly field: string;
        readonly verdict: VerdictView["verdict"];
        readonly waitsFor: readonly string[];
      }[];
      /** The connectors among them that do not read the log. Missing from older services, and if all of them read it. */
      readonly troubles?: readonly (TroubleView & { readonly connector: string })[] | undefined;
    }
  | {
      readonly kind: "nowhere";
      /** The environments in which the topic is published; empty if no connector publishes it. */
      readonly environments: readonly string[];
      /** The topic that was probably meant, with the environment in which it is published; null if there is none. */
      readonly nearest: { readonly topic: string; readonly environment: string } | null;
    }
  | { readonly kind: "unknown"; readonly connectors: readonly string[] };

export interface Retired {
  /** How many contracts were withdrawn; 0 if none was published. */
  readonly retired: number;
  /** Ids of the amendments that were waiting for this consumer. */
  readonly waited: readonly string[];
}

/** The published schemas of a topic, and those that are withheld. */
export interface TopicView {
  readonly topic: string;
  /** The environment whose contracts count. Missing if it is not a service that answers, or an older one. */
  readonly environment?: string | undefined;
  /** Every value schema that was published, so that events with it may still be in the topic. Newest last. */
  readonly flowing: readonly { readonly schemaId: number; readonly schema: string }[];
  readonly withheld: readonly {
    readonly amendmentId: string;
    readonly field: string;
    /** The text of the candidate schema. */
    readonly candidate: string;
    /** Row fields that it adds, and row fields that a different column would fill. Missing from older services. */
    readonly added?: readonly string[] | undefined;
    readonly moved?: readonly string[] | undefined;
  }[];
  /** A withheld change of the key; undefined if there is none. */
  readonly withheldKey?:
    | {
        readonly amendmentId: string;
        readonly field: string;
        /** The current key schema, as text; undefined if the events have no key. */
        readonly flowing?: string | undefined;
        readonly candidate: string;
      }
    | undefined;
  /** The severities that the connector's file changes; undefined if there are none. */
  readonly severity?: readonly SeverityChange[] | undefined;
}

/** The body of every response whose status is not 2xx. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly next: string | null;
}
