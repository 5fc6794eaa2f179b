import { leftOutKey, refusalOf } from "../../capture/left-out.ts";
import type { LookedTable, TablesLook } from "../../capture/look.ts";
import { isPartOfCaptured } from "../../capture/lists.ts";
import { GuardError } from "../../errors.ts";
import type { TableState } from "../../gate/state.ts";
import { tableByName, tableByOid } from "../../gate/tables.ts";
import { type Table, tableOid } from "../../table/column.ts";
import type { Outside } from "../outside.ts";
import { isReplacedOver, type Looks, namesakeOf, type PendingLook } from "../looks.ts";
import { inBackground, type Parts } from "../session.ts";
import { isListed, isUnsent, newsOf, reasonAgainst } from "./looked-table.ts";
import { warnOfTables } from "./table-warnings.ts";
import { columnEntries } from "./unmatched-entries.ts";
import { type TableName } from "../../table/quote.ts";
import type { Lsn } from "../../wal/lsn.ts";
import { canPass } from "./park.ts";
import { readAgain } from "./read-again.ts";

/**
 * Looks at the catalog at intervals. Is each captured table still sent in full? Does a different table have its name
 * now? Is there a table that could be captured? The log shows none of this: a table that left the publication is simply
 * silent. A look runs in the background, in its own session, and costs one query if nothing has changed. Otherwise it
 * writes a mark and is applied when the loop reaches it (apply-look.ts), because rows from before may still be in the
 * log.
 */

/**
 * `look` was read before the log, so a table that is missing from it was created after the session began. One that it
 * has, and that the start did not capture, may have rows from before.
 */
export function firstLooks(
  outside: Outside,
  look: TablesLook & { readonly end: Lsn },
  captured: Iterable<TableState>,
): Looks {
  const known = new Set([...captured].map(({ shape }) => Number(shape.table.oid)));
  const looks: Looks = {
    began: look.end,
    due: 0n,
    busy: false,
    started: 0,
    read: undefined,
    pending: undefined,
    seen: new Map(),
    allTables: undefined,
    passedBy: new Set([...look.tables.keys()].filter((oid) => !known.has(oid))),
    forNew: undefined,
    truncated: new Map(),
    left: new Map(),
    refused: new Map(),
    unmatched: columnEntries(outside.settings),
    warnings: new Map(),
    toReport: new Set(),
  };
  remember(outside, looks, look);
  return looks;
}

/** How long to wait before trying again to add a table that could not be added to the publication. */
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
  looks.started += 1;
  inBackground(session, async () => {
    const pending = await readLook(session);
    const took = outside.now() - began;
    const every = BigInt(outside.settings["fieldgate.look.ms"]) * 1000n;
    looks.due = outside.now() + (took * SHARE > every ? took * SHARE : every);
    if (pending === undefined) {
      looks.busy = false;
      session.waker.wake();
      return;
    }
    looks.pending = pending;
    if (outside.writesMarks) await session.source.mark(`catalog-read:${pending.nonce}`);
    else session.waker.wake();
  });
}

/** Milliseconds until the next look is due. While one is under way, none is. */
export function untilLook({ control: { looks }, outside }: Parts<"control">): number {
  if (looks.busy) return Number.POSITIVE_INFINITY;
  return Math.max(1, Number((looks.due - outside.now()) / 1000n));
}

/** Reads the catalog. Returns undefined if nothing has changed. */
async function readLook(session: Parts<"control" | "tape">): Promise<PendingLook | undefined> {
  const { source, control, outside } = session;
  const first = await source.look();
  const unsent = [...control.state.tables.values()].flatMap((table) => wanted(session, first, table));
  const candidates = candidatesOf(session, first);
  const added = await publish(session, [
    ...unsent,
    ...candidates.filter((one) => isUnsent(session.outside, first, one)),
  ]);
  const second = added ? await source.look() : first;
  control.looks.read = { number: control.looks.started, look: second };
  warnOfTables(session, second);
  const others = replacing(session, second);
  const news =
    added ||
    others.size > 0 ||
    [...control.state.tables.values()].some((table) => isReplacedOver(second, table)) ||
    candidates.some((one) => !isWaiting(session, second, one)) ||
    [...control.state.tables].some(
      ([topic, table]) => !others.has(topic) && newsOf(session, first, second, table).kind !== "none",
    );
  const listed = [...control.state.tables.values()].filter((table) => isListed(outside, table));
  readAgain(session, second, listed);
  if (!news) {
    remember(outside, control.looks, second);
    return undefined;
  }
  const replacements = new Map<string, Table>();
  for (const [topic, oid] of others) {
    const { table } = await source.table(tableOid(oid));
    if (table !== undefined) replacements.set(topic, table);
  }
  return { nonce: outside.uuid(), end: second.end, first, second, replacements, candidates };
}

/** Stores what the next look is compared with. */
export function remember({ settings: { filter } }: Outside, looks: Looks, { tables, publication }: TablesLook): void {
  const before = new Map(looks.seen);
  const all = publication?.allTables === true ? publication.identity : undefined;
  const isSame = all !== undefined && all === looks.allTables;
  looks.allTables = all;
  looks.seen.clear();
  for (const { oid, schema, name } of tables.values()) {
    looks.seen.set(oid, {
      captured: filter.table(schema, name),
      alwaysSent: isSame && (before.get(oid)?.alwaysSent ?? true),
    });
  }
}

/** Tables missing from the publication for this captured table: the table itself, and any other table with its name. */
function wanted(session: Parts<"control">, look: TablesLook, table: TableState): readonly LookedTable[] {
  if (!isListed(session.outside, table)) return [];
  const now = look.tables.get(Number(table.shape.table.oid));
  const named = namesakeOf(look, table);
  return [now, named].filter((one) => one !== undefined).filter((one) => isUnsent(session.outside, look, one));
}

/**
 * By topic: OIDs of tables that have the name of a captured one and have not halted its topic yet. A table that is captured
 * itself keeps its own topic under the new name.
 */
function replacing(session: Parts<"control">, look: TablesLook): ReadonlyMap<string, number> {
  const { control } = session;
  const found = [...control.state.tables].flatMap(([topic, table]): readonly [string, number][] => {
    if (!isListed(session.outside, table) || control.halts.has(topic)) return [];
    const other = namesakeOf(look, table);
    const isKnown = canPass(session, topic) && Number(table.replacement?.oid) === other?.oid;
    const isCaptured = other !== undefined && tableByOid(control.state, other.oid) !== undefined;
    return other === undefined || isKnown || isCaptured ? [] : [[topic, other.oid]];
  });
  return new Map(found);
}

/** Tables that the file captures but that are not in the state. */
function candidatesOf({ control, outside: { settings } }: Parts<"control">, look: TablesLook): readonly LookedTable[] {
  const isTaken = ({ schema, name }: TableName) => settings.filter.table(schema, name);
  return [...look.tables.values()].filter((one) => {
    if (tableByOid(control.state, one.oid) !== undefined || tableByName(control.state, one) !== undefined) return false;
    if (!isTaken(one)) return false;
    if (!settings.sent.viaRoot) return !one.partitioned;
    return !isPartOfCaptured(settings.filter, look, one);
  });
}

/** True if this new table cannot be captured now and the reason has already been reported. */
function isWaiting(session: Parts<"control">, look: TablesLook, table: LookedTable): boolean {
  const { outside, control } = session;
  const reason = reasonAgainst(session, look, table);
  const left = control.looks.left.get(table.oid);
  if (reason === undefined) return left !== undefined && outside.now() < left.again;
  return left !== undefined && leftOutKey(left.table, left.reason) === leftOutKey(table, reason);
}

/**
 * Adds these tables to the publication, one by one, if the connector's file allows that. Returns true if it was
 * changed.
 */
async function publish(session: Parts<"control">, tables: readonly LookedTable[]): Promise<boolean> {
  const { source, outside, control } = session;
  const { refused } = control.looks;
  if (outside.settings["publication.autocreate.mode"] !== "filtered") return false;
  let changed = false;
  for (const table of tables) {
    const before = refused.get(table.oid);
    if (table.persistence !== "p" || (before !== undefined && outside.now() < before.again)) continue;
    if (!table.readable || !table.usable) continue;
    try {
      await source.ensurePublication([table]);
      refused.delete(table.oid);
      changed = true;
    } catch (error) {
      if (!(error instanceof GuardError) || (error.fate !== "stop" && error.code !== "postgres-locked")) throw error;
      refused.set(table.oid, { again: outside.now() + REFUSED_MICROS, refusal: refusalOf(error) });
    }
  }
  return changed;
}
