import type { ErrorCode } from "../../errors.ts";
import { isArray, type Json, stableText } from "../../json.ts";
import type { PoisonWay } from "../poison-way.ts";

/**
 * The reasons why an amendment is withheld or released, and why a command was refused, as plain values. They are
 * stored, compared and counted. Only `words/reason.ts` puts them into sentences, so a sentence can be improved without
 * changing any state. Text from another system is quoted in a field named `text`: people may read it, but no decision
 * depends on it.
 */

/** Why it is not known which groups read a topic. */
export type GroupsUnknown =
  | { readonly kind: "not-polled" }
  | { readonly kind: "poll-failed"; readonly text: string }
  /** Kafka does not show which topics the members of these groups read. */
  | { readonly kind: "groups-hidden"; readonly groups: readonly string[] }
  | { readonly kind: "not-recorded" };

/** Live groups of a topic that no contract names. */
export type Unnamed =
  /** `more`: how many further groups there are. */
  | { readonly kind: "known"; readonly groups: readonly string[]; readonly more?: number | undefined }
  | { readonly kind: "unknown"; readonly why: GroupsUnknown };

export const NOT_POLLED: Unnamed = { kind: "unknown", why: { kind: "not-polled" } };

/** Why no schema could be made that the registry could be asked about. */
export type NoCandidate =
  | { readonly kind: "field-name-taken"; readonly field: string }
  | { readonly kind: "no-primary-key" }
  | { readonly kind: "key-columns-withheld" }
  | { readonly kind: "table-replaced" };

/** Reasons that no policy and no operator can overrule. */
export type Blocked =
  | NoCandidate
  | { readonly kind: "not-judged" }
  /** `type` is the column's type, which cannot be mapped to an Avro type. */
  | { readonly kind: "unmapped"; readonly type: string }
  /** The catalog no longer has the column, although the log still carries it. */
  | { readonly kind: "column-dropped-again" }
  | { readonly kind: "registry-unanswered"; readonly code: ErrorCode; readonly text: string }
  | { readonly kind: "registry-refused"; readonly text: string };

/** A consumer or a group that is asked has not agreed. */
export interface NotReady {
  readonly kind: "not-ready";
  /** May be empty if only groups are waited for. */
  readonly consumers: readonly string[];
  /** For strict policy: the groups that are waited for, or why they are not known. */
  readonly unnamed?: Unnamed | undefined;
}

/** Why a policy or an operator withholds a field that the registry would accept. */
type Waits =
  | NotReady
  | { readonly kind: "operator-withheld"; readonly actor: string }
  /** Somebody else has to register its schema. `text`: why the registry does not let Fieldgate do it. */
  | { readonly kind: "registration-awaited"; readonly subject: string; readonly text?: string | undefined }
  | { readonly kind: "policy-manual" }
  /** A key needs an operator. `opposed`: the consumers that are not ready for it. */
  | { readonly kind: "key-changed"; readonly opposed?: NotReady | undefined }
  | { readonly kind: "keyless-backfill" }
  /** The log has columns of the table that the catalog does not explain; it is taken in again as it is. */
  | { readonly kind: "columns-unexplained" }
  /** The publication leaves columns of the table out; its rows flow again once they are sent. */
  | { readonly kind: "columns-not-sent" }
  /** A column was added to a table whose changes are parked. The parked changes do not contain its values. */
  | { readonly kind: "table-parked" }
  /** `id` is another amendment of the same candidate, which an operator withholds. */
  | { readonly kind: "member-withheld"; readonly id: string }
  /** As above, but the other amendment still needs an operator's release. */
  | { readonly kind: "member-not-released"; readonly id: string }
  /** As above, but the values of the other amendment cannot be re-published. */
  | { readonly kind: "member-keyless"; readonly id: string };

/** Why a field flows. */
type Flows =
  | { readonly kind: "released-by"; readonly actor: string; readonly reason?: string | undefined }
  | { readonly kind: "enum-labels" }
  | { readonly kind: "policy-observe" }
  /** `count`: the number of contracts on the topic. */
  | { readonly kind: "all-ready"; readonly count: number; readonly policy: "contracts" | "strict" }
  | { readonly kind: "replacement-accepted" };

/** Watch mode: what Debezium does, which no decision can change. `consumers`: those that are not ready for it. */
type Watched =
  | { readonly kind: "debezium-stops"; readonly text: string }
  /** Every contract on the topic agrees. */
  | { readonly kind: "debezium-next-row"; readonly contracts: number }
  | { readonly kind: "debezium-next-row-anyway"; readonly consumers: readonly string[] }
  | { readonly kind: "debezium-key"; readonly consumers: readonly string[]; readonly keyless: boolean }
  | { readonly kind: "debezium-labels" }
  | { readonly kind: "debezium-follows-table" }
  | { readonly kind: "schema-registered"; readonly subject: string; readonly schemaId: number }
  | { readonly kind: "rows-without-key" };

/** `recorded`: a sentence that an earlier version stored and that this one cannot parse. */
export type Reason = Blocked | Waits | Flows | Watched | { readonly kind: "recorded"; readonly sentence: string };

/** Why a command was refused. `id` is an amendment's. */
export type Refusal =
  | { readonly kind: "watch-mode" }
  | { readonly kind: "superseded" }
  /** Carrying it out ended with an unexpected error. */
  | { readonly kind: "failed" }
  | { readonly kind: "amendment-unknown"; readonly name: string }
  | { readonly kind: "amendment-ambiguous"; readonly name: string; readonly ids: readonly string[] }
  | { readonly kind: "withhold-released"; readonly id: string }
  | { readonly kind: "fill-released"; readonly id: string }
  | { readonly kind: "fill-not-dropped"; readonly id: string }
  | { readonly kind: "fill-without-field"; readonly id: string }
  /** `types` are names of Avro types; the value itself is never stored. */
  | { readonly kind: "fill-value-unfit"; readonly id: string; readonly types: readonly string[] }
  | { readonly kind: "reason-missing"; readonly id: string }
  | { readonly kind: "beside-unfit"; readonly id: string }
  | { readonly kind: "blocked"; readonly id: string; readonly reason: Reason }
  | { readonly kind: "backfill-impossible"; readonly id: string }
  | { readonly kind: "repair-undecided"; readonly id: string }
  | { readonly kind: "opposed"; readonly id: string; readonly reason: NotReady }
  | { readonly kind: "member-withheld"; readonly id: string; readonly member: string }
  | { readonly kind: "member-missing"; readonly id: string; readonly member: string }
  /** `topic`: of the change that waits, or of the command's TOPIC/row. */
  | { readonly kind: "row-unknown"; readonly topic: string }
  | { readonly kind: "row-way-missing"; readonly topic: string }
  | { readonly kind: "row-way-misplaced"; readonly id: string }
  | { readonly kind: "row-with-others" }
  | { readonly kind: "row-reason-missing"; readonly topic: string }
  | { readonly kind: "row-not-null"; readonly topic: string }
  | { readonly kind: "row-passed"; readonly topic: string }
  /** `text` is Kafka's. */
  | { readonly kind: "dead-letters-refused"; readonly topic: string; readonly text: string };

/** The result of a command that was carried out. */
export type Done =
  | { readonly kind: "released"; readonly ids: readonly string[] }
  | { readonly kind: "withheld"; readonly ids: readonly string[] }
  | { readonly kind: "filled"; readonly ids: readonly string[] }
  | { readonly kind: "released-already" }
  | { readonly kind: "partitions-accepted"; readonly ids: readonly string[] }
  | { readonly kind: "repairs-decided"; readonly ids: readonly string[]; readonly backfill: "all" | "none" }
  | { readonly kind: "replacement-accepted" }
  | { readonly kind: "row-settled"; readonly way: PoisonWay };

/** The result of a command. `pending`: a release that still waits. */
export type Outcome =
  /** `ids`: the amendments that it waits for; absent in records of an early version. */
  | { readonly kind: "pending"; readonly ids?: readonly string[] | undefined }
  | { readonly kind: "done"; readonly done: Done }
  | { readonly kind: "refused"; readonly refusals: readonly Refusal[] }
  /** A sentence with which an earlier version answered. */
  | {
      readonly kind: "recorded";
      readonly is: "done" | "refused";
      readonly message: string;
      readonly next?: string | undefined;
    };

/**
 * Identifies an alert: people are alerted again only if this string changes. It covers what happened and who is
 * affected, but no sentences, quoted texts or counts of omitted items.
 */
export function alertKey({ gate }: { readonly gate: { readonly kind: string; readonly reason: Reason } }): string {
  const significant = JSON.stringify(gate.reason, (field, value: Json) =>
    field === "text" || field === "more" ? undefined : isArray(value) ? value.map(String).sort() : value,
  );
  return `${gate.kind} ${stableText(JSON.parse(significant) as Json)}`; // JSON.stringify made it
}
