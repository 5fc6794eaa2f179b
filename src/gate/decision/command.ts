import { fieldOf } from "../../event/field.ts";
import { type Amendment, isCalled, type Order } from "../amendment/amendment.ts";
import { owesRows } from "../amendment/backfill.ts";
import { filled, refusesFill } from "../amendment/fill.ts";
import { blockedBy, opposition } from "./policy.ts";
import { unnamedOn } from "../evidence/readers.ts";
import { decidedJob, refusesRepair, repairedTopic } from "./repair.ts";
import { refusesRepartition, repartitioned, repartitionedTopic } from "./repartition.ts";
import { replaced } from "../amendment/replaced.ts";
import { membersOf, policyOf, settle, weigh } from "./settle.ts";
import type { Outcome, Refusal } from "./reason.ts";
import { onRowCommand } from "./row-command.ts";
import type { OperatorCommand, Rules, State, Decided, TableState, When } from "../state.ts";
import { andThen, step, isWaitedFor, withAmendment, withOutcome } from "../update.ts";

/**
 * Carries out an operator's commands `release`, `withhold` and `fill`: finds the amendments that they name, refuses a
 * command that cannot be carried out, and applies the others.
 */

interface Target {
  readonly table: TableState;
  readonly amendment: Amendment;
}

/** Applies an operator's command to all its amendments or to none. The state records its outcome. */
export function onCommand(rules: Rules, state: State, command: OperatorCommand, when: When): Decided {
  if (state.outcomes.has(command.id)) return step(state);
  if (rules.mode === "watch") return step(withOutcome(state, command.id, refusal({ kind: "watch-mode" })));
  const onRow = onRowCommand(state, command);
  if (onRow !== undefined) return onRow;
  const repairs = command.ids.filter((id) => repairedTopic(id) !== undefined);
  const partitions = command.ids.filter((id) => repartitionedTopic(id) !== undefined);
  const targets: Target[] = [];
  for (const id of command.ids.filter((one) => !repairs.includes(one) && !partitions.includes(one))) {
    const found = resolve(state, id);
    if ("refused" in found) return step(withOutcome(state, command.id, refusal(found.refused)));
    targets.push(found);
  }
  const ofRepairs = repairs.flatMap((name) => refusesRepair(state, command, name) ?? []);
  const ofPartitions = partitions.flatMap((name) => refusesRepartition(state, command, name) ?? []);
  const ofTargets = targets.flatMap((target) => {
    const refused = refuses(rules, state, command, target, when);
    return refused ?? (command.kind === "release" ? refusesApart(rules, target, targets) : undefined) ?? [];
  });
  const refusals = [...ofRepairs, ...ofPartitions, ...ofTargets];
  if (refusals.length > 0) return step(withOutcome(state, command.id, refusal(...refusals)));
  const spread = partitions.reduce(repartitioned, state);
  const decided = repairs.reduce((now, name) => decidedJob(now, `repair/${repairedTopic(name)}`, command), spread);
  if (targets.length === 0 && repairs.length === 0) {
    const done = { kind: "partitions-accepted", ids: partitions } as const;
    return step(withOutcome(decided, command.id, { kind: "done", done }));
  }
  if (targets.length === 0 && command.backfill !== undefined) {
    const done = { kind: "repairs-decided", ids: repairs, backfill: command.backfill } as const;
    return step(withOutcome(decided, command.id, { kind: "done", done }));
  }
  switch (command.kind) {
    case "release":
      return release(rules, decided, command, targets, when);
    case "withhold":
      return withhold(rules, decided, command, targets, when);
    case "fill":
      return fill(decided, command, targets);
    default:
      command.kind satisfies never;
      return step(state);
  }
}

/** Answers a command whose decision ended with an unexpected error. */
export function commandFailed(state: State, id: string): Decided {
  return step(withOutcome(state, id, refusal({ kind: "failed" })));
}

/**
 * Answers releases that can no longer be carried out, because another command superseded them or the column changed.
 */
export function answerForgotten(state: State): State {
  const forgotten = [...state.outcomes].filter(
    ([id, outcome]) => outcome.kind === "pending" && !isWaitedFor(state, id, outcome),
  );
  return forgotten.reduce((now, [id]) => withOutcome(now, id, refusal({ kind: "superseded" })), state);
}

/**
 * The outcome of a release that waits for these amendments. With their ids, `isWaitedFor` need not search every table.
 */
function pendingOn(open: readonly Target[]): Outcome {
  return { kind: "pending", ids: open.map(({ amendment }) => amendment.id) };
}

function refusal(...refusals: readonly Refusal[]): Outcome {
  return { kind: "refused", refusals };
}

/**
 * Finds the amendment by its id, `inventory.public.customers/3`, or by `topic.field` while only one amendment has that
 * name.
 */
function resolve(state: State, name: string): Target | { readonly refused: Refusal } {
  const all = topicsIn(name).flatMap((topic) => {
    const table = state.tables.get(topic);
    return table === undefined ? [] : table.amendments.map((amendment) => ({ table, amendment }));
  });
  const called = all.filter(({ amendment }) => isCalled(amendment, name));
  const open = called.filter(({ amendment }) => amendment.gate.kind === "withheld");
  // Released amendments are history, so they do not make a name ambiguous.
  const found = open.length > 0 ? open : called;
  const [first, second] = found;
  if (first === undefined) return { refused: { kind: "amendment-unknown", name } };
  if (second === undefined) return first;
  return { refused: { kind: "amendment-ambiguous", name, ids: found.map(({ amendment }) => amendment.id) } };
}

/** The topics that a name may begin with: the text before its last slash, or before any of its dots. */
function topicsIn(name: string): readonly string[] {
  const ends = [...name.matchAll(/\./g)].map(({ index }) => index);
  return [...new Set([name.lastIndexOf("/"), ...ends])].filter((end) => end > 0).map((end) => name.slice(0, end));
}

function refuses(
  rules: Rules,
  state: State,
  command: OperatorCommand,
  target: Target,
  when: When,
): Refusal | undefined {
  const { amendment, table } = target;
  const { id } = amendment;
  const released = amendment.gate.kind === "released";
  switch (command.kind) {
    case "withhold":
      return released ? { kind: "withhold-released", id } : undefined;
    case "fill":
      return released ? { kind: "fill-released", id } : refusesFill(table, amendment, command.value);
    case "release":
      return released ? undefined : refusesRelease(rules, state, command, target, when);
    default:
      return command.kind satisfies never;
  }
}

function refusesRelease(
  rules: Rules,
  state: State,
  command: OperatorCommand,
  target: Target,
  when: When,
): Refusal | undefined {
  const { amendment, table } = target;
  const { id, kind } = amendment;
  if ((kind === "key" || kind === "table") && !hasReason(command)) {
    return { kind: "reason-missing", id };
  }
  if (kind === "table") {
    const { reason } = amendment.gate;
    return reason.kind === "columns-not-sent" ? { kind: "blocked", id, reason } : undefined;
  }
  if (command.beside !== undefined && !besideMakesSense(rules, target, command)) {
    return { kind: "beside-unfit", id };
  }
  // If the registry has not answered yet, or refused some time ago, the command waits for a new answer.
  const asked = isAskedAgain(amendment, command) && !amendment.gone && amendment.unmapped === undefined;
  const blocked = asked ? undefined : blockedBy(amendment);
  if (blocked !== undefined) return { kind: "blocked", id, reason: blocked };
  const owed = kind === "key" ? [] : [amendment, ...otherMembers(target)].filter(owesRows);
  if (table.shape.key.length === 0 && owed.length > 0 && command.backfill !== "none") {
    return { kind: "backfill-impossible", id };
  }
  // With --beside a different form of the field is judged first, so its verdicts are not known yet.
  if (command.beside !== undefined || (command.force && hasReason(command))) return undefined;
  const { topic } = amendment;
  const verdicts = weigh(rules, state, table, amendment, when);
  const opposed = opposition(policyOf(rules, topic), verdicts, unnamedOn(rules, state, topic));
  return opposed && { kind: "opposed", id, reason: opposed };
}

/**
 * Whether to ask the registry before deciding on the release. The subject's level may have been lowered since it
 * refused.
 */
function isAskedAgain({ answer }: Amendment, { beside }: Pick<OperatorCommand, "beside">): boolean {
  return answer === undefined || answer.kind === "refused" || answer.kind === "no-candidate" || beside !== undefined;
}

function hasReason({ reason }: OperatorCommand): boolean {
  return reason !== undefined && reason.trim() !== "";
}

/** Fields whose names would collide are released together, so a release of only one of them would wait forever. */
function refusesApart(rules: Rules, target: Target, targets: readonly Target[]): Refusal | undefined {
  const { id, topic } = target.amendment;
  const others = otherMembers(target).filter((other) => !targets.some(({ amendment }) => amendment.id === other.id));
  const kept = others.find(({ order }) => order?.kind === "withhold");
  if (kept !== undefined) return { kind: "member-withheld", id, member: kept.id };
  const apart = policyOf(rules, topic) === "manual" ? others.find(({ order }) => order === undefined) : undefined;
  return apart && { kind: "member-missing", id, member: apart.id };
}

/** The other amendments that this amendment's candidate would release. */
function otherMembers({ table, amendment }: Target): readonly Amendment[] {
  return amendment.answer?.kind === "fits" ? membersOf(table, amendment.answer.candidate) : [];
}

function besideMakesSense(rules: Rules, { table, amendment }: Target, { beside }: OperatorCommand): boolean {
  const { changes, column } = amendment;
  const mapped = column === undefined ? undefined : fieldOf(column, rules.modes);
  const name = beside?.name ?? (mapped?.kind === "field" ? mapped.field.name : undefined);
  const isFree = !table.shape.fields.some((field) => field.name === name);
  return isFree && /^[A-Za-z_]\w*$/.test(name ?? "") && (changes.includes("renamed") || changes.includes("retyped"));
}

function release(
  rules: Rules,
  state: State,
  command: OperatorCommand,
  targets: readonly Target[],
  when: When,
): Decided {
  const flowing = targets.filter(({ amendment }) => amendment.gate.kind === "released");
  const decided = flowing.reduce((now, { amendment }) => decideBackfill(now, amendment, command), state);
  const others = targets.filter(({ amendment }) => amendment.kind === "table");
  const placed = others.reduce((now, { table }) => replaced(rules, now, table, when), decided);
  const open = targets.filter((target) => !flowing.includes(target) && !others.includes(target));
  if (open.length === 0) {
    const done = { kind: others.length === 0 ? "released-already" : "replacement-accepted" } as const;
    const alerts = others.map(({ amendment }) => ({ kind: "alert", id: amendment.id }) as const);
    return step(withOutcome(placed, command.id, { kind: "done", done }), ...alerts);
  }
  return ordered(rules, withOutcome(placed, command.id, pendingOn(open)), command, open, when);
}

function fill(state: State, command: OperatorCommand, targets: readonly Target[]): Decided {
  const next = targets.reduce((now, { table, amendment }) => filled(now, table, amendment, command), state);
  const ids = targets.map(({ amendment }) => amendment.id);
  return step(withOutcome(next, command.id, { kind: "done", done: { kind: "filled", ids } }));
}

/** For a released amendment, `--backfill all|none` decides about a backfill that waits for an operator. */
function decideBackfill(state: State, amendment: Amendment, command: OperatorCommand): State {
  return decidedJob(state, `backfill/${amendment.id}`, command);
}

function withhold(
  rules: Rules,
  state: State,
  command: OperatorCommand,
  targets: readonly Target[],
  when: When,
): Decided {
  const ids = targets.map(({ amendment }) => amendment.id);
  const done: Outcome = { kind: "done", done: { kind: "withheld", ids } };
  return ordered(rules, withOutcome(state, command.id, done), command, targets, when);
}

/**
 * Records the order and settles each amendment. The registry is asked again first if it had refused, or if the command
 * asks for a different form of the field.
 */
function ordered(
  rules: Rules,
  state: State,
  command: OperatorCommand,
  targets: readonly Target[],
  when: When,
): Decided {
  const open = targets.filter(({ amendment }) => amendment.gate.kind === "withheld");
  return open.reduce((before, { amendment }) => {
    const order = orderOf(command);
    const isRelease = order.kind === "release" && isAskedAgain(amendment, order);
    const again = isRelease || amendment.order?.beside !== undefined;
    const next = again ? { ...amendment, order, answer: undefined, notTaken: undefined } : { ...amendment, order };
    return andThen(before, (now) => {
      const settled = settle(rules, withAmendment(now, next), amendment.id, when);
      const ask = again && !amendment.gone && amendment.unmapped === undefined;
      return ask ? andThen(settled, (after) => step(after, { kind: "judge", id: amendment.id })) : settled;
    });
  }, step(state));
}

function orderOf(command: OperatorCommand): Order {
  return {
    kind: command.kind === "withhold" ? "withhold" : "release",
    actor: command.actor,
    reason: command.reason,
    force: command.force === true && hasReason(command),
    backfill: command.backfill,
    beside: command.kind === "release" ? command.beside : undefined,
    command: command.id,
  };
}
