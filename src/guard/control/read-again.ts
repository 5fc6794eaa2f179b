import type { TablesLook } from "../../capture/look.ts";
import { hasOtherColumns, hasOtherLabels } from "../../gate/amendment/rewritten.ts";
import type { TableState } from "../../gate/state.ts";
import type { Parts } from "../session.ts";
import { startCatalogRead } from "./catalog-read.ts";

/** So many reads at most are pending for looks: they share a session with those that rows wait for. */
const MAX_PENDING = 20;

/**
 * After a look, reads tables in the catalog if something about them is not known: columns that rows left in doubt, a
 * file that differs from the proven one, columns whose definitions do, or an enum whose labels have changed. No row has
 * to arrive for that. If the read does not resolve it, the table is read again after the next look.
 */
export function readAgain(session: Parts<"control" | "tape">, look: TablesLook, tables: Iterable<TableState>): void {
  if (session.outside.delivery === "none") return;
  const { pending, latest } = session.control.catalog;
  for (const table of tables) {
    if (pending.size >= MAX_PENDING) return;
    const { oid } = table.shape.table;
    const now = look.tables.get(Number(oid));
    if (now === undefined) continue;
    // A doubt about new columns alone lasts until their transaction is visible: one read in each session is enough.
    const inDoubt = table.emptied === true || table.unseen !== undefined || (table.doubt && !latest.has(oid));
    const isOther =
      table.filenode !== now.file || hasOtherColumns(table, now.columns) || hasOtherLabels(table, look.enums);
    if (inDoubt || isOther) startCatalogRead(session, oid);
  }
}
