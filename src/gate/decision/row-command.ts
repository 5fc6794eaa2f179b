import type { Outcome, Refusal } from "./reason.ts";
import type { Decided, OperatorCommand, State } from "../state.ts";
import { step, topicOfRow, withOutcome, withTable } from "../update.ts";

/**
 * `release TOPIC/row --as null|dead-letter`: what an operator decides for the one change of a topic that waits because no
 * event can carry it. The loop tries the change again, and its outcome is the command's.
 */

/** The command's outcome if it names a row or says what becomes of one; undefined: it is about amendments. */
export function onRowCommand(state: State, command: OperatorCommand): Decided | undefined {
  const topics = command.ids.flatMap((id) => topicOfRow(id) ?? []);
  const [topic] = topics;
  if (topic === undefined) {
    const [id = ""] = command.ids;
    return command.as === undefined ? undefined : refused(state, command, { kind: "row-way-misplaced", id });
  }
  if (command.ids.length > 1) return refused(state, command, { kind: "row-with-others" });
  const refusal = refusesRow(state, command, topic);
  return refusal === undefined ? order(state, command, topic) : refused(state, command, refusal);
}

function refusesRow(state: State, command: OperatorCommand, topic: string): Refusal | undefined {
  const stuck = state.tables.get(topic)?.poison?.stuck;
  if (command.kind !== "release" || stuck === undefined) return { kind: "row-unknown", topic };
  if (command.as === undefined) return { kind: "row-way-missing", topic };
  if ((command.reason ?? "").trim() === "") return { kind: "row-reason-missing", topic };
  return stuck.ways.includes(command.as) ? undefined : { kind: "row-not-null", topic };
}

function refused(state: State, { id }: OperatorCommand, refusal: Refusal): Decided {
  return step(withOutcome(state, id, { kind: "refused", refusals: [refusal] }));
}

/** An earlier command for the same change that was not carried out yet is answered as replaced. */
function order(state: State, { id, as: way, actor, reason = "" }: OperatorCommand, topic: string): Decided {
  const table = state.tables.get(topic);
  const stuck = table?.poison?.stuck;
  if (table?.poison === undefined || stuck === undefined || way === undefined) return step(state);
  const poison = { ...table.poison, stuck: { ...stuck, order: { way, actor, reason, command: id } } };
  const pending: Outcome = { kind: "pending", ids: [`${topic}/row`] };
  return step(withOutcome(withTable(state, { ...table, poison }), id, pending));
}
