import type { ChunkJob } from "../chunk/job.ts";
import type { Shape } from "../table/shape.ts";
import type { Amendment } from "./amendment/amendment.ts";
import type { Outcome } from "./decision/reason.ts";
import { repairJob } from "./amendment/backfill.ts";
import type { Effect, Rules, State, Decided, TableState } from "./state.ts";

export function withTable(state: State, table: TableState): State {
  return { ...state, tables: new Map(state.tables).set(table.shape.topic, table) };
}

/** The state with this amendment in place of the one with the same id; unchanged if there is none. */
export function withAmendment(state: State, amendment: Amendment): State {
  const table = state.tables.get(amendment.topic);
  if (table === undefined) return state;
  const amendments = table.amendments.map((other) => (other.id === amendment.id ? amendment : other));
  return withTable(state, { ...table, amendments });
}

export function withJob(state: State, job: ChunkJob): State {
  return { ...state, jobs: new Map(state.jobs).set(job.id, job) };
}

/** How many outcomes are kept; the oldest are dropped first. */
const MAX_OUTCOMES = 500;

export function withOutcome(state: State, command: string, outcome: Outcome): State {
  const outcomes = new Map(state.outcomes).set(command, outcome);
  for (const [id, { kind }] of outcomes) {
    if (outcomes.size <= MAX_OUTCOMES) break;
    if (kind !== "pending") outcomes.delete(id);
  }
  return { ...state, outcomes };
}

/** Answers a pending command. A command that was already answered keeps its answer, so the first refusal counts. */
export function answered(state: State, command: string, outcome: Outcome): State {
  return state.outcomes.get(command)?.kind === "pending" ? withOutcome(state, command, outcome) : state;
}

/** Finds an amendment and its table by the amendment's id. */
export function findAmendment(
  state: State,
  id: string,
): { readonly table: TableState; readonly amendment: Amendment } | undefined {
  // The id begins with the topic, so no other table has to be searched.
  const table = state.tables.get(id.slice(0, Math.max(0, id.lastIndexOf("/"))));
  const amendment = table?.amendments.find((other) => other.id === id);
  return table === undefined || amendment === undefined ? undefined : { table, amendment };
}

/** True if an amendment still waits for this command's release. */
export function isWaitedFor(state: State, command: string, outcome: Outcome | undefined): boolean {
  const ids = outcome?.kind === "pending" ? outcome.ids : undefined;
  const topics = ids?.flatMap((id) => topicOfRow(id) ?? []) ?? [];
  if (topics.some((topic) => state.tables.get(topic)?.poison?.stuck?.order?.command === command)) return true;
  const named =
    ids === undefined
      ? [...state.tables.values()].flatMap(withheldOf)
      : ids.flatMap((id) => findAmendment(state, id)?.amendment ?? []);
  return named.some(({ gate, order }) => gate.kind === "withheld" && order?.command === command);
}

const ROW = "/row";

/** The topic of `inventory.public.customers/row`, the change of it that waits; undefined: another id. */
export function topicOfRow(id: string): string | undefined {
  return id.endsWith(ROW) ? id.slice(0, -ROW.length) : undefined;
}

/** Amendments whose field does not flow. */
export function withheldOf(table: TableState): readonly Amendment[] {
  return table.amendments.filter((amendment) => amendment.gate.kind === "withheld");
}

/** Applies the next step to the state that the previous one led to. Returns the effects of both, in order. */
export function andThen(before: Decided, next: (state: State) => Decided): Decided {
  const { state, effects } = next(before.state);
  return { state, effects: [...before.effects, ...effects] };
}

export function step(state: State, ...effects: readonly Effect[]): Decided {
  return { state, effects };
}

/** Schedules a repair of the table, except in watch mode. */
export function withRepair(rules: Rules, state: State, shape: Pick<Shape, "topic" | "key">): State {
  const job = repairFor(rules, shape);
  return job === undefined ? state : withJob(state, job);
}

/** A job that publishes every row of the table again; undefined in watch mode, where Fieldgate publishes no rows. */
export function repairFor({ mode }: Pick<Rules, "mode">, shape: Pick<Shape, "topic" | "key">): ChunkJob | undefined {
  return mode === "watch" ? undefined : repairJob(shape);
}
