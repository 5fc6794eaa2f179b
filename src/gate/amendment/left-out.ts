import { fieldOf } from "../../event/field.ts";
import type { Finding } from "../../finding.ts";
import type { Column } from "../../table/column.ts";
import type { Rules, TableState } from "../state.ts";
import { isExcluded } from "./excluded.ts";

/**
 * Columns that can be in no event, whatever is released: generated ones, and those of a type that is not mapped. Excluded
 * columns are not among them, because the connector's file says that itself.
 */

/** One finding for each of these columns. `columns`: all columns of the table, as the catalog has them. */
export function leftOutOf(rules: Rules, table: TableState, columns: readonly Column[]): readonly Finding[] {
  return columns
    .filter((column) => !isExcluded(rules, table, column))
    .flatMap((column) => {
      const mapped = fieldOf(column, rules.modes);
      return mapped.kind === "left-out" ? [mapped.finding] : [];
    });
}

/** Remembers which columns are left out. Returns the same table if nothing has changed. */
export function withLeftOut(rules: Rules, table: TableState, columns: readonly Column[]): TableState {
  const leftOut = leftOutOf(rules, table, columns);
  const isSame = JSON.stringify(leftOut.map(identity)) === JSON.stringify(table.leftOut.map(identity));
  return isSame ? table : { ...table, leftOut };
}

/** The columns that are left out now and were not before. */
export function newlyLeftOut(before: TableState, after: TableState): readonly Finding[] {
  if (before.leftOut === after.leftOut) return [];
  const known = new Set(before.leftOut.map(identity));
  return after.leftOut.filter((finding) => !known.has(identity(finding)));
}

/** Rewording a finding changes nothing. */
function identity({ rule, field }: Finding): string {
  return `${rule} ${field ?? ""}`;
}
