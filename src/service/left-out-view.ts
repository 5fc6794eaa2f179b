import type { LeftOutColumn } from "../api/api.ts";
import { isExcluded } from "../gate/amendment/excluded.ts";
import type { Rules, TableState } from "../gate/state.ts";
import { withheldOf } from "../gate/update.ts";

/** The columns of a table that are in no event. Those that an amendment is about are shown with the amendments. */
export function leftOutColumns(rules: Pick<Rules, "filter">, table: TableState): readonly LeftOutColumn[] {
  const amended = new Set(withheldOf(table).map(({ name, column }) => column?.name ?? name));
  const impossible = table.leftOut.flatMap(({ rule, field, message }): readonly LeftOutColumn[] => {
    if (field === undefined || amended.has(field)) return [];
    return [{ column: field, kind: rule === "column/generated" ? "generated" : "type-not-mapped", why: message }];
  });
  return [
    ...impossible,
    ...excludedNames(rules, table)
      .filter((name) => !amended.has(name))
      .map((name) => ({
        column: name,
        kind: "excluded" as const,
        why: `Column ${name} is excluded by the connector's column lists.`,
      })),
  ];
}

/** Before the table's columns have been read, only those are known that were excluded before. */
function excludedNames(rules: Pick<Rules, "filter">, table: TableState): readonly string[] {
  if (table.known.length === 0) return (table.excluded ?? []).map(({ as }) => as);
  return table.known.filter((column) => isExcluded(rules, table, column)).map(({ name }) => name);
}
