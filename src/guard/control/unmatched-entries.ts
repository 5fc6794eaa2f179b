import type { TableState } from "../../gate/state.ts";
import { nearestName } from "../../mistake.ts";
import { fullName } from "../../table/quote.ts";
import type { ColumnEntry } from "../looks.ts";
import type { Settings, TableWarning } from "../outside.ts";
import type { Parts } from "../session.ts";

/**
 * Warns of entries in the file's column lists that match no column of a captured table. A misspelt entry would silently
 * publish the column that it was meant to exclude.
 */
export function unmatchedEntries({
  outside,
  control: { state, looks },
}: Parts<"control">): readonly (readonly [string, TableWarning])[] {
  if (outside.delivery === "none" || looks.unmatched.size === 0) return [];
  const tables = [...state.tables.values()];
  const names = tables.flatMap(columnsOf);
  for (const entry of looks.unmatched) if (names.some(entry.matches)) looks.unmatched.delete(entry);
  // The columns of a table that was just captured are read soon.
  if (tables.some(({ known }) => known.length === 0)) return [];
  return [...looks.unmatched].map(
    (entry) => [`unmatched/${entry.key}/${entry.text}`, warningOf(entry, names)] as const,
  );
}

/** The entries of the file's column lists. */
export function columnEntries(settings: Pick<Settings, ColumnEntry["key"]>): Set<ColumnEntry> {
  const keys = ["column.include.list", "column.exclude.list", "message.key.columns"] as const;
  return new Set(keys.flatMap((key) => (settings[key] ?? []).map((entry) => ({ ...entry, key }))));
}

/** Under every name that the lists may mean, because a column stays excluded under a new name. */
function columnsOf({ shape, capturedAs, known, excluded = [], leftOut }: TableState): readonly string[] {
  const table = fullName(capturedAs ?? shape.table);
  const names = [...known.map(({ name }) => name), ...excluded.map((one) => one.as)];
  return [...names, ...leftOut.flatMap(({ field }) => field ?? [])].map((name) => `${table}.${name}`);
}

const EFFECTS = {
  "column.include.list": "includes nothing",
  "column.exclude.list": "excludes nothing",
  "message.key.columns": "adds nothing to a key",
} as const;

function warningOf({ key, text }: ColumnEntry, names: readonly string[]): TableWarning {
  const what = `${key}: the entry ${text} matches no column of a captured table, so it ${EFFECTS[key]}`;
  const near = nearestName(text.replaceAll("\\", ""), names);
  const spelling = near === undefined ? "check its spelling" : `if ${near} was meant, correct the entry`;
  return {
    table: text.slice(0, text.lastIndexOf(".")),
    what,
    next: `${spelling}; it has effect once there is such a column`,
  };
}
