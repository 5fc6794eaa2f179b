import { GuardError } from "../../errors.ts";
import { type LookedTable, newsOver, type Sent, sentAs, type TablesLook } from "../../capture/sent.ts";
import type { TableState } from "../../gate/state.ts";
import { tableByName, tableByOid } from "../../gate/tables.ts";
import { type Table, tableOid } from "../../table/column.ts";
import { describeGap } from "../../words/gap.ts";
import type { NamedTable } from "../outside.ts";
import {
  type Captured,
  capturedFrom,
  inBackground,
  type Looks,
  type Parts,
  type PendingLook,
  post,
} from "../session.ts";
import { apply } from "./apply.ts";
import { capture, missingRight } from "./capture-new.ts";
import { reachedEnd, startCatalogRead } from "./catalog-read.ts";
import { leave } from "./left.ts";

/**
 * Looks at the catalog now and then: is each captured table still sent, and all of it; does another table have its name;
 * is there a table that could be captured now? The log says nothing of this: a table that left the publication is just
 * silent. A look is read beside the loop, on a session of its own. One that has news writes a mark and counts from
 * there, since rows from before it may still be in the log. A look without news costs one query.
 */

export function noLooks(): Looks {
  return {
    due: 0n,
    busy: false,
    pending: undefined,
    seen: new Map(),
    passedBy: new Set(),
    truncated: new Set(),
    left: new Map(),
    refused: new Map(),
    toReport: new Set(),
  };
}

/** A table that may not be added to the publication is tried again after this long. */
const REFUSED_MICROS = 60_000_000n;
/** Looks take at most a twentieth of their session's time. */
const SHARE = 20n;

/** Starts a look if one is due and none is under way. */
export function lookAtTables(session: Parts<"control" | "tape">): void {
  const { outside, control } = session;
  const { looks } = control;
  const began = outside.now();
  if (looks.busy || began < looks.due) return;
  looks.busy = true;
  inBackground(session, async () => {
    const pending = await readLook(session);
    const took = outside.now() - began;
    const every = BigInt(outside.settings["fieldgate.look.ms"]) * 1000n;
    looks.due = outside.now() + (took * SHARE > every ? took * SHARE : every);
    if (pending === undefined) {
      looks.busy = false;
      return;
    }
    looks.pending = pending;
    if (outside.writesMarks) await session.source.mark(`catalog-read:${pending.nonce}`);
    else session.waker.wake();
  });
}

/** undefined: no news. */
async function readLook(session: Parts<"control" | "tape">): Promise<PendingLook | undefined> {
  const { source, control, outside } = session;
  const first = await source.look();
  const isFirstOfAll = control.looks.seen.size === 0;
  const unsent = [...control.state.tables.values()].flatMap((table) => wanted(session, first, table));
  const candidates = candidatesOf(session, first);
  const added = await publish(session, [...unsent, ...candidates.filter((one) => isUnsent(session, first, one))]);
  const second = added ? await source.look() : first;
  const others = replacing(session, second);
  const news =
    added ||
    isFirstOfAll ||
    others.size > 0 ||
    candidates.some((one) => !isWaiting(session, second, one)) ||
    [...control.state.tables].some(
      ([topic, table]) => !others.has(topic) && newsOf(session, first, second, table).kind !== "none",
    );
  if (!news) {
    remember(session, second);
    return undefined;
  }
  const replacements = new Map<string, Table>();
  for (const [topic, oid] of others) {
    const { table } = await source.table(tableOid(oid));
    if (table !== undefined) replacements.set(topic, table);
  }
  return { nonce: outside.uuid(), end: second.end, first, second, replacements, candidates };
}

function remember({ control: { looks }, outside: { settings } }: Parts<"control">, { tables }: TablesLook): void {
  looks.seen.clear();
  for (const { oid, schema, name } of tables.values()) {
    looks.seen.set(oid, settings.filter.table(schema, name) ? "captured" : "other");
  }
}

/** What should be in the publication for this captured table and is not: the table, and one that has its name. */
function wanted(session: Parts<"control">, look: TablesLook, table: TableState): readonly LookedTable[] {
  if (!isListed(session.outside, table)) return [];
  const now = look.tables.get(Number(table.shape.table.oid));
  const named = namesakeOf(look, table);
  return [now, named].filter((one) => one !== undefined).filter((one) => isUnsent(session, look, one));
}

/** Does the connector's file capture the table, by the name that it was captured under? */
export function isListed(
  { settings }: Parts<"control">["outside"],
  { shape, capturedAs }: Pick<TableState, "shape" | "capturedAs">,
): boolean {
  const { schema, name } = capturedAs ?? shape.table;
  return settings.filter.table(schema, name);
}

function isUnsent({ outside: { settings } }: Parts<"control">, look: TablesLook, table: LookedTable): boolean {
  const { kind } = sentAs(look, table, settings.sent);
  return kind === "unpublished" || kind === "no-publication";
}

/** Another table that has the name of a captured one. */
function namesakeOf({ named }: TablesLook, { shape, capturedAs }: TableState): LookedTable | undefined {
  const names = [shape.table, ...(capturedAs === undefined ? [] : [capturedAs])];
  const found = names.flatMap(({ schema, name }) => named.get(`${schema}.${name}`) ?? []);
  return found.find(({ oid }) => oid !== Number(shape.table.oid));
}

/** By topic: OIDs of tables that have the name of a captured one and do not halt its topic yet. */
function replacing(session: Parts<"control">, look: TablesLook): ReadonlyMap<string, number> {
  const { control } = session;
  const found = [...control.state.tables].flatMap(([topic, table]): readonly [string, number][] => {
    if (!isListed(session.outside, table) || control.halts.has(topic)) return [];
    const other = namesakeOf(look, table);
    return other === undefined ? [] : [[topic, other.oid]];
  });
  return new Map(found);
}

/** Tables that the file captures and the state does not know. */
function candidatesOf({ control, outside: { settings } }: Parts<"control">, look: TablesLook): readonly LookedTable[] {
  const isTaken = ({ schema, name }: NamedTable) => settings.filter.table(schema, name);
  return [...look.tables.values()].filter((one) => {
    if (tableByOid(control.state, one.oid) !== undefined || tableByName(control.state, one) !== undefined) return false;
    if (!isTaken(one)) return false;
    if (!settings.sent.viaRoot) return !one.partitioned;
    return !one.ancestors.some((oid) => {
      const above = look.tables.get(oid);
      return above !== undefined && isTaken(above);
    });
  });
}

/** Nothing can be done about this new table now, and what is to be said was said. */
function isWaiting(session: Parts<"control">, look: TablesLook, table: LookedTable): boolean {
  const { outside, control } = session;
  const reason = reasonAgainst(session, look, table);
  const left = control.looks.left.get(table.oid);
  return reason === undefined ? left !== undefined && outside.now() < left.again : left?.why === reason.why;
}

/** Why a new table cannot be captured, by the look alone. */
function reasonAgainst(
  session: Parts<"control">,
  look: TablesLook,
  table: LookedTable,
): { readonly why: string; readonly next: string } | undefined {
  const { outside, control } = session;
  const { settings } = outside;
  const right = missingRight(table, table, settings["database.user"]);
  if (right !== undefined) return right;
  const sent = sentAs(look, table, settings.sent);
  if (sent.kind !== "sent") {
    if (isUnsent(session, look, table) && !table.identified) return unidentified(table);
    const gap = { news: { kind: "lost", why: sent }, since: "", time: "", reported: false } as const;
    const { what, next } = describeGap(table, settings["publication.name"], gap, undefined);
    const refused = control.looks.refused.get(table.oid);
    const because = refused === undefined ? "" : ` (${refused.why})`;
    return { why: `${what.replace(`${table.schema}.${table.name} `, "it ")}${because}`, next: next ?? "nothing" };
  }
  return undefined;
}

/** A table that is published without this makes the application's UPDATE and DELETE fail. */
const unidentified = ({ schema, name }: NamedTable) => ({
  why: "it has no key by which the log identifies rows, and once it is published PostgreSQL refuses UPDATE and DELETE of it",
  next: `ALTER TABLE "${schema}"."${name}" ADD PRIMARY KEY (…); or REPLICA IDENTITY FULL`,
});

/** Adds these tables to the publication, each alone, where the connector's file allows that. True: it was changed. */
async function publish(session: Parts<"control">, tables: readonly LookedTable[]): Promise<boolean> {
  const { source, outside, control } = session;
  const { refused } = control.looks;
  if (outside.settings["publication.autocreate.mode"] !== "filtered") return false;
  let changed = false;
  for (const table of tables) {
    const before = refused.get(table.oid);
    if (table.persistence !== "p" || (before !== undefined && outside.now() < before.again)) continue;
    if (missingRight(table, table, "") !== undefined || !table.identified) continue;
    try {
      await source.ensurePublication([table]);
      refused.delete(table.oid);
      changed = true;
    } catch (error) {
      if (!(error instanceof GuardError) || (error.fate !== "stop" && !/lock timeout/.test(error.text))) throw error;
      refused.set(table.oid, { again: outside.now() + REFUSED_MICROS, why: error.text, next: error.next });
    }
  }
  return changed;
}

function newsOf(
  { control, outside }: Parts<"control">,
  first: TablesLook,
  second: TablesLook,
  table: TableState,
): ReturnType<typeof newsOver> {
  const { oid, schema, name } = table.shape.table;
  const was = sentOf(outside, first, table);
  const now = sentOf(outside, second, table);
  const news = newsOver(table.sent, was, now, control.looks.truncated.has(Number(oid)));
  const entry = second.tables.get(Number(oid));
  const renamed = entry !== undefined && (entry.schema !== schema || entry.name !== name);
  return news.kind === "none" && renamed ? { kind: "same" } : news;
}

/** How a captured table is sent, as of a look. */
export function sentOf(outside: Parts<"control">["outside"], look: TablesLook, table: TableState): Sent {
  if (!isListed(outside, table)) return { kind: "unlisted" };
  return sentAs(look, look.tables.get(Number(table.shape.table.oid)), outside.settings.sent);
}

/** A mark in the log: true if it is that of the pending look, which is applied now. */
export function isLookReached({ control }: Parts<"control">, nonce: string): boolean {
  return control.looks.pending?.nonce === nonce;
}

/** Where no marks are written, a look counts from the first position that is not before it. */
export function isUnmarkedLookReached({ control, tape, outside }: Parts<"control" | "tape">): boolean {
  const { pending } = control.looks;
  if (outside.writesMarks || pending === undefined || tape.tx !== undefined) return false;
  return pending.end <= reachedEnd(tape);
}

/** Applies the pending look. Returns the topics that halt: another table has the name of theirs. */
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
      // The log describes a table once; what it has said must not be replaced by this, which has no columns.
      const described = tape.relations.get(relation.oid)?.relation ?? relation;
      const captured = capturedFrom(outside, control.state, described);
      if (captured.news === "replaces") halting.push({ topic, captured });
      continue;
    }
    const news = newsOf(session, first, second, table);
    if (news.kind === "none") continue;
    const now = sentOf(outside, second, table);
    apply(session, { kind: "sent", topic, sent: now, news });
    if (table.sent?.kind !== "sent" || now.kind !== "sent" || table.sent.file !== now.file) {
      looks.truncated.delete(Number(table.shape.table.oid));
    }
    reportRename(session, table, second);
  }
  const isFirst = looks.seen.size === 0;
  for (const one of candidates) await takeIn(session, second, one, isFirst);
  for (const oid of looks.left.keys()) if (!second.tables.has(oid)) looks.left.delete(oid);
  remember(session, second);
  return halting;
}

/** A renamed table keeps its topic; its name is read from the catalog. */
function reportRename(session: Parts<"control" | "tape">, { shape }: TableState, look: TablesLook): void {
  const { oid, schema, name } = shape.table;
  const now = look.tables.get(Number(oid));
  if (now === undefined || (now.schema === schema && now.name === name)) return;
  session.outside.log.info(`${schema}.${name} is called ${now.schema}.${now.name} now; its topic stays ${shape.topic}`);
  startCatalogRead(session, Number(oid));
}

/** Captures a new table that can be captured now; its first rows may be just about to come, and then need no snapshot. */
async function takeIn(
  session: Parts<"control" | "tape" | "batch">,
  look: TablesLook,
  entry: LookedTable,
  isFirst: boolean,
): Promise<void> {
  const { control, source, tape, outside } = session;
  const { looks } = control;
  const reason = reasonAgainst(session, look, entry);
  if (reason !== undefined) {
    leave(session, entry.oid, entry, reason);
    return;
  }
  if (!isFirst && !looks.seen.has(entry.oid) && !looks.left.has(entry.oid)) return;
  const { table } = await source.table(tableOid(entry.oid));
  if (table === undefined || tableByOid(control.state, table.oid) !== undefined) return;
  if (!(await capture(session, table, true))) return;
  const known = tape.relations.get(entry.oid);
  if (known !== undefined) tape.relations.set(entry.oid, capturedFrom(outside, control.state, known.relation));
}

/** After the commit that records them: reports gaps, and records that they were reported. */
export function reportGaps(session: Parts<"control">): void {
  const { control, outside } = session;
  for (const topic of control.looks.toReport) {
    const table = control.state.tables.get(topic);
    if (table?.gap === undefined || table.gap.reported) continue;
    const { since, news } = table.gap;
    const job = control.state.jobs.get(`repair/${topic}`);
    const { what, next } = describeGap(table.shape.table, outside.settings["publication.name"], table.gap, job);
    outside.log.warn(next === undefined ? what : `${what}; next: ${next}`);
    const isInfo = news.kind === "lost" && (news.why.kind === "unlisted" || news.why.kind === "dropped");
    void outside.notice({ severity: isInfo ? "info" : "warn", what, next }).then(() => {
      post(session, { input: { kind: "gap-reported", topic, since } });
      return undefined;
    });
  }
  control.looks.toReport.clear();
}
