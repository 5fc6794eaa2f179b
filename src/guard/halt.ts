import { type ErrorCode, GuardError } from "../errors.ts";
import { describeAmendment, waysOn } from "../gate/describe.ts";
import { withheldOf } from "../gate/update.ts";
import type { Session } from "./session.ts";

/** A stop that an operator's command may lift: the change is tried again once the command is carried out. */
export const MENDED_BY_COMMAND: ReadonlySet<ErrorCode> = new Set(["value-unfit", "key-changed", "table-replaced"]);

/** The same stop, with the commands that let the field's amendment go on. */
export function wayOn(session: Session, stop: GuardError): GuardError {
  if (stop.code !== "value-unfit") return stop;
  for (const table of session.state.tables.values()) {
    const { schema, name } = table.shape.table;
    const about = withheldOf(table).find((amendment) =>
      stop.message.includes(`${schema}.${name}.${amendment.name} at `),
    );
    if (about === undefined) continue;
    const message = `${stop.message.replace(`[${stop.code}] `, "")}; ${describeAmendment(about)}`;
    return new GuardError(stop.code, message, { next: waysOn(about).join("; or: ") });
  }
  return stop;
}
