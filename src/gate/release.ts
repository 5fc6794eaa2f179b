import type { ChunkJob } from "../chunk/job.ts";
import type { Amendment, Answer, Candidate } from "./amendment.ts";
import { dueRows, needsBackfill } from "./backfill.ts";
import { insertField, isOf } from "./candidate.ts";
import { mayFlow } from "./policy.ts";
import { policyOf, settle, weigh } from "./settle.ts";
import type { Effect, Input, Rules, State, Step, TableState, When } from "./state.ts";
import { findAmendment, step, withAmendment, withheldOf, withOutcome, withTable } from "./update.ts";

type Registered = Extract<Input, { kind: "registered" }>;
type Refused = Extract<Input, { kind: "registration-refused" }>;

/** The registry's answer on a candidate. One on a shape or a column that is not so any more is asked for anew. */
export function onJudged(rules: Rules, state: State, id: string, answer: Answer): Step {
  const found = findAmendment(state, id);
  if (found === undefined || found.amendment.gate.kind === "released") return step(state);
  if (answer.kind !== "unanswered" && !isOf(found.table.shape, found.amendment.column, answer.candidate)) {
    return step(state, { kind: "judge", id });
  }
  const amendment = { ...found.amendment, answer: heard(found.amendment, answer) };
  return settle(rules, refuseOrder(withAmendment(state, amendment), amendment), id);
}

/** A release that came before the answer is refused with it. */
function refuseOrder(state: State, amendment: Amendment): State {
  const { answer, order } = amendment;
  if (answer?.kind !== "refused" || order?.kind !== "release") return state;
  const message = `${amendment.id}: the registry refuses the schema: ${answer.why}`;
  return withOutcome(withAmendment(state, { ...amendment, order: undefined }), order.command, {
    kind: "refused",
    message,
  });
}

/** What the registry refused to take is refused, whatever its check says. */
function heard({ notTaken }: Amendment, answer: Answer): Answer {
  if (answer.kind !== "fits" || answer.candidate.hash !== notTaken?.hash) return answer;
  return { kind: "refused", candidate: answer.candidate, why: notTaken.why };
}

/**
 * The candidate is registered: it flows from here, if the contracts as they are now still let it. The verdicts are
 * recomputed for the exact schema that will flow; another candidate than the one registered is never let in.
 */
export function onFlip(rules: Rules, state: State, input: Registered, when: When): Step {
  const found = findAmendment(state, input.id);
  if (found === undefined || found.amendment.gate.kind === "released") return step(state);
  const { table } = found;
  const answer = found.amendment.answer;
  if (answer?.kind !== "fits" || answer.candidate.hash !== input.hash) return settle(rules, state, input.id);
  const amendment = { ...found.amendment, verdicts: weigh(rules, state, table, found.amendment) };
  const decision = mayFlow(policyOf(rules, amendment.topic), amendment, table.shape.key.length === 0);
  if (decision.kind === "waits") return settle(rules, state, input.id);
  const gate = {
    kind: "released" as const,
    since: when.position,
    time: when.time,
    why: decision.why,
    schemaId: input.schema.id,
    wouldHaveWaitedFor: decision.wouldHaveWaitedFor,
  };
  return letIn(rules, state, table, { ...amendment, gate, answer: undefined }, answer.candidate, input);
}

function letIn(
  rules: Rules,
  state: State,
  table: TableState,
  released: Amendment,
  candidate: Candidate,
  input: Registered,
): Step {
  const fields = insertField(table.shape.fields, candidate.field);
  const others = withheldOf(table).filter((amendment) => amendment.id !== released.id);
  const amendments = table.amendments.map((amendment) => {
    if (amendment.id === released.id) return released;
    return others.includes(amendment) ? { ...amendment, answer: undefined } : amendment;
  });
  const next = withTable(state, {
    ...table,
    shape: { ...table.shape, fields, valueSchema: input.schema },
    amendments,
    flowed: [...table.flowed, input.schema],
  });
  const again: Effect[] = others
    .filter((other) => !other.gone && !other.unmapped)
    .map(({ id }) => ({ kind: "judge", id }));
  const done = answerOrder(withBackfill(rules, next, released, candidate, input.estimatedRows), released);
  return step(done, ...again, { kind: "tell", id: released.id });
}

function withBackfill(rules: Rules, state: State, released: Amendment, candidate: Candidate, rows: number): State {
  const table = state.tables.get(released.topic);
  const asWriter = [...state.contracts.values()].some(
    (contract) => contract.topic === released.topic && contract.decodesWith === "writer",
  );
  const wanted = released.order?.backfill === "all" || needsBackfill(released, candidate, asWriter);
  if (!wanted || released.order?.backfill === "none" || table === undefined) return state;
  const job = backfillJob(rules, released, candidate, rows, table.shape.key.length === 0);
  return { ...state, jobs: new Map(state.jobs).set(job.id, job) };
}

function backfillJob(
  rules: Rules,
  released: Amendment,
  candidate: Candidate,
  rows: number,
  keyless: boolean,
): ChunkJob {
  const tooMany = rows > rules.backfillMaxRows && released.order?.backfill !== "all";
  const waiting = `about ${rows} rows: say fieldgate release ${released.id} --backfill all, or none`;
  return {
    id: `backfill/${released.id}`,
    topic: released.topic,
    kind: "backfill",
    column: released.attnum,
    due: dueRows(candidate),
    cursor: undefined,
    again: [],
    rows: 0,
    scanned: 0,
    estimate: rows,
    state: keyless ? "refused" : tooMany ? "waiting" : "running",
    why: keyless ? "the table has no key" : tooMany ? waiting : undefined,
  };
}

/** An operator's release is answered when all it names flow. */
function answerOrder(state: State, released: Amendment): State {
  const command = released.order?.command;
  if (command === undefined) return state;
  const open = [...state.tables.values()].flatMap(withheldOf).some((other) => other.order?.command === command);
  return open ? state : withOutcome(state, command, { kind: "done", message: `released: ${released.id}` });
}

/**
 * The registry did not take the schema it had called compatible, say since its level was raised meanwhile: kept
 * back, and judged anew, since another form of the field may fit.
 */
export function onRefusedRegistration(state: State, input: Refused): Step {
  const found = findAmendment(state, input.id);
  if (found === undefined || found.amendment.gate.kind === "released") return step(state);
  const { amendment } = found;
  const { answer, order } = amendment;
  if (answer?.kind !== "fits" || answer.candidate.hash !== input.hash) return step(state);
  const why = `the registry refuses the schema: ${input.why}`;
  const next = withAmendment(state, {
    ...amendment,
    answer: undefined,
    notTaken: { hash: input.hash, why: input.why },
    order: order?.kind === "withhold" ? order : undefined,
    gate: { kind: "withheld", since: amendment.gate.since, time: amendment.gate.time, why },
  });
  const answered =
    order?.kind === "release" ? withOutcome(next, order.command, { kind: "refused", message: why }) : next;
  return step(answered, { kind: "judge", id: input.id });
}
