import { type ErrorCode, GuardError } from "../errors.ts";
import { waysOn } from "../gate/describe.ts";
import { withheldOf } from "../gate/update.ts";
import type { Session } from "./session.ts";

/** A stop that an operator's command may lift: the change is tried again once the command is carried out. */
export const MENDED_BY_COMMAND: ReadonlySet<ErrorCode> = new Set(["value-unfit", "key-changed", "table-replaced"]);

/** The same stop, with the commands that let its table's withheld amendments go on. */
export function wayOn(session: Session, stop: GuardError): GuardError {
  if (stop.code !== "value-unfit") return stop;
  const waiting = [...session.state.tables.values()].flatMap(withheldOf);
  const about = waiting.filter(({ name, kind }) => kind !== "added" && stop.message.includes(name));
  const commands = about.flatMap((amendment) => waysOn(amendment));
  if (commands.length === 0) return stop;
  return new GuardError(stop.code, stop.message.replace(`[${stop.code}] `, ""), { next: commands.join(", or ") });
}
