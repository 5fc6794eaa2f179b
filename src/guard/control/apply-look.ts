import type { LookedTable, TablesLook } from "../../capture/look.ts";
import type { TableState } from "../../gate/state.ts";
import { tableByOid } from "../../gate/tables.ts";
import { tableOid } from "../../table/column.ts";
import { fullName } from "../../table/quote.ts";
import { describeGap } from "../../words/gap.ts";
import { type Captured, capturedFrom, type Parts, post } from "../session.ts";
import { apply } from "./apply.ts";
import { capture } from "./capture-new.ts";
import { reachedEnd, startCatalogRead } from "./catalog-read.ts";
import { leave } from "./left.ts";
import { isReplacedOver } from "../looks.ts";
import { newsOf, reasonAgainst, sentOf } from "./looked-table.ts";
import { remember } from "./looks.ts";
import { endReplaced } from "./replaced.ts";

/**
 * Applies a look at the catalog that found changes, once the loop has reached its position in the log. Gaps become
 * inputs, a renamed table is read again, a replaced one halts its topic, and a new one is captured.
 */

/** True if the mark is the one of the pending look, which is then applied. */
export function isLookReached({ control }: Parts<"control">, nonce: string): boolean {
  return control.looks.pending?.nonce === nonce;
}

/** Without marks, a look applies from the first position at or after the log's end at the time of the look. */
export function isUnmarkedLookReached({ control, tape, outside }: Parts<"control" | "tape">): boolean {
  const { pending } = control.looks;
  if (outside.writesMarks || pending === undefined || tape.tx !== undefined) return false;
  return pending.end <= reachedEnd(tape);
}

/** Applies the pending look. Returns the topics to halt, because a different table has the name of theirs. */
export async function applyLook(
  session: Parts<"control" | "tape" | "batch">,
): Promise<readonly { readonly topic: string; readonly captured: Captured }[]> {
  const { control, outside, tape } = session;
  const { looks } = control;
  const { pending } = looks;
  looks.pending = undefined;
  looks.busy = false;
  if (pending === undefined) return [];
  const { first, second, replacements, candidates } = pending;
  const halting: { readonly topic: string; readonly captured: Captured }[] = [];
  for (const [topic, table] of control.state.tables) {
    const other = replacements.get(topic);
    if (other !== undefined) {
      const { replicaIdentity: identity, schema, name } = other;
      const relation = { kind: "relation", oid: Number(other.oid), schema, name, identity, columns: [] } as const;
      // The log describes a table only once, so keep that description; this one has no columns.
      const described = tape.relations.get(relation.oid)?.relation ?? relation;
      const captured = capturedFrom(outside, control.state, described);
      if (captured.news === "replaces") halting.push({ topic, captured });
      continue;
    }
    if (isReplacedOver(second, table)) endReplaced(session, topic);
    const news = newsOf(session, first, second, table);
    if (news.kind === "none") continue;
    const now = sentOf(outside, second, table);
    apply(session, { kind: "sent", topic, sent: now, news });
    readName(session, table, second);
  }
  for (const one of candidates) await takeIn(session, second, one);
  // Dropped, or sent as part of a captured table: its rows are no longer expected under its name.
  const waiting = new Set(candidates.map(({ oid }) => oid));
  for (const oid of looks.left.keys()) if (!waiting.has(oid)) looks.left.delete(oid);
  remember(outside, looks, second);
  return halting;
}

/** A renamed table keeps its topic. Reading its name from the catalog also reports it. */
function readName(session: Parts<"control" | "tape">, { shape }: TableState, look: TablesLook): void {
  const now = look.tables.get(Number(shape.table.oid));
  if (now !== undefined && fullName(now) !== fullName(shape.table)) startCatalogRead(session, now.oid);
}

/**
 * Captures a new table if it can be captured now. A table that no earlier look has found is captured before its first
 * row instead, because that row may arrive soon. A table gets no snapshot if the log has all its rows.
 */
async function takeIn(
  session: Parts<"control" | "tape" | "batch">,
  look: TablesLook,
  entry: LookedTable,
): Promise<void> {
  const { control, source, tape, outside } = session;
  const { looks } = control;
  const reason = reasonAgainst(session, look, entry);
  if (reason !== undefined) {
    leave(session, entry.oid, entry, reason);
    return;
  }
  if (!looks.seen.has(entry.oid) && !looks.left.has(entry.oid)) return;
  const { table } = await source.table(tableOid(entry.oid));
  if (table === undefined || tableByOid(control.state, table.oid) !== undefined) return;
  if (!(await capture(session, table, look))) return;
  const known = tape.relations.get(entry.oid);
  if (known !== undefined) tape.relations.set(entry.oid, capturedFrom(outside, control.state, known.relation));
}

/** Reports gaps after the commit that records them, and records that they were reported. */
export function reportGaps(session: Parts<"control">): void {
  const { control, outside } = session;
  for (const topic of control.looks.toReport) {
    const table = control.state.tables.get(topic);
    if (table?.gap === undefined || table.gap.reported) continue;
    const { since, news } = table.gap;
    const job = control.state.jobs.get(`repair/${topic}`);
    const { what, next } = describeGap(table.shape.table, outside.settings["publication.name"], table.gap, job);
    outside.log.warn(next === undefined ? what : `${what}; next: ${next}`);
    const isInfo =
      news.kind === "detached" ||
      (news.kind === "lost" && (news.why.kind === "unlisted" || news.why.kind === "dropped"));
    const kind = isInfo
      ? ({ about: "tables", severity: "info" } as const)
      : ({ about: "rows-missing", severity: "warn" } as const);
    void outside.notice({ id: `gap/${topic}/${since}`, ...kind, what, next }).then(() => {
      post(session, { input: { kind: "gap-reported", topic, since } });
      return undefined;
    });
  }
  control.looks.toReport.clear();
}
