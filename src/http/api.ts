import type { Contract, ContractName } from "../contract/contract.ts";
import type { Amendment, Explanation, Verdict } from "../gate/amendment.ts";
import type { Mode } from "../gate/state.ts";
import type { Step } from "../plan/step.ts";
import type { Json } from "../table/shape.ts";

/**
 * What the running service answers and takes over HTTP. Every value is JSON-safe: LSNs are text (`16/B374D848`),
 * times are ISO 8601 in UTC. No row value is in any of them. Methods throw GuardError (`not-found`, `refused`, …).
 */
export interface Api {
  health(): Promise<Health>;
  connectors(): Promise<readonly ConnectorView[]>;
  /** Every amendment, or those of one table (`inventory.public.customers` or `public.customers`). */
  amendments(filter: { readonly table?: string | undefined }): Promise<readonly AmendmentView[]>;
  /** `id` is `inventory.public.customers/3` or `topic.field`; an ambiguous one is `refused` naming the ids. */
  amendment(id: string): Promise<AmendmentView>;
  contracts(): Promise<readonly Contract[]>;
  /** Appends to the contracts topic; replaces all that the consumer had for this environment and topic. */
  publishContract(contract: Contract): Promise<{ readonly id: string }>;
  /** Appends a version that is being rolled out: it counts beside the others until the next publishContract. */
  publishRollingOut(contract: Contract): Promise<{ readonly id: string }>;
  /** Withdraws all that the consumer had for this environment and topic, rolling out or not. */
  retireContract(named: ContractName): Promise<Retired>;
  /**
   * Appends to the commands topic. Its outcome comes later. `check` is called with the connector it is for, before
   * anything is appended, and throws when the caller may not operate it.
   */
  command(command: Command, check: (connector: string) => void): Promise<{ readonly id: string }>;
  outcome(commandId: string): Promise<Outcome>;
  topic(name: string): Promise<TopicView>;
  /** What a migration would do to what is published. Nothing is recorded. */
  plan(steps: readonly Step[]): Promise<PlanView>;
}

/** What the amendments of a migration would be, and what of it nobody can tell. */
export interface PlanView {
  readonly amendments: readonly PlannedAmendment[];
  /** `unknown`: what it does to events cannot be told. `table` as the statement writes it. */
  readonly notes: readonly {
    readonly line: number;
    readonly table: string | null;
    readonly message: string;
    readonly kind: "unknown" | "fine";
  }[];
}

export interface PlannedAmendment {
  readonly connector: string;
  readonly mode: Mode;
  readonly topic: string;
  /** `schema.table` as it is before the migration. */
  readonly table: string;
  readonly field: string;
  /** Lines of the statements that make it. */
  readonly lines: readonly number[];
  readonly what: string;
  readonly meanwhile: string;
  /** Would it flow at once, as things are now; watch: would Debezium publish it. */
  readonly flows: boolean;
  readonly why: string;
  readonly verdicts: readonly Verdict[];
  /** The schema the topic would get; null: there is none, or the registry refuses it. */
  readonly schema: string | null;
}

export interface Health {
  /** `starting` until every connector read its state; `stopped` when one has stopped by itself. */
  readonly status: "ok" | "starting" | "stopped";
  readonly deployment: string;
  readonly version: string;
}

export interface ConnectorView {
  readonly name: string;
  /** watch: Debezium publishes; `withheld` is what it has not published yet. */
  readonly mode: Mode;
  readonly status: "starting" | "snapshot" | "streaming" | "retrying" | "stopped";
  /** Why it is retrying or stopped: the GuardError's message and its next step. */
  readonly problem?: ErrorBody | undefined;
  readonly position?: { readonly endLsn: string; readonly commitTime: string | null } | undefined;
  readonly tables: readonly TableView[];
  readonly chunks: readonly ChunkView[];
}

export interface TableView {
  /** `schema.table`. */
  readonly table: string;
  readonly topic: string;
  /** null: nothing is published yet (watch). */
  readonly schemaId: number | null;
  readonly fields: readonly string[];
  readonly withheld: readonly string[];
}

/**
 * Progress of a snapshot or a backfill: `rows` were published of `scanned` read; `estimate` of the table's rows is -1
 * when it was never analyzed; `rate` is rows read a second, and `secondsLeft` null when it cannot be told.
 */
export interface ChunkView {
  readonly kind: "snapshot" | "backfill";
  readonly table: string;
  readonly amendment?: string | undefined;
  readonly rows: number;
  readonly scanned: number;
  readonly estimate: number;
  readonly rate: number;
  readonly secondsLeft: number | null;
  readonly state: "running" | "waiting" | "done" | "refused";
  readonly why?: string | undefined;
}

export interface AmendmentView {
  /** `inventory.public.customers/3`. */
  readonly id: string;
  readonly connector: string;
  readonly mode: Mode;
  readonly topic: string;
  readonly field: string;
  readonly kind: Amendment["kind"];
  /** What of the column is another; empty unless `kind` is `changed`. */
  readonly changes: Amendment["changes"];
  /** The same in words. */
  readonly what: string;
  /** What the events carry until it is released. */
  readonly meanwhile: string;
  /** As the catalog has it; `default` is its expression. null: dropped, or of the key or the table. */
  readonly column: {
    readonly name: string;
    readonly type: string;
    readonly notNull: boolean;
    readonly default: string | null;
  } | null;
  /** What the DDL trigger said: command, who, when. */
  readonly explained: Explanation | null;
  readonly gate: {
    readonly kind: "withheld" | "released";
    /** ISO time, when known. */
    readonly since: string | null;
    readonly position: string | null;
    readonly why: string;
  };
  readonly verdicts: readonly Verdict[];
  /** Live consumer groups of the topic that no contract names. */
  readonly groupsNotNamed: readonly string[];
  /** Why the registry does not take that schema, whatever the contracts say; null: it does, or was not asked yet. */
  readonly refused: string | null;
  /** The schema the topic would get; `widened`: why the field is optional although the column is not. */
  readonly candidate: { readonly schema: string; readonly widened?: string | undefined } | null;
  readonly backfill: ChunkView | null;
  /** The command to type next, e.g. `fieldgate release inventory.public.customers/3`. */
  readonly next: string | null;
}

export interface Command {
  readonly kind: "release" | "withhold" | "fill";
  readonly ids: readonly string[];
  readonly reason?: string | undefined;
  /** Also against contracts that are not ready; needs a reason. */
  readonly force?: boolean | undefined;
  readonly backfill?: "all" | "none" | undefined;
  /** release: the old field stays beside the new one, which has this name or its column's. */
  readonly beside?: { readonly name?: string | undefined } | undefined;
  /** fill: what the kept field of a dropped column carries from here. */
  readonly value?: Json | undefined;
  /** Who says so: the token's name, or without one as the client states it: `anna@laptop`. */
  readonly actor: string;
}

export interface Retired {
  /** How many contracts; 0: none was published. */
  readonly retired: number;
  /** Ids of the amendments that waited for this consumer. */
  readonly waited: readonly string[];
}

export type Outcome =
  | { readonly kind: "pending" }
  | { readonly kind: "done"; readonly message: string }
  | { readonly kind: "refused"; readonly message: string; readonly next?: string | undefined };

/** What flows on a topic now, and what would. */
export interface TopicView {
  readonly topic: string;
  /** Every value schema that has flowed and may still be read, newest last. */
  readonly flowing: readonly { readonly schemaId: number; readonly schema: string }[];
  readonly withheld: readonly {
    readonly amendmentId: string;
    readonly field: string;
    /** The candidate schema's text. */
    readonly candidate: string;
  }[];
}

/** Body of every answer that is not 2xx. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly next: string | null;
}
