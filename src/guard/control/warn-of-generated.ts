import type { TableState } from "../../gate/state.ts";
import { generatedText } from "../../words/left-out-columns.ts";
import type { Outside } from "../outside.ts";
import { warnPeople } from "../warn-people.ts";

/** Warns people of generated columns of a captured table. Their values are not in the log, so no event has them. */
export function warnOfGenerated(
  { outside }: { readonly outside: Outside },
  { shape }: TableState,
  columns: readonly string[],
): void {
  const id = `generated/${shape.topic}/${columns.join(",")}`;
  warnPeople(outside, { id, about: "table-warning", ...generatedText(shape.table, columns) });
}
