import { type ChunkJob, newJob, startOver } from "../../chunk/job.ts";
import type { Amendment, Order, RegistryAnswer } from "../amendment/amendment.ts";
import { dueRows, needsBackfill, type Published } from "../amendment/backfill.ts";
import { candidateOf, isOf, type Made } from "../amendment/candidate.ts";
import { blockedBy } from "./policy.ts";
import { contractsOf, unnamedOn } from "../evidence/readers.ts";
import { decisionOn, keptBack, membersOf, settle, weigh } from "./settle.ts";
import type { Effect, Input, Rules, State, Decided, TableState, When } from "../state.ts";
import {
  findAmendment,
  isWaitedFor,
  step,
  withAmendment,
  withheldOf,
  withJob,
  answered,
  withTable,
} from "../update.ts";

/**
 * From the registry's answer to the release: a candidate is judged, registered and then released, which is called the
 * flip. The backfill that a release needs is planned here too.
 */

type Judged = Extract<Input, { kind: "judged" }>;
type Registered = Extract<Input, { kind: "registered" }>;
type Refused = Extract<Input, { kind: "registration-refused" }>;
type AwaitedRegistration = Extract<Input, { kind: "registration-awaited" }>;

/**
 * Handles the registry's answer about a candidate. If the shape or the column has changed since, the registry is asked
 * again.
 */
export function onJudged(rules: Rules, state: State, { id, answer }: Judged, when: When): Decided {
  const found = findAmendment(state, id);
  if (found === undefined || found.amendment.gate.kind === "released") return step(state);
  if (
    answer.kind !== "unanswered" &&
    !isOf(rules, found.table, found.amendment, answer.kind === "no-candidate" ? undefined : answer.candidate)
  ) {
    return step(state, { kind: "judge", id });
  }
  const amendment = { ...found.amendment, answer: heard(found.amendment, answer) };
  const { order } = amendment;
  if (!isRefusal(amendment.answer) || order?.kind !== "release") {
    return settle(rules, withAmendment(state, amendment), id, when);
  }
  const next = refuseOrder(state, amendment, order);
  // The registry rejected the new field beside the old one, so the plain change is judged again.
  if (order.beside === undefined) return settle(rules, next, id, when);
  return step(withAmendment(next, { ...amendment, order: undefined, answer: undefined }), { kind: "judge", id });
}

/** Whether no release can be carried out, because the registry rejected the candidate or there is none. */
function isRefusal({ kind }: RegistryAnswer): boolean {
  return kind === "refused" || kind === "no-candidate";
}

/** A release that was ordered before the registry answered is refused for the same reason. */
function refuseOrder(state: State, amendment: Amendment, { command }: Order): State {
  const next = withAmendment(state, { ...amendment, order: undefined });
  const reason = blockedBy(amendment) ?? { kind: "not-judged" };
  return answered(next, command, { kind: "refused", refusals: [{ kind: "blocked", id: amendment.id, reason }] });
}

/** A candidate that the registry refused to register remains refused, whatever its compatibility check says now. */
function heard({ notTaken }: Amendment, answer: RegistryAnswer): RegistryAnswer {
  if (answer.kind !== "fits" || answer.candidate.hash !== notTaken?.hash) return answer;
  return { kind: "refused", candidate: answer.candidate, text: notTaken.text };
}

/**
 * Releases a registered candidate from this position on, if the contracts still allow it. The verdicts are computed
 * again for the exact schema that will flow. Only the candidate that was registered is ever released.
 */
export function onFlip(rules: Rules, state: State, input: Registered, when: When): Decided {
  const found = findAmendment(state, input.id);
  if (found === undefined || found.amendment.gate.kind === "released") return step(state);
  const { table } = found;
  const answer = found.amendment.answer;
  if (answer?.kind !== "fits" || answer.candidate.hash !== input.hash) return settle(rules, state, input.id, when);
  const making = candidateOf(rules, table, found.amendment, answer.candidate.widened !== undefined);
  if (making.kind === "none" || making.made.candidate.hash !== input.hash)
    return step(state, { kind: "judge", id: input.id });
  const amendment = { ...found.amendment, verdicts: weigh(rules, state, table, found.amendment, when) };
  const decision = decisionOn(rules, state, table, amendment);
  if (decision.kind === "waits") return settle(rules, state, input.id, when);
  const gate: Amendment["gate"] = {
    kind: "released",
    since: when.position,
    time: when.time,
    reason: decision.reason,
    schemaId: input.schema.id,
    wouldHaveWaitedFor: decision.wouldHaveWaitedFor,
    unnamed: unnamedOn(rules, state, amendment.topic),
  };
  return applyRelease(rules, state, table, { ...amendment, gate }, making.made, input);
}

/**
 * Releases the amendment and its members. With --beside, the amendment stays withheld until the old field is removed.
 */
function applyRelease(
  rules: Rules,
  state: State,
  table: TableState,
  released: Amendment,
  made: Made,
  input: Registered,
): Decided {
  const members = membersOf(table, made.candidate);
  const beside = released.order?.beside !== undefined;
  const amendments = table.amendments.map((amendment) => {
    if (amendment.id === released.id) return beside ? waitingStill(amendment) : { ...released, answer: undefined };
    if (members.includes(amendment)) return { ...amendment, gate: released.gate, answer: undefined };
    return amendment.gate.kind === "withheld" ? { ...amendment, answer: undefined } : amendment;
  });
  const withShape = withTable(state, { ...table, ...shapeWith(table, made, input), amendments });
  const next = made.candidate.part === "key" ? withJobsFromStart(withShape, released.topic) : withShape;
  const waiting = withheldOf({ ...table, amendments }).filter(isAskedAbout);
  const again: Effect[] = waiting.map(({ id }) => ({ kind: "judge", id }));
  const owed = [released, ...members].reduce(
    (now, one) => withBackfill(rules, now, one, table, input.estimatedRows),
    next,
  );
  const done = [released, ...members].reduce(answerOrder, owed);
  const alerts: Effect[] = [released, ...members].map(({ id }) => ({ kind: "alert", id }));
  return step(done, ...again, ...alerts);
}

/** Restarts the topic's running jobs, because their cursors and their keys to re-read belong to the previous key. */
function withJobsFromStart(state: State, topic: string): State {
  const open = [...state.jobs.values()].filter((job) => job.topic === topic && job.state === "running");
  return open.reduce((now, job) => withJob(now, startOver(job)), state);
}

function isAskedAbout({ kind, gone, unmapped }: Amendment): boolean {
  return kind !== "table" && !gone && unmapped === undefined;
}

function shapeWith(
  table: TableState,
  { candidate, shape }: Made,
  { schema }: Registered,
): Pick<TableState, "shape" | "flowed"> {
  if (candidate.part === "key") return { shape: { ...shape, keySchema: schema }, flowed: table.flowed };
  return { shape: { ...shape, valueSchema: schema }, flowed: [...table.flowed, schema] };
}

/** Both fields flow, so the order is done. The amendment that removes the old field is still withheld. */
function waitingStill(amendment: Amendment): Amendment {
  return { ...amendment, order: undefined, answer: undefined, notTaken: undefined };
}

/** Adds the backfill that the release needs. `before` is the table before the release. */
function withBackfill(rules: Rules, state: State, released: Amendment, before: TableState, rows: number): State {
  const table = state.tables.get(released.topic);
  if (table === undefined || released.order?.backfill === "none") return state;
  const contracts = contractsOf(state, released.topic);
  const writersSchemaRead = contracts.some(({ decodesWith }) => decodesWith === "writer");
  const field = table.shape.fields.findLast(
    (one) => one.attnum === released.attnum && !before.shape.fields.includes(one),
  );
  const published: Published = { flowed: before.flowed, writersSchemaRead, modes: rules.modes };
  const wanted = released.order?.backfill === "all" || needsBackfill(released, field, published);
  return wanted
    ? withJob(state, backfillJob(rules, released, dueRows(released, field, published), rows, table))
    : state;
}

function backfillJob(
  rules: Rules,
  released: Amendment,
  due: ChunkJob["due"],
  rows: number,
  table: TableState,
): ChunkJob {
  const keyless = table.shape.key.length === 0;
  const agreed = released.order?.backfill === "all";
  const tooMany = rows > rules["fieldgate.backfill.max.rows"] && !agreed;
  return {
    ...newJob(`backfill/${released.id}`, released.topic, "backfill"),
    column: released.attnum,
    due,
    estimate: rows,
    ...(agreed ? { cleared: true } : {}),
    state: keyless ? "refused" : tooMany ? "waiting" : "running",
    reason: keyless
      ? { kind: "keyless" }
      : tooMany
        ? { kind: "too-many-rows", rows, amendment: released.id }
        : undefined,
  };
}

/** Replies to an operator's release command once all the amendments in it are flowing. */
function answerOrder(state: State, released: Amendment): State {
  const command = released.order?.command;
  if (command === undefined) return state;
  const open = isWaitedFor(state, command, state.outcomes.get(command));
  return open ? state : answered(state, command, { kind: "done", done: { kind: "released", ids: [released.id] } });
}

/** Somebody else has to register the candidate. Until then it stays judged, and people are alerted once. */
export function onAwaitedRegistration(state: State, { id, hash, subject, text }: AwaitedRegistration): Decided {
  const found = findAmendment(state, id);
  if (found === undefined || found.amendment.gate.kind === "released") return step(state);
  const { answer, gate } = found.amendment;
  if (answer?.kind !== "fits" || answer.candidate.hash !== hash) return step(state);
  const { reason } = gate;
  const isKnown = reason.kind === "registration-awaited" && reason.subject === subject && reason.text === text;
  return isKnown ? step(state) : keptBack(state, found.amendment, { kind: "registration-awaited", subject, text });
}

/**
 * The registry refused to register a schema that it had called compatible, for example because its level was raised in
 * between. The field is withheld and judged again, because a different form of it may be accepted.
 */
export function onRefusedRegistration(state: State, input: Refused): Decided {
  const found = findAmendment(state, input.id);
  if (found === undefined || found.amendment.gate.kind === "released") return step(state);
  const { amendment } = found;
  const { answer, order } = amendment;
  if (answer?.kind !== "fits" || answer.candidate.hash !== input.hash) return step(state);
  const { id, text } = input;
  const reason = { kind: "registry-refused", text } as const;
  const next = withAmendment(state, {
    ...amendment,
    answer: undefined,
    notTaken: { hash: input.hash, text },
    order: order?.kind === "withhold" ? order : undefined,
    gate: { kind: "withheld", since: amendment.gate.since, time: amendment.gate.time, reason },
  });
  const refused = { kind: "refused", refusals: [{ kind: "blocked", id, reason }] } as const;
  return step(order?.kind === "release" ? answered(next, order.command, refused) : next, { kind: "judge", id });
}
