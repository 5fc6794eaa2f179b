import type { ChunkJob } from "../chunk/job.ts";
import { type Amendment, isCalled, type Order } from "./amendment.ts";
import { blockedBy, notReady } from "./policy.ts";
import { policyOf, settle, weigh } from "./settle.ts";
import type { OperatorCommand, Outcome, Rules, State, Step, TableState } from "./state.ts";
import { andThen, step, withAmendment, withheldOf, withOutcome } from "./update.ts";

interface Target {
  readonly table: TableState;
  readonly amendment: Amendment;
}

/** An operator's word. Nothing of it is done unless all of it can be; its outcome is in the state. */
export function onCommand(rules: Rules, state: State, command: OperatorCommand): Step {
  if (state.outcomes.has(command.id)) return step(state);
  const targets: Target[] = [];
  for (const id of command.ids) {
    const found = resolve(state, id);
    if ("refused" in found) return step(withOutcome(state, command.id, refusal(found.refused)));
    targets.push(found);
  }
  const why = targets.flatMap((target) => refuses(rules, state, command, target) ?? []);
  if (why.length > 0) return step(withOutcome(state, command.id, refusal(why.join("; "))));
  return command.kind === "release"
    ? release(rules, state, command, targets)
    : withhold(rules, state, command, targets);
}

/** A release that waits is not forgotten in silence: another command took its place, or its column is dropped. */
export function answerForgotten(state: State): State {
  const waiting = [...state.tables.values()].flatMap(withheldOf).map(({ order }) => order?.command);
  const forgotten = [...state.outcomes].filter(([id, { kind }]) => kind === "pending" && !waiting.includes(id));
  const why = refusal("another command took its place, or its column is dropped again");
  return forgotten.reduce((now, [id]) => withOutcome(now, id, why), state);
}

function refusal(message: string): Outcome {
  return { kind: "refused", message };
}

/** `inventory.public.customers/3`, or `topic.field` while only one amendment has that name. */
function resolve(state: State, id: string): Target | { readonly refused: string } {
  const all = [...state.tables.values()].flatMap((table) =>
    table.amendments.map((amendment) => ({ table, amendment })),
  );
  const found = all.filter(({ amendment }) => isCalled(amendment, id));
  const [first, second] = found;
  if (first === undefined) return { refused: `there is no amendment ${id}` };
  if (second === undefined) return first;
  return { refused: `${id} names several: ${found.map(({ amendment }) => amendment.id).join(", ")}` };
}

function refuses(rules: Rules, state: State, command: OperatorCommand, target: Target): string | undefined {
  const { amendment, table } = target;
  if (command.kind === "withhold") {
    return amendment.gate.kind === "released" ? `${amendment.id} flows: withholding it again would drop it` : undefined;
  }
  if (amendment.gate.kind === "released") return undefined;
  // Just not judged yet, say after a restart: the command waits for the answer as the field does.
  const asked = amendment.answer === undefined && !amendment.gone && amendment.unmapped === undefined;
  const blocked = asked ? undefined : blockedBy(amendment);
  if (blocked !== undefined) return `${amendment.id}: ${blocked}`;
  if (table.shape.key.length === 0 && amendment.missed && command.backfill !== "none") {
    return `${amendment.id}: the table has no key, so its values cannot be re-published; say --backfill none`;
  }
  const waiting = notReady(weigh(rules, state, table, amendment));
  const forced = command.force && command.reason !== undefined;
  if (waiting.length === 0 || forced || policyOf(rules, amendment.topic) !== "contracts") return undefined;
  return `${amendment.id}: not ready: ${waiting.join(", ")}; release it all the same with --force --reason`;
}

function release(rules: Rules, state: State, command: OperatorCommand, targets: readonly Target[]): Step {
  const flowing = targets.filter(({ amendment }) => amendment.gate.kind === "released");
  const decided = flowing.reduce((now, { amendment }) => decideBackfill(now, amendment, command), state);
  if (flowing.length === targets.length) {
    return step(withOutcome(decided, command.id, { kind: "done", message: "released already" }));
  }
  return ordered(rules, withOutcome(decided, command.id, { kind: "pending" }), command, targets);
}

/** `--backfill all|none` on what flows already answers a backfill that waits. */
function decideBackfill(state: State, amendment: Amendment, command: OperatorCommand): State {
  const job = state.jobs.get(`backfill/${amendment.id}`);
  if (job?.state !== "waiting" || command.backfill === undefined) return state;
  const next: ChunkJob =
    command.backfill === "all"
      ? { ...job, state: "running", why: undefined }
      : { ...job, state: "done", why: `${command.actor} said --backfill none` };
  return { ...state, jobs: new Map(state.jobs).set(job.id, next) };
}

function withhold(rules: Rules, state: State, command: OperatorCommand, targets: readonly Target[]): Step {
  const done: Outcome = {
    kind: "done",
    message: `withheld: ${targets.map(({ amendment }) => amendment.id).join(", ")}`,
  };
  return ordered(rules, withOutcome(state, command.id, done), command, targets);
}

function ordered(rules: Rules, state: State, command: OperatorCommand, targets: readonly Target[]): Step {
  const order: Order = {
    kind: command.kind,
    actor: command.actor,
    reason: command.reason,
    force: command.force && command.reason !== undefined,
    backfill: command.backfill,
    command: command.id,
  };
  const open = targets.filter(({ amendment }) => amendment.gate.kind === "withheld");
  return open.reduce(
    (before, { amendment }) =>
      andThen(before, (now) => settle(rules, withAmendment(now, { ...amendment, order }), amendment.id)),
    step(state),
  );
}
