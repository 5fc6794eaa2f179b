import { type ErrorCode, GuardError } from "../../errors.ts";
import { withheldOf } from "../../gate/update.ts";
import { describeAmendment, nextCommands } from "../../words/amendment.ts";
import { type Parts, tableOf } from "../session.ts";
import { apply } from "./apply.ts";

/** Stops that an operator's command may resolve. The change is tried again after the command. */
const LIFTED_BY_COMMAND: ReadonlySet<ErrorCode> = new Set([
  "value-unfit",
  "record-too-large",
  "key-changed",
  "table-replaced",
]);

export function isLiftedByCommand(error: unknown): error is GuardError {
  return error instanceof GuardError && LIFTED_BY_COMMAND.has(error.code);
}

/**
 * If a command may resolve the stop, halts the topic instead of ending the connector: commands and contracts are still
 * processed, the slot is kept, and everything before the change is published. `apply` removes the halt as soon as the
 * topic's shape changes. Throws any other stop.
 */
export function halt(session: Parts<"tape" | "control">, topic: string | undefined, stop: GuardError): void {
  if (topic === undefined || !isLiftedByCommand(stop)) throw stop;
  const reason = withNextSteps(session, topic, stop);
  session.control.halts.set(topic, reason);
  reportHalt(session);
  session.outside.stopped(reason, topic);
}

/** Reports the oldest halt as the connector's status. Returns false if there is none. */
export function reportHalt({ outside, control }: Parts<"control">): boolean {
  const [oldest] = control.halts.values();
  if (oldest === undefined) return false;
  const { code, message, next } = oldest;
  outside.status({ kind: "stopped", code, message, next, state: control.state });
  return true;
}

/** Adds the commands that resolve the amendment of the field that the value does not fit. */
export function withNextSteps(session: Parts<"tape" | "control">, topic: string, stop: GuardError): GuardError {
  const { unfit } = stop;
  if (unfit === undefined) return stop;
  if (unfit.isNull) apply(session, { kind: "null-found", topic, field: unfit.field });
  const about = withheldOf(tableOf(session.control.state, topic)).find((amendment) => amendment.name === unfit.field);
  if (about === undefined) return stop;
  const message = `${stop.text}; ${describeAmendment(about)}`;
  return new GuardError(stop.code, message, { next: nextCommands(about).join("; or: ") });
}
