import type { JobReason } from "../chunk/job.ts";
import { renderRows } from "./progress.ts";
import type { Done, GroupsUnknown, NotReady, Outcome, Reason, Refusal } from "../gate/decision/reason.ts";

/**
 * The sentences for every reason, refusal and outcome. They are rendered whenever somebody reads them and are never
 * stored or compared. So a sentence can be improved freely: no state changes, and no alert is repeated.
 */

type Sentences<T extends { readonly kind: string }> = {
  readonly [Kind in T["kind"]]: (value: Extract<T, { readonly kind: Kind }>) => string;
};

const REASONS: Sentences<Reason> = {
  "not-judged": () => "not judged yet",
  unmapped: ({ type }) => `type ${type} is not supported; the column is left out of the events`,
  "column-dropped-again": () => "the column has been dropped in the meantime",
  "registry-unanswered": ({ code, text }) => `the registry has not answered: [${code}] ${text}`,
  "registry-refused": ({ text }) => rejectedText(text),
  "field-name-taken": ({ field }) => `another column already fills a field named ${field}`,
  "no-primary-key": () => "the table no longer has a primary key: add one, or capture it with a new connector",
  "key-columns-withheld": () => "columns of the new key are still withheld: release them first",
  "table-replaced": () => "the table's name now belongs to a different table",
  "not-ready": notReadyText,
  "operator-withheld": ({ actor }) => `withheld by ${actor}`,
  "registration-awaited": ({ subject, text }) =>
    `its schema has to be registered under ${subject}, then it flows: ${text ?? "fieldgate.register is external"}`,
  "policy-manual": () => "policy manual: an operator has to release it",
  "key-changed": ({ opposed }) =>
    `a new key moves rows to other partitions: release it with --reason${
      opposed === undefined ? "" : `; ${notReadyText(opposed)} (to release it anyway, add --force)`
    }`,
  "keyless-backfill": () =>
    "the table has no key, so its values cannot be re-published: release it with --backfill none",
  "columns-unexplained": () => "the log has columns of the table that the catalog does not explain",
  "columns-not-sent": () =>
    "the publication sends other columns of the table than its events have: all its rows are published again once that is corrected",
  "table-parked": () => "the table is parked: the field flows once its parked changes are replayed",
  "member-withheld": ({ id }) => `it goes together with ${id}, which is withheld`,
  "member-not-released": ({ id }) => `it goes together with ${id}: release both`,
  "member-keyless": ({ id }) => `it goes together with ${id}, whose values cannot be re-published`,
  "released-by": ({ actor, reason }) => `released by ${actor}${reason === undefined ? "" : `: ${reason}`}`,
  "enum-labels": () => "enum labels are data and are never withheld",
  "policy-observe": () => "policy observe",
  "all-ready": ({ count, policy }) =>
    `${readyText(count)}${policy === "strict" ? ", and contracts name every live group" : ""}`,
  "replacement-accepted": () => "an operator accepted the new table",
  "debezium-stops": ({ text }) => `Debezium's task will stop at the first row: ${rejectedText(text)}`,
  "debezium-next-row": ({ contracts }) => `${readyText(contracts)}; Debezium publishes it with the first row`,
  "debezium-next-row-anyway": ({ consumers }) =>
    `not ready: ${consumers.join(", ")}; Debezium publishes it with the first row anyway`,
  "debezium-key": ({ consumers, keyless }) =>
    `${consumers.length === 0 ? "" : `not ready: ${consumers.join(", ")}; `}Debezium publishes rows ${
      keyless ? "without a key from now on" : "under the new key from now on, which moves them to other partitions"
    }`,
  "debezium-labels": () => "Debezium already publishes rows with them; its schema lists them after its next restart",
  "debezium-follows-table": () => "Debezium continues with the new table of that name",
  "schema-registered": ({ subject, schemaId }) => `schema ${schemaId} of ${subject} contains it`,
  "rows-without-key": () => "its rows have no key",
  recorded: ({ sentence }) => sentence,
};

/** Every kind of reason, in the order of the table. The API lists them. */
export const REASON_KINDS = Object.keys(REASONS) as readonly Reason["kind"][]; // the table has exactly these

/**
 * Why an amendment is withheld or released: one sentence that does not begin with a capital letter or end with a full
 * stop.
 */
export function renderReason(reason: Reason): string {
  return render(REASONS, reason);
}

/** Why it is not known which groups read a topic. */
export function renderGroupsUnknown(why: GroupsUnknown): string {
  return render(GROUPS_UNKNOWN, why);
}

const GROUPS_UNKNOWN: Sentences<GroupsUnknown> = {
  "not-polled": () => "the consumer groups have not been read yet",
  "groups-hidden": ({ groups }) =>
    `Kafka does not show which topics ${groups.length === 1 ? "the group" : "the groups"} ${groups.join(", ")} ${groups.length === 1 ? "reads" : "read"}`,
  "poll-failed": ({ text }) => `the consumer groups could not be read: ${text}`,
  "not-recorded": () => "the release did not record who read the topic",
};

function notReadyText({ consumers, unnamed }: NotReady): string {
  const parts = consumers.length === 0 ? [] : [`not ready: ${consumers.join(", ")}`];
  if (unnamed?.kind === "unknown")
    parts.push(`it is not known who reads the topic: ${renderGroupsUnknown(unnamed.why)}`);
  if (unnamed?.kind === "known") {
    const more = unnamed.more === undefined ? "" : ` and ${unnamed.more} more`;
    parts.push(`no contract names the live groups ${unnamed.groups.join(", ")}${more}`);
  }
  return parts.join("; ");
}

function rejectedText(text: string): string {
  return text === ""
    ? "the registry rejected the schema without giving a reason"
    : `the registry rejected the schema: ${text}`;
}

function readyText(contracts: number): string {
  if (contracts === 0) return "no contract on the topic";
  return contracts === 1 ? "the one contract is ready" : `all ${contracts} contracts are ready`;
}

const REFUSALS: Sentences<Refusal> = {
  "watch-mode": () => "in watch mode Debezium publishes and nothing is withheld: there is nothing to decide here",
  superseded: () => "another command superseded it, or its column has been changed or dropped in the meantime",
  failed: () => "carrying it out ended with an unexpected error, and nothing was changed: see the service's log",
  "amendment-unknown": ({ name }) => `there is no amendment ${name}`,
  "amendment-ambiguous": ({ name, ids }) => `${name} could be any of ${ids.join(", ")}`,
  "withhold-released": ({ id }) => `${id} already flows: withholding it now would drop the field from the events`,
  "fill-released": ({ id }) => `${id} is already released`,
  "fill-not-dropped": ({ id }) => `${id}: only the field of a dropped column can be filled`,
  "fill-without-field": ({ id }) => `${id}: the events have no field of this column`,
  "fill-value-unfit": ({ id, types }) => `${id}: the value is not an Avro ${types.join(" or ")}`,
  "reason-missing": ({ id }) => `${id}: give the reason with --reason, because consumers find rows by their key`,
  "beside-unfit": ({ id }) => `${id}: --beside is for a renamed or retyped column, under a name that no field has`,
  blocked: ({ id, reason }) => `${id}: ${renderReason(reason)}`,
  "backfill-impossible": ({ id }) =>
    `${id}: the table has no key, so its values cannot be re-published: add --backfill none`,
  "repair-undecided": ({ id }) => `${id}: say --backfill all to publish the table's rows again, or none`,
  opposed: ({ id, reason }) => `${id}: ${renderReason(reason)}; to release it anyway, add --force --reason`,
  "member-withheld": ({ id, member }) => `${id}: it goes together with ${member}, which is withheld: release both`,
  "member-missing": ({ id, member }) => `${id}: it goes together with ${member}: release both`,
  "row-unknown": ({ topic }) => `no change of ${topic} waits for a decision`,
  "row-way-missing": ({ topic }) => `${topic}/row: say what becomes of the change with --as null or --as dead-letter`,
  "row-way-misplaced": ({ id }) => `${id}: --as is for TOPIC/row, a change that waits`,
  "row-with-others": () => "TOPIC/row is released alone",
  "row-reason-missing": ({ topic }) => `${topic}/row: say why with --reason`,
  "row-not-null": ({ topic }) =>
    `${topic}/row: null is not possible there: the field is required or in the key, or the whole change is too large`,
  "row-passed": ({ topic }) => `the change of ${topic} no longer waits`,
  "dead-letters-refused": ({ topic, text }) => `no dead letters can be written to ${topic}: ${text}`,
};

const DONE: Sentences<Done> = {
  released: ({ ids }) => `released: ${ids.join(", ")}`,
  withheld: ({ ids }) => `withheld: ${ids.join(", ")}`,
  filled: ({ ids }) => `filled from this position on: ${ids.join(", ")}`,
  "released-already": () => "already released",
  "partitions-accepted": ({ ids }) => `${ids.join(", ")}: keys are spread over all partitions from this position on`,
  "repairs-decided": ({ ids, backfill }) =>
    `${ids.join(", ")}: the rows are ${backfill === "all" ? "published again" : "not published again"}`,
  "replacement-accepted": () => "the new table is accepted: its rows are published",
  "row-settled": ({ way }) =>
    way === "null" ? "published with null instead of the value" : "the change is in the dead letters",
};

/** Why a snapshot or a backfill waits, was refused or ended early. */
export function renderJobReason(reason: JobReason | undefined): string {
  if (reason === undefined) return "values written in the meantime are being re-published";
  return render(JOB_REASONS, reason);
}

const JOB_REASONS: Sentences<JobReason> = {
  keyless: () => "the table has no key",
  "keyless-repair": () => "the table has no key: rows that readers lack, or have with old values, are not re-published",
  "too-many-rows": ({ rows, moreThan, amendment }) =>
    `${manyRows(rows, moreThan)}: start it with fieldgate release ${amendment} --backfill all, or decline it with none`,
  declined: ({ actor }) => `declined by ${actor} with --backfill none`,
  "table-replaced": () => "a different table has replaced it",
  "key-changed": () => "the table has a new key",
  "column-dropped": () => "its column has been dropped",
  "table-dropped": () => "the table has been dropped",
  recorded: ({ sentence }) => sentence,
};

function manyRows(rows: number, moreThan: number | undefined): string {
  if (rows >= 0) return `about ${renderRows(rows)}`;
  return moreThan === undefined ? "an unknown number of rows" : `more than ${renderRows(moreThan)}`;
}

/** A command's outcome, with its message. */
export type OutcomeText =
  /** `waits`: what a release waits for, by amendment. Missing from older services, and before it has begun. */
  | { readonly kind: "pending"; readonly waits?: readonly { readonly id: string; readonly why: string }[] | undefined }
  | { readonly kind: "done"; readonly message: string }
  | { readonly kind: "refused"; readonly message: string; readonly next?: string | undefined };

export function renderOutcome(outcome: Outcome): OutcomeText {
  switch (outcome.kind) {
    case "pending":
      return { kind: "pending" };
    case "done":
      return { kind: "done", message: render(DONE, outcome.done) };
    case "refused": {
      const message = outcome.refusals.map((refusal) => render(REFUSALS, refusal)).join("; ");
      const isWatch = outcome.refusals.some(({ kind }) => kind === "watch-mode");
      return isWatch ? { kind: "refused", message, next: WATCH_NEXT } : { kind: "refused", message };
    }
    case "recorded":
      return { kind: outcome.is, message: outcome.message, next: outcome.next };
    default:
      return outcome satisfies never;
  }
}

const WATCH_NEXT = "make the consumers ready: fieldgate can-i-release shows which are not";

function render<T extends { readonly kind: string }>(sentences: Sentences<T>, value: T): string {
  // The table pairs each kind with a function of that kind's value; TypeScript loses this pairing when the table is
  // indexed.
  const sentence = sentences[value.kind as T["kind"]] as (value: T) => string;
  return sentence(value);
}
