import { nextStep } from "../words/next-step.ts";
import type { Sent } from "../capture/sent.ts";
import type { ChunkJob } from "../chunk/job.ts";
import type { ErrorCode } from "../errors.ts";
import type { Amendment, Verdict } from "../gate/amendment/amendment.ts";
import { otherKeyOf } from "../gate/amendment/key.ts";
import { describeAmendment, nextCommands, renderWidened } from "../words/amendment.ts";
import { contractsOf, unnamedOn } from "../gate/evidence/readers.ts";
import type { State, TableState } from "../gate/state.ts";
import { describeGap, wayBack } from "../words/gap.ts";
import { commandsForRow, describeStuck } from "../words/poison.ts";
import { withheldOf } from "../gate/update.ts";
import type { Status } from "../guard/outside.ts";
import type { AmendmentView, ChunkView } from "../api/amendment.ts";
import type { ConnectorView, ParkedView, TableView, TopicView, WaitView } from "../api/api.ts";
import type { CurrentState, RunningConnector } from "./running.ts";
import { progressOf } from "./progress.ts";
import { leftOutColumns } from "./left-out-view.ts";
import { statusOf } from "./trouble.ts";
import { meanwhileIn, troubleView } from "./trouble-view.ts";
import { LONG_WAIT_MS } from "./watch-waits.ts";
import { describeWait } from "../words/trouble.ts";
import { describeParked } from "../words/parked.ts";
import { seenTexts } from "../words/evidence.ts";
import { renderGroupsUnknown, renderJobReason, renderReason } from "../words/reason.ts";
import { fullName } from "../table/quote.ts";
import type { Shape } from "../table/shape.ts";

/**
 * Turns the state of connectors, tables and amendments into the JSON shapes of the API. Pure: `now` is passed in, in
 * milliseconds.
 */

export function connectorView(running: RunningConnector, now: number): ConnectorView {
  const { state } = running;
  const status = statusOf(running, performance.now());
  const jobs = state === undefined ? [] : [...state.jobs.values()];
  const snapshot = jobs.some((job) => job.kind === "snapshot" && job.state === "running");
  const tables = state === undefined ? [] : [...state.tables.values()];
  return {
    name: running.name,
    mode: running.mode,
    status: status.kind === "streaming" && snapshot ? "snapshot" : status.kind,
    problem: problemOf(status) ?? oldestPark(running.publication, tables),
    trouble: troubleView(running, now),
    waiting: waitView(running, now),
    position: running.last,
    tables: state === undefined ? [] : tables.map((table) => tableView(running, table, state)),
    chunks: jobs.map((job) => chunkView(running, job, now)),
    notCaptured: running.notCaptured,
    warnings: running.warnings,
  };
}

function problemOf(status: Status): ConnectorView["problem"] {
  if (status.kind !== "retrying" && status.kind !== "stopped") return undefined;
  return { code: status.code ?? "unknown", message: status.message, next: status.next ?? null };
}

/** The reason of the table that has been parked for the longest time. */
function oldestPark(publication: string, tables: readonly TableState[]): ConnectorView["problem"] {
  const parks = tables.flatMap((table) => parkedView(publication, table) ?? []);
  const [oldest] = parks.toSorted((left, right) => left.since.localeCompare(right.since));
  return oldest && { code: oldest.code, message: `[${oldest.code}] ${oldest.what}`, next: oldest.next };
}

/** A table that another one has replaced: the rows of that one wait to be read. */
function replacedView(
  publication: string,
  { amendments, replacement, replacementRows = 0, shape, sent }: TableState,
): ParkedView | undefined {
  const waiting = amendments.find(({ kind, gate }) => kind === "table" && gate.kind === "withheld");
  if (waiting === undefined || replacement === undefined) return undefined;
  const [next = wayBackOf(publication, shape, sent)] = nextCommands(waiting);
  const since = waiting.gate.time;
  const code = CODES.get(waiting.gate.reason.kind) ?? "table-replaced";
  return { code, what: describeAmendment(waiting), next: next ?? null, changes: replacementRows, since };
}

/** Codes of errors, by the reason why a table waits to be accepted. */
const CODES: ReadonlyMap<string, ErrorCode> = new Map([
  ["columns-unexplained", "amendment-unsupported"],
  ["columns-not-sent", "publication-unfit"],
]);

function wayBackOf(publication: string, { table }: Shape, sent: Sent | undefined): string | undefined {
  return sent === undefined || sent.kind === "sent" ? undefined : wayBack(table, publication, sent);
}

function parkedView(publication: string, table: TableState): ParkedView | undefined {
  const { parked } = table;
  if (parked === undefined) return replacedView(publication, table);
  const { what, next } = describeParked(table);
  const changes = parked.written - parked.replayed;
  return { code: parked.why.code, what, next: next ?? null, changes, since: parked.time };
}

/** The oldest wait, if it has lasted long enough to be of interest. */
export function waitView({ waits, causes }: RunningConnector, now: number): WaitView | undefined {
  const wait = waits.oldest();
  const ms = wait === undefined ? 0 : performance.now() - wait.since;
  if (wait === undefined || ms < LONG_WAIT_MS) return undefined;
  return {
    on: wait.on,
    for: describeWait(wait),
    since: new Date(now - ms).toISOString(),
    seconds: Math.floor(ms / 1000),
    limitSeconds: wait.limitMs === undefined ? null : wait.limitMs / 1000,
    causes,
  };
}

function tableView({ publication, filter }: RunningConnector, table: TableState, state: State): TableView {
  return {
    table: tableName(table),
    topic: table.shape.topic,
    schemaId: table.unpublished === true ? null : table.shape.valueSchema.id,
    fields: table.shape.fields.map((field) => field.name),
    withheld: withheldOf(table).map((amendment) => amendment.name),
    leftOut: leftOutColumns({ filter }, table),
    keyless: (table.rowKey ?? table.shape.key).length === 0,
    parked: parkedView(publication, table),
    gap: gapView(publication, table, state),
    poison: poisonView(table),
    morePartitions: partitionsView(table),
  };
}

function partitionsView({ shape, partitions, morePartitions }: TableState): TableView["morePartitions"] {
  if (partitions === undefined || morePartitions === undefined) return undefined;
  return { used: partitions, now: morePartitions, next: `fieldgate release ${shape.topic}/partitions --reason "…"` };
}

function poisonView({ shape, poison }: TableState): TableView["poison"] {
  if (poison === undefined) return undefined;
  const { counts, last, stuck } = poison;
  return {
    deadLetters: counts["dead-letter"],
    nulls: counts.null,
    last:
      last === undefined
        ? null
        : { as: last.way, code: last.code, field: last.field ?? null, position: last.position, time: last.time },
    waits:
      stuck === undefined
        ? null
        : { what: describeStuck(stuck), next: commandsForRow(shape.topic, stuck.ways), since: stuck.time },
  };
}

function gapView(publication: string, { shape, gap }: TableState, { jobs }: State): TableView["gap"] {
  if (gap === undefined) return undefined;
  const { what, next } = describeGap(shape.table, publication, gap, jobs.get(`repair/${shape.topic}`));
  return { what, next: next ?? null, since: gap.time, open: gap.news.kind === "lost" };
}

function tableName({ shape }: TableState): string {
  return fullName(shape.table);
}

function chunkView(running: RunningConnector, job: ChunkJob, now: number): ChunkView {
  const { scanned, estimate, rate, secondsLeft } = progressOf(job, running.jobs.starts.get(job.id), now);
  const table = running.state?.tables.get(job.topic);
  return {
    kind: job.kind,
    table: table === undefined ? job.topic : tableName(table),
    amendment: job.column === undefined ? undefined : `${job.topic}/${job.column}`,
    rows: job.rows,
    scanned,
    estimate,
    rate,
    secondsLeft: secondsLeft ?? null,
    state: job.state,
    why: job.stuck?.text ?? (job.reason ? renderJobReason(job.reason) : whyIdle(job, table)),
  };
}

/** Why a running job reads nothing at the moment. */
function whyIdle({ state }: ChunkJob, table: TableState | undefined): string | undefined {
  if (state !== "running" || table === undefined) return undefined;
  if (table.parked !== undefined) return "the table is parked: its rows are read once it flows again";
  return otherKeyOf(table) && "the table has a new key: its rows are read once that is decided";
}

export function amendmentView(
  running: RunningConnector,
  amendment: Amendment,
  current: CurrentState | undefined,
  now: number,
): AmendmentView {
  const { gate, column } = amendment;
  const trouble = troubleView(running, now);
  const unnamed = current && unnamedOn(current.rules, current.state, amendment.topic);
  const job = running.state?.jobs.get(`backfill/${amendment.id}`);
  return {
    id: amendment.id,
    connector: running.name,
    mode: running.mode,
    topic: amendment.topic,
    field: amendment.name,
    kind: amendment.kind,
    changes: amendment.changes,
    what: describeAmendment(amendment),
    meanwhile: meanwhileIn(running, amendment, trouble),
    column:
      column === undefined
        ? null
        : { name: column.name, type: column.typeName, notNull: column.notNull, default: column.defaultExpr ?? null },
    explained: amendment.explained ?? null,
    gate: {
      kind: gate.kind,
      since: gate.time,
      position: gate.since,
      reason: { ...gate.reason },
      why: renderReason(gate.reason),
      unnamed: waitedForGroups(gate),
    },
    verdicts: amendment.verdicts.map((verdict) => ({
      ...verdict,
      seen: consumerEvidence(current, amendment, verdict, now),
    })),
    groupsNotNamed: unnamed?.kind === "known" ? unnamed.groups : [],
    refused: refusedText(amendment),
    candidate: schemaWithField(running, amendment),
    backfill: job === undefined ? null : chunkView(running, job, now),
    trouble,
    next: nextStep(amendment, job, running.mode) ?? null,
  };
}

/** For strict policy: the unnamed groups that the amendment waits for. */
function waitedForGroups({ kind, reason }: Amendment["gate"]): AmendmentView["gate"]["unnamed"] {
  const unnamed = kind === "withheld" && reason.kind === "not-ready" ? reason.unnamed : undefined;
  return unnamed?.kind === "unknown" ? { kind: "unknown", why: renderGroupsUnknown(unnamed.why) } : unnamed;
}

/**
 * Why the amendment cannot be released, whatever the contracts say: the registry rejected its candidate, or it has
 * none.
 */
function refusedText({ gate, answer }: Amendment): string | null {
  if (gate.kind === "released") return null;
  if (answer?.kind === "refused") return answer.text;
  return answer?.kind === "no-candidate" ? renderReason(answer.why) : null;
}

/** The evidence from Kafka about the consumer that a verdict is about. */
function consumerEvidence(
  current: CurrentState | undefined,
  { topic }: Amendment,
  { consumer, environment }: Verdict,
  now: number,
) {
  if (current === undefined) return undefined;
  const contracts = contractsOf(current.state, topic);
  const contract = contracts.find((one) => one.consumer === consumer && one.environment === environment);
  return contract && seenTexts(current.state, contract, now);
}

/** The schema that includes the amendment: the one registered at its release, or its candidate. */
function schemaWithField(running: RunningConnector, { topic, gate, answer }: Amendment): AmendmentView["candidate"] {
  if (gate.kind === "released") {
    const flowed = running.state?.tables.get(topic)?.flowed.find(({ id }) => id === gate.schemaId);
    return flowed === undefined ? null : { schema: flowed.text };
  }
  if (answer?.kind !== "fits" && answer?.kind !== "refused") return null;
  const { text, widened } = answer.candidate;
  return { schema: text, widened: widened === undefined ? undefined : renderWidened(widened) };
}

export function topicView(
  table: TableState,
  { environment, severity }: Pick<TopicView, "environment" | "severity">,
): TopicView {
  const candidates = withheldOf(table).flatMap(({ id, name, column, answer }) => {
    if (answer?.kind !== "fits" && answer?.kind !== "refused") return [];
    const { part, text, added, moved } = answer.candidate;
    return [{ part, added, moved, is: { amendmentId: id, field: column?.name ?? name, candidate: text } }];
  });
  const values = candidates.filter(({ part }) => part === "value");
  const withheld = values.map(({ is, added, moved }) => ({ ...is, added, moved }));
  const key = candidates.find(({ part }) => part === "key")?.is;
  const withheldKey = key && { ...key, flowing: table.shape.keySchema?.text };
  const flowed = table.unpublished === true ? [] : table.flowed;
  const flowing = flowed.map(({ id, text }) => ({ schemaId: id, schema: text }));
  return { topic: table.shape.topic, environment, flowing, withheld, withheldKey, severity };
}
