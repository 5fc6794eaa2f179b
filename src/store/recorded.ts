import type { ChunkJob, JobReason } from "../chunk/job.ts";
import { type ErrorCode, errorCodes } from "../errors.ts";
import type { Alerted, Amendment, Gate } from "../gate/amendment/amendment.ts";
import {
  alertKey,
  type GroupsUnknown,
  type NotReady,
  type Outcome,
  type Reason,
  type Unnamed,
} from "../gate/decision/reason.ts";

/**
 * Reads records of version 1, in which 0.1.0 stored sentences where reasons are stored now. So an upgrade loses no
 * reason and repeats no alert. The sentences below are frozen: they are 0.1.0's wording and do not follow changes in
 * `words/`.
 */

/** An amendment as 0.1.0 wrote it. */
export interface RecordedAmendment extends Omit<Amendment, "gate" | "alerted" | "name" | "changes"> {
  readonly name?: string | undefined;
  readonly changes?: Amendment["changes"] | undefined;
  readonly gate: RecordedGate;
  /** `withheld: not ready: billing`. */
  readonly told?: string | undefined;
  readonly toldAt?: string | undefined;
  readonly reminders?: number | undefined;
}

interface RecordedGate extends Omit<Extract<Gate, { kind: "released" }>, "kind" | "reason" | "unnamed"> {
  readonly kind: Gate["kind"];
  readonly why: string;
  readonly unnamed?:
    | Extract<Unnamed, { kind: "known" }>
    | { readonly kind: "unknown"; readonly why: string }
    | undefined;
}

/** The registry's answer is left out, because the registry is asked again at every start. */
export function readRecordedAmendment({ told, toldAt, reminders, gate, ...rest }: RecordedAmendment): Amendment {
  return {
    ...rest,
    // The first versions had only added columns, named after their column.
    name: rest.name ?? rest.column?.name ?? "",
    changes: rest.changes ?? [],
    answer: undefined,
    notTaken: undefined,
    gate: readGate(gate),
    alerted: told === undefined ? undefined : readAlerted(told, toldAt, reminders),
  };
}

function readGate({ kind, since, time, why, schemaId, wouldHaveWaitedFor, unnamed }: RecordedGate): Gate {
  const reason = readReason(why);
  if (kind === "withheld") return { kind, since, time, reason };
  const groups =
    unnamed?.kind === "unknown" ? { kind: "unknown" as const, why: readGroupsUnknown(unnamed.why) } : unnamed;
  return { kind, since, time, reason, schemaId, wouldHaveWaitedFor, unnamed: groups };
}

function readAlerted(told: string, time: string | undefined, reminders: number | undefined): Alerted {
  const colon = told.indexOf(": ");
  const key = alertKey({ gate: { kind: told.slice(0, colon), reason: readReason(told.slice(colon + 2)) } });
  return { key, time, reminders: reminders ?? 0 };
}

/** A command's outcome keeps its sentence, because only people read it. */
export function readRecordedOutcome(outcome: RecordedOutcome): Outcome {
  if (outcome.kind === "pending") return outcome;
  return { kind: "recorded", is: outcome.kind, message: outcome.message, next: outcome.next };
}

/** A command's outcome as 0.1.0 wrote it. */
export type RecordedOutcome =
  | { readonly kind: "pending" }
  | { readonly kind: "done" | "refused"; readonly message: string; readonly next?: string };

/** A chunk job as 0.1.0 wrote it. */
export interface RecordedJob extends Omit<ChunkJob, "reason"> {
  readonly why?: string | undefined;
}

export function readRecordedJob({ why, ...job }: RecordedJob): ChunkJob {
  return { ...job, reason: why === undefined ? undefined : readJobReason(why) };
}

type Groups = readonly (string | undefined)[];
type Sentence<T> = readonly [RegExp, (...groups: Groups) => T];

/**
 * The first match counts. Patterns for sentences that quote another system come before patterns that could match the
 * quoted text.
 */
const REASONS: readonly Sentence<Reason>[] = [
  [/^the registry has not answered: (?:\[([a-z-]+)\] )?(.*)$/s, (code, text = "") => unanswered(code, text)],
  [/^the registry refuses the schema: (.*)$/s, (text) => ({ kind: "registry-refused", text: given(text) })],
  [
    /^Debezium's task stops at the first row: the registry refuses the schema: (.*)$/s,
    (text) => ({ kind: "debezium-stops", text: given(text) }),
  ],
  [/^not judged yet$/, () => ({ kind: "not-judged" })],
  [/^Column .+ has type (.+), which is not mapped to Avro; /s, (type = "") => ({ kind: "unmapped", type })],
  [/^the column is dropped again$/, () => ({ kind: "column-dropped-again" })],
  [/^a field (.+) flows already, from another column$/s, (field = "") => ({ kind: "field-name-taken", field })],
  [/^the table has no key now: /, () => ({ kind: "no-primary-key" })],
  [/^the new key's columns do not all flow yet: /, () => ({ kind: "key-columns-withheld" })],
  [/^its name belongs to another table now$/, () => ({ kind: "table-replaced" })],
  [/^policy manual: /, () => ({ kind: "policy-manual" })],
  [/^policy observe$/, () => ({ kind: "policy-observe" })],
  [
    /^another key moves rows to other partitions: [^;]*(?:; (.+) \(until they are, with --force too\))?$/s,
    (opposed) =>
      opposed === undefined ? { kind: "key-changed" } : { kind: "key-changed", opposed: notReady(opposed) },
  ],
  [/^the table has no key, so its values cannot be re-published: /, () => ({ kind: "keyless-backfill" })],
  [/^(\S+) is withheld, and goes with it$/, (id = "") => ({ kind: "member-withheld", id })],
  [/^it goes together with (\S+): release both$/, (id = "") => ({ kind: "member-not-released", id })],
  [/^it goes together with (\S+), whose values /, (id = "") => ({ kind: "member-keyless", id })],
  [/^an enum's label is data, which is never withheld$/, () => ({ kind: "enum-labels" })],
  [/^an operator said so$/, () => ({ kind: "replacement-accepted" })],
  [
    /^(?:not ready: (.+); )?Debezium publishes rows (without|by another) (?:a )?key from the first on/s,
    (names, how) => ({ kind: "debezium-key", consumers: listed(names), keyless: how === "without" }),
  ],
  [/^Debezium publishes rows with them at once; /, () => ({ kind: "debezium-labels" })],
  [/^Debezium goes on with the table of that name$/, () => ({ kind: "debezium-follows-table" })],
  [
    /^not ready: (.+); Debezium publishes it with the first row all the same$/s,
    (names) => ({ kind: "debezium-next-row-anyway", consumers: listed(names) }),
  ],
  [
    /^(.+); Debezium publishes it with the first row$/s,
    (ready) => ({ kind: "debezium-next-row", contracts: count(ready) }),
  ],
  [/^its rows have no key$/, () => ({ kind: "rows-without-key" })],
  [
    /^schema (\d+) of (.+) carries it$/s,
    (id, subject = "") => ({ kind: "schema-registered", subject, schemaId: Number(id) }),
  ],
  [
    /^((?:no contract on|the one contract|all \d+ contracts) [^,]+)(, and no live group that none names)?$/,
    (ready, strict) => ({
      kind: "all-ready",
      count: count(ready),
      policy: strict === undefined ? "contracts" : "strict",
    }),
  ],
  [/^(?=not ready: |no contract names |not known who )(.+)$/s, (text = "") => notReady(text)],
  [/^(.+?) said release(?:: (.*))?$/s, (actor = "", reason) => ({ kind: "released-by", actor, reason })],
  [/^(.+) said withhold$/s, (actor = "") => ({ kind: "operator-withheld", actor })],
];

function readReason(sentence: string): Reason {
  return read(REASONS, sentence) ?? { kind: "recorded", sentence };
}

/** Why a snapshot or a backfill was not run. */
function readJobReason(sentence: string): JobReason {
  return read(JOB_REASONS, sentence) ?? { kind: "recorded", sentence };
}

const JOB_REASONS: readonly Sentence<JobReason>[] = [
  [/^the table has no key$/, () => ({ kind: "keyless" })],
  [/^the table has no key: /, () => ({ kind: "keyless-repair" })],
  [
    /^about (-?[\d.]+) rows: say fieldgate release (\S+) --backfill all, or none$/,
    (rows, amendment = "") => ({ kind: "too-many-rows", rows: Number(rows), amendment }),
  ],
  [/^(.+) said --backfill none$/s, (actor = "") => ({ kind: "declined", actor })],
  [/^another table took the place$/, () => ({ kind: "table-replaced" })],
  [/^the table is dropped$/, () => ({ kind: "table-dropped" })],
  [/^the table has another key$/, () => ({ kind: "key-changed" })],
  [/^its column is dropped$/, () => ({ kind: "column-dropped" })],
];

function read<T>(sentences: readonly Sentence<T>[], text: string): T | undefined {
  for (const [pattern, make] of sentences) {
    const match = pattern.exec(text);
    if (match !== null) return make(...match.slice(1));
  }
  return undefined;
}

function unanswered(code: string | undefined, text: string): Reason {
  const known = code !== undefined && code in errorCodes ? (code as ErrorCode) : "registry-down"; // checked just before
  return { kind: "registry-unanswered", code: known, text };
}

/** Recognizes the text that 0.1.0 stored if the registry gave no reason. */
function given(text = ""): string {
  return text === "the registry gives no reason" ? "" : text;
}

/** Parses `not ready: a, b`, and, under policy `strict`, the groups, with `; ` between the parts. */
function notReady(text: string): NotReady {
  const [, consumers, rest = ""] = /^(?:not ready: (.*?)(?:; |$))?(.*)$/s.exec(text) ?? [];
  const groups = /^no contract names the live groups (.*)$/s.exec(rest)?.[1];
  const unknown = /^not known who reads the topic: (.*)$/s.exec(rest)?.[1];
  const reason: NotReady = { kind: "not-ready", consumers: listed(consumers) };
  if (groups !== undefined) return { ...reason, unnamed: { kind: "known", groups: listed(groups) } };
  if (unknown === undefined) return reason;
  return { ...reason, unnamed: { kind: "unknown", why: readGroupsUnknown(unknown) } };
}

function readGroupsUnknown(text: string): GroupsUnknown {
  const failed = /^could not look at the consumer groups: (.*)$/s.exec(text)?.[1];
  return failed === undefined ? { kind: "not-polled" } : { kind: "poll-failed", text: failed };
}

function listed(names: string | undefined): readonly string[] {
  return names === undefined ? [] : names.split(", ");
}

/** Parses `no contract on the topic`, `the one contract is ready`, `all 3 contracts are ready`. */
function count(ready = ""): number {
  if (ready.startsWith("no ")) return 0;
  return Number(/\d+/.exec(ready)?.[0] ?? 1);
}
