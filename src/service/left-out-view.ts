import type { LeftOutColumn } from "../api/api.ts";
import type { TableState } from "../gate/state.ts";
import { withheldOf } from "../gate/update.ts";

/** The columns of a table that are in no event. Those that an amendment is about are shown with the amendments. */
export function leftOutColumns(table: TableState): readonly LeftOutColumn[] {
  const amended = new Set(withheldOf(table).map(({ name, column }) => column?.name ?? name));
  const impossible = table.leftOut.flatMap(({ rule, field, message }): readonly LeftOutColumn[] => {
    if (field === undefined || amended.has(field)) return [];
    return [{ column: field, kind: rule === "column/generated" ? "generated" : "type-not-mapped", why: message }];
  });
  const excluded = (table.excluded ?? []).flatMap(({ attnum, as }): readonly LeftOutColumn[] => {
    const now = table.known.find((column) => column.attnum === attnum)?.name ?? as;
    const isDropped = table.known.length > 0 && !table.known.some((column) => column.attnum === attnum);
    const why = `Column ${now} is excluded by the connector's column lists.`;
    return isDropped || amended.has(now) ? [] : [{ column: now, kind: "excluded", why }];
  });
  return [...impossible, ...excluded];
}
