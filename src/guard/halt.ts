import { type ErrorCode, GuardError } from "../errors.ts";
import { describeAmendment, waysOn } from "../gate/describe.ts";
import { withheldOf } from "../gate/update.ts";
import { apply } from "./apply.ts";
import { type Session, tableOf } from "./session.ts";

/** A stop that an operator's command may lift: the change is tried again once the command is carried out. */
export const MENDED_BY_COMMAND: ReadonlySet<ErrorCode> = new Set(["value-unfit", "key-changed", "table-replaced"]);

/** The same stop, with the commands that let the field's amendment go on. */
export function wayOn(session: Session, stop: GuardError): GuardError {
  const { unfit } = stop;
  const topic = unfit && topicOf(session, unfit.table);
  if (unfit === undefined || topic === undefined) return stop;
  if (unfit.isNull) apply(session, { kind: "null-found", topic, field: unfit.field });
  const about = withheldOf(tableOf(session, topic)).find((amendment) => amendment.name === unfit.field);
  if (about === undefined) return stop;
  const message = `${stop.text}; ${describeAmendment(about)}`;
  return new GuardError(stop.code, message, { next: waysOn(about).join("; or: ") });
}

function topicOf({ state }: Session, name: string): string | undefined {
  for (const { shape } of state.tables.values()) {
    if (`${shape.table.schema}.${shape.table.name}` === name) return shape.topic;
  }
  return undefined;
}
