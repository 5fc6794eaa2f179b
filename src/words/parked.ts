import type { TableState } from "../gate/state.ts";
import { withheldOf } from "../gate/update.ts";
import { describeAmendment, nextCommands } from "./amendment.ts";
import { fullName } from "../table/quote.ts";

/** The text about a parked table. */
export interface ParkedText {
  readonly what: string;
  /** What to do so that the table flows again. */
  readonly next: string | undefined;
}

/** Why the table's changes wait, and the commands that let them continue. */
export function describeParked(table: TableState): ParkedText {
  const { parked, shape } = table;
  const name = fullName(shape.table);
  if (parked === undefined) return { what: `${name} is not parked`, next: undefined };
  const { code, text, next, field } = parked.why;
  const inKey = shape.key.some((one) => one.name === field);
  const about = withheldOf(table).find(
    (amendment) => amendment.name === field || (amendment.kind === "key" && (inKey || code === "key-changed")),
  );
  const because = about === undefined ? "" : `; ${describeAmendment(about)}`;
  return {
    what: `${name} is parked: ${text}${because}`,
    next: about === undefined ? next : `${nextCommands(about).join("; or: ")}; or undo the change in the database`,
  };
}

export function describeUnparked({ shape, unparked }: TableState): string {
  const { written = 0, passedOver = 0 } = unparked ?? {};
  const name = fullName(shape.table);
  const changes = `${written} parked ${written === 1 ? "change" : "changes"}`;
  if (passedOver === 0) return `${name} flows again: ${changes} published in order`;
  return `${name} flows again: ${passedOver} of ${changes} no longer fitted any event; all rows of the table are published again`;
}
