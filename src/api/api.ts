import type { Contract, ContractName } from "../contract/contract.ts";
import type { SeverityChange } from "../contract/severity.ts";
import type { ReleasePolicy } from "../gate/decision/policy.ts";
import type { Mode } from "../gate/state.ts";
import type { OutcomeText } from "../words/reason.ts";
import type { DdlStep } from "../migration/ddl-step.ts";
import type { AmendmentView, ChunkView } from "./amendment.ts";
import type { CoverageView } from "./coverage.ts";
import type { PlanView } from "./plan.ts";
import type { Command } from "./command.ts";

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
  /** Topics by live groups by contracts. `policy`: and what that policy would have done with each amendment. */
  coverage(asked: { readonly policy?: ReleasePolicy | undefined }): Promise<CoverageView>;
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
  outcome(commandId: string): Promise<OutcomeText>;
  topic(name: string): Promise<TopicView>;
  /** What a migration would do to what is published. Nothing is recorded. */
  plan(steps: readonly DdlStep[]): Promise<PlanView>;
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

export interface Retired {
  /** How many contracts; 0: none was published. */
  readonly retired: number;
  /** Ids of the amendments that waited for this consumer. */
  readonly waited: readonly string[];
}

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
    /** Row fields it has over what flows, and those another column would fill; older services do not say. */
    readonly added?: readonly string[] | undefined;
    readonly moved?: readonly string[] | undefined;
  }[];
  /** Another key of the events that waits. undefined: none does. */
  readonly withheldKey?:
    | {
        readonly amendmentId: string;
        readonly field: string;
        /** The key's schema now, as text. undefined: the events have no key. */
        readonly flowing?: string | undefined;
        readonly candidate: string;
      }
    | undefined;
  /** What the connector's file says of rules' severity. undefined: nothing. */
  readonly severity?: readonly SeverityChange[] | undefined;
}

/** Body of every answer that is not 2xx. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly next: string | null;
}
