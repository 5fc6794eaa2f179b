import type { LeftOutReason } from "../../capture/left-out.ts";
import type { LookedTable, TablesLook } from "../../capture/look.ts";
import { newsOver, type Sent, sentAs, truncatedBy } from "../../capture/sent.ts";
import type { TableState } from "../../gate/state.ts";
import type { Outside } from "../outside.ts";
import type { Parts } from "../session.ts";
import { missingRight } from "./capture-new.ts";

/**
 * What a look at the catalog shows about one table: whether the connector's file captures it, how the publication sends
 * it, which other table has its name, what has changed since the previous look, and why it cannot be captured.
 */

/** True if the connector's file captures the table under the name that it was captured with. */
export function isListed(
  { settings }: Pick<Outside, "settings">,
  { shape, capturedAs }: Pick<TableState, "shape" | "capturedAs">,
): boolean {
  const { schema, name } = capturedAs ?? shape.table;
  return settings.filter.table(schema, name);
}

/** True if the table is not in the publication and may be added to it. */
export function isUnsent({ settings }: Pick<Outside, "settings">, look: TablesLook, table: LookedTable): boolean {
  const { kind } = sentAs(look, table, settings.sent);
  return kind === "unpublished" || kind === "no-publication";
}

/** What happened to a captured table, according to both reads of a pending look. */
export function newsOf(
  { control, outside }: Parts<"control">,
  first: TablesLook,
  second: TablesLook,
  table: TableState,
): ReturnType<typeof newsOver> {
  const { oid, schema, name } = table.shape.table;
  const was = sentOf(outside, first, table);
  const now = sentOf(outside, second, table);
  if (lacksColumns(table) && now.kind === "sent") return { kind: "again" };
  const entry = second.tables.get(Number(oid));
  const truncated = truncatedBy(control.looks.truncated.get(Number(oid)) ?? [], entry);
  const news = newsOver(table.sent, was, now, truncated);
  const renamed = entry !== undefined && (entry.schema !== schema || entry.name !== name);
  return news.kind === "none" && renamed ? { kind: "same" } : news;
}

/** True if rows of the table are passed over, because the publication sent too few or too many columns of it. */
function lacksColumns({ amendments }: TableState): boolean {
  return amendments.some(({ gate }) => gate.kind === "withheld" && gate.reason.kind === "columns-not-sent");
}

/** How a captured table is sent, according to a look. */
export function sentOf(outside: Pick<Outside, "settings">, look: TablesLook, table: TableState): Sent {
  if (!isListed(outside, table)) return { kind: "unlisted" };
  return sentAs(look, look.tables.get(Number(table.shape.table.oid)), outside.settings.sent);
}

/** Why a new table cannot be captured, as far as the look shows; undefined if nothing speaks against it. */
export function reasonAgainst(
  { outside: { settings }, control }: Parts<"control">,
  look: TablesLook,
  table: LookedTable,
): LeftOutReason | undefined {
  const right = missingRight(table, settings["database.user"]);
  if (right !== undefined) return right;
  const why = sentAs(look, table, settings.sent);
  if (why.kind === "sent") return undefined;
  const { refusal } = control.looks.refused.get(table.oid) ?? {};
  return { kind: "not-sent", why, publication: settings["publication.name"], refusal };
}
