import type { LawEvent, Told } from "./check.ts";
import { columnOf, rowKey } from "./model.ts";
import type { Version } from "./truth.ts";

/**
 * A row that was read from the table is never older than the changes before it: at its place in the topic, no value has
 * already been replaced. A later event of the same row would hide that from a comparison of what consumers have in the
 * end.
 */
export function findStale(
  { model, versions, parked, passedOver }: Told,
  events: readonly LawEvent[],
): string | undefined {
  // Which change an event belongs to is known only where each change is in one event.
  if (parked || passedOver) return undefined;
  const rows = new Map<string, Row>();
  // Rows share the labels of an enum, so a rewrite of the table can give a row one that it had before.
  const enums = new Set(
    [...model.live, ...model.gone].flatMap(({ attnum, labels }) => (labels.length > 0 ? [attnum] : [])),
  );
  let at = 0;
  for (const { op, id, after, offset } of events) {
    if (op === "r") {
      const stale = Object.values(after ?? {}).find((value) => isReplaced(rows, id, String(value), enums));
      if (stale !== undefined)
        return `offset ${offset} has ${String(stale).slice(0, 8)} of row ${id}, which was replaced`;
      continue;
    }
    for (let version = versions[at]; version !== undefined; version = versions[at]) {
      at += 1;
      note(rows, version, model.highest === 0);
      if (version.operation !== "GAP") break;
    }
  }
  return undefined;
}

/** A row as of some position in the topic. */
interface Row {
  /** By attnum; undefined: the row was deleted. */
  now: Version["columns"] | undefined;
  /** Values that it has no longer. */
  readonly replaced: Set<string>;
}

function isReplaced(rows: ReadonlyMap<string, Row>, id: number, text: string, enums: ReadonlySet<number>): boolean {
  const attnum = columnOf(text);
  if (attnum !== undefined && enums.has(attnum)) return false;
  const row = attnum === undefined ? undefined : rows.get(rowKey(attnum, id));
  if (attnum === undefined || row?.replaced.has(text) !== true) return false;
  // The field of a dropped column may show that column's default.
  const now = row.now === undefined ? null : row.now[attnum];
  return now !== undefined && now !== text;
}

function note(rows: Map<string, Row>, { operation, id, columns }: Version, isOneTable: boolean): void {
  const [attnum] = Object.keys(columns).map(Number);
  if (attnum === undefined) {
    // Several tables may have had the name, and a version without columns does not say which one this is.
    if (!isOneTable) return;
    for (const [key, row] of rows) if (operation === "TRUNCATE" || key === rowKey(0, id)) replace(row, undefined);
    return;
  }
  const key = rowKey(attnum, id);
  const row: Row = rows.get(key) ?? { now: undefined, replaced: new Set() };
  rows.set(key, row);
  replace(row, operation === "DELETE" ? undefined : columns);
}

function replace(row: Row, now: Version["columns"] | undefined): void {
  for (const [attnum, text] of Object.entries(row.now ?? {})) {
    if (text !== null && now?.[attnum] !== text) row.replaced.add(text);
  }
  row.now = now;
}
