import { decide } from "../../gate/decide.ts";
import type { Decided, Effect, Input, State, When } from "../../gate/state.ts";
import { formatLsn, isoTime } from "../../wal/lsn.ts";
import { capturedFrom, type Inbound, type Parts, type Session, tableOf } from "../session.ts";
import { warnOfGenerated, warnOfRename } from "./warn-of-changes.ts";
import { isReplacedOver } from "../looks.ts";
import { decideUnknown, describeUnexpected } from "./unexpected.ts";
import { judgeInBackground, registerInBackground, registrationEnded } from "./registry-work.ts";

/** Decides about one input and starts the resulting effects. Throws the error if the input leads to a stop. */
export function apply(session: Parts<"control" | "tape">, input: Input): void {
  const before = session.control.state;
  applyInput(session, input);
  if (session.control.state.tables !== before.tables) onNewShapes(session, before);
}

function applyInput(session: Parts<"control" | "tape">, input: Input): void {
  const { outside, control, tape } = session;
  const when = { position: formatLsn(tape.position.endLsn), time: isoTime(outside.now()) };
  const { state, effects } = decided(session, input, when);
  control.state = state;
  for (const effect of effects) start(session, effect);
  if (!endsRegistration(input)) return;
  const topic = registrationEnded(control.work, input.id);
  if (topic !== undefined) applyInput(session, { kind: "settle", topic });
}

function endsRegistration(
  input: Input,
): input is Extract<Input, { readonly kind: "registered" | "registration-refused" | "registration-awaited" }> {
  return input.kind === "registered" || input.kind === "registration-refused" || input.kind === "registration-awaited";
}

/** Decides; if that ends with an unexpected error, decides that what came from outside is unknown. */
function decided({ outside, control }: Parts<"control">, input: Input, when: When): Decided {
  try {
    return decide(outside.settings, control.state, input, when);
  } catch (error) {
    const unknown = decideUnknown(outside.settings, control.state, input, when);
    if (unknown === undefined) throw error;
    outside.log.warn(`${NAMES[input.kind] ?? "an input"} could not be processed: ${describeUnexpected(error)}`);
    return unknown;
  }
}

const NAMES: Readonly<Partial<Record<Input["kind"], string>>> = {
  contract: "a contract",
  command: "a command",
  judged: "the registry's answer",
  registered: "the registry's answer",
  observed: "the registry's answer",
  groups: "the poll of the consumer groups",
};

/**
 * How long, in microseconds, the loop handles inputs before it reads the log again. After a restart there is one input
 * for every withheld field.
 */
const INPUTS_FOR = 10_000n;

/** Handles the inputs that arrived from the background. Inputs that would take too long are left for the next turn. */
export function takeInputs(session: Parts<"control" | "tape">): void {
  const { control, outside } = session;
  const before = control.state;
  const begun = outside.now();
  for (let [inbound] = control.inbox; inbound !== undefined; [inbound] = control.inbox) {
    if (awaitsLook(control, inbound)) break;
    control.inbox.shift();
    applyInput(session, inbound.input);
    control.commandOffset = inbound.nextCommand ?? control.commandOffset;
    if (outside.now() - begun > INPUTS_FOR) break;
  }
  // No row is read in between, so once for all of them is enough.
  if (control.state.tables !== before.tables) onNewShapes(session, before);
}

/**
 * A release that accepts another table as a topic's own waits for a look at the catalog that begins after it arrived: that
 * table may have lost the name by now. Halted topics are read in a way of their own.
 */
function awaitsLook({ state, looks, halts }: Session["control"], inbound: Inbound): boolean {
  const { input } = inbound;
  if (halts.size > 0 || input.kind !== "command" || input.command.kind !== "release") return false;
  const accepted = input.command.ids
    .flatMap((id) => (id.endsWith(TABLE) ? (state.tables.get(id.slice(0, -TABLE.length)) ?? []) : []))
    .filter(({ replacement, shape }) => replacement !== undefined && replacement.oid !== shape.table.oid);
  if (accepted.length === 0) return false;
  inbound.looksBefore ??= looks.started;
  const { read } = looks;
  if (read !== undefined && read.number > inbound.looksBefore)
    return accepted.some((table) => isReplacedOver(read.look, table));
  looks.due = 0n;
  return true;
}

/** The end of the id of an amendment about the table itself. */
const TABLE = "/table";

function start(session: Parts<"control">, effect: Effect): void {
  switch (effect.kind) {
    case "judge":
      judgeInBackground(session, effect.id);
      return;
    case "register":
      registerInBackground(session, effect);
      return;
    case "alert":
      session.control.toAlert.add(effect.id);
      return;
    case "report-gap":
      session.control.looks.toReport.add(effect.topic);
      return;
    case "report-generated":
      warnOfGenerated(session, tableOf(session.control.state, effect.topic), effect.columns);
      return;
    case "report-rename":
      warnOfRename(session, tableOf(session.control.state, effect.topic), effect.before);
      return;
    case "report-parked":
      session.control.parksToReport.add(effect.topic);
      return;
    case "stop":
      throw effect.error;
    default:
      effect satisfies never;
  }
}

/**
 * After a flip, rows of the table need a new encoder, and a change that halted the topic may now fit. Or an operator has
 * decided what becomes of that change.
 */
function onNewShapes({ outside, tape, control }: Parts<"control" | "tape">, before: State): void {
  const { state, halts } = control;
  const isNew = (topic: string) => state.tables.get(topic)?.shape !== before.tables.get(topic)?.shape;
  for (const [oid, captured] of tape.relations) {
    const accepted = captured.passedFor !== undefined && isAnswered(state, captured.passedFor);
    if (captured.news === "replaces" || accepted) {
      tape.relations.set(oid, capturedFrom(outside, state, captured.relation));
    }
    if (captured.topic === undefined) continue;
    if (isNew(captured.topic)) captured.encoder = undefined;
    captured.parked = state.tables.get(captured.topic)?.parked !== undefined;
  }
  const isOrdered = (topic: string) =>
    orderOf(state, topic) !== undefined && orderOf(state, topic) !== orderOf(before, topic);
  for (const topic of halts.keys()) if (isNew(topic) || isOrdered(topic)) halts.delete(topic);
}

function orderOf({ tables }: State, topic: string) {
  return tables.get(topic)?.poison?.stuck?.order;
}

/** Nothing waits to be accepted for this topic any longer. */
function isAnswered({ tables }: State, topic: string): boolean {
  return tables.get(topic)?.replacement === undefined;
}
