import { isOfDropped } from "../capture/sent.ts";
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
    what: `${name} is parked: ${text}${because}${parked.lost === undefined ? "" : `; ${describeLoss(table, parked.lost)}`}`,
    next: about === undefined ? next : `${nextCommands(about).join("; or: ")}; or undo the change in the database`,
  };
}

/** What it means that parked changes are missing from their topic. */
function describeLoss({ shape }: Pick<TableState, "shape">, lost: number): string {
  const changes = lost === 1 ? "1 parked change was" : `${lost} parked changes were`;
  const then =
    shape.key.length === 0
      ? "the table has no key, so its rows cannot be published again"
      : "all rows of the table are published again, but rows that were deleted in these changes stay with consumers";
  return `${changes} missing from the topic of parked changes and cannot be published: ${then}`;
}

export function describeUnparked({ shape, unparked, gap }: TableState): string {
  const { written = 0, passedOver = 0, lost } = unparked ?? {};
  const name = fullName(shape.table);
  const changes = `${written} parked ${written === 1 ? "change" : "changes"}`;
  if (lost !== undefined) return `${name} flows again, but ${describeLoss({ shape }, lost)}`;
  if (passedOver > 0 && isOfDropped(gap)) {
    return `${name} was dropped, and ${passedOver} of ${changes} are in no event: they fit none, and the table can no longer be read`;
  }
  if (passedOver === 0) return `${name} flows again: ${changes} published in order`;
  const then = shape.key.length === 0 ? "it has no key, so its rows cannot be" : "all rows of the table are";
  return `${name} flows again: ${passedOver} of ${changes} no longer fitted any event; ${then} published again`;
}
