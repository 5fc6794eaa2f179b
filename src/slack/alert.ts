import type { Verdict } from "../gate/amendment.ts";

/** Something a person should hear of. JSON-safe, no row values, no secrets. */
export type Alert = WithheldAlert | ReleasedAlert | StoppedAlert;

interface AmendmentAlert {
  readonly connector: string;
  /** `inventory.public.customers/3`. */
  readonly amendmentId: string;
  readonly topic: string;
  readonly field: string;
  /** What happened to the column, for people: `column nickname text was added`. */
  readonly change: string;
}

export interface WithheldAlert extends AmendmentAlert {
  readonly kind: "withheld";
  /** Why the gate is closed, one sentence. */
  readonly why: string;
  /** Who is not ready, or unknown; ready consumers may be left out. */
  readonly consumers: readonly Verdict[];
  /** Live groups no contract names: they do not count, and should know. */
  readonly groupsNotNamed: readonly string[];
  /** Why the field would be optional although the column is not. */
  readonly widened?: string | undefined;
  /** The command to type next. */
  readonly next: string;
}

export interface ReleasedAlert extends AmendmentAlert {
  readonly kind: "released";
  readonly why: string;
  readonly schemaId: number;
  /** Under policy observe: who would have kept it back; empty otherwise. */
  readonly wouldHaveWaitedFor: readonly string[];
  readonly groupsNotNamed: readonly string[];
  /** What happens to the values written meanwhile, one sentence. */
  readonly backfill?: string | undefined;
  readonly next?: string | undefined;
}

export interface StoppedAlert {
  readonly kind: "stopped";
  readonly connector: string;
  /** GuardError's code and message. */
  readonly code: string;
  readonly message: string;
  readonly next?: string | undefined;
  /** Position in the log, `16/B374D848`. */
  readonly position?: string | undefined;
}
