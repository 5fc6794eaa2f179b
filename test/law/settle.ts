import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectorView } from "../../src/api/api.ts";
import { formatLsn, type Lsn, LSN_ZERO, parseLsn } from "../../src/wal/lsn.ts";
import { compare, type Table, type World } from "./compare.ts";
import { isOfFirst, type Model, MOST_COLUMNS } from "./model.ts";
import type { Story } from "./story.ts";

/** How a batch ends: an operator releases what waits, and the service comes to rest. */

export interface Played {
  readonly story: Story;
  readonly statements: readonly string[];
  /** undefined: every check held. */
  readonly difference: string | undefined;
}

/** An operator releases all that waits in some tables, or accepts the tables that took their names, until nothing waits. */
export async function releaseAll(world: World, chosen: (table: Table) => boolean, only?: "table"): Promise<void> {
  const { service, tables, admin } = world;
  const wanted = tables.filter(chosen);
  if (service === undefined || wanted.length === 0) return;
  for (let tries = 0; tries < 5; tries += 1) {
    const open = (await service.amendments()).filter(
      ({ gate, kind }) => gate.kind === "withheld" && (only === undefined || kind === only),
    );
    const waiting = wanted.filter(({ topic }) => open.some((one) => one.topic === topic));
    if (waiting.length === 0) return;
    for (const { topic, model, releasedAt, story } of waiting) {
      const all = open.filter((one) => one.topic === topic);
      // Once another table is accepted, what waited for its columns does so no longer.
      const accepting = all.filter(({ kind }) => kind === "table");
      const ids = (accepting.length > 0 ? accepting : all).map(({ id }) => id);
      const [end] = await admin.fetchTopicOffsets(topic);
      const released = accepting.length > 0 ? columnsTakenWith(model) : ids.flatMap((id) => columnsOf(model, id));
      for (const attnum of released) if (!releasedAt.has(attnum)) releasedAt.set(attnum, BigInt(end?.high ?? 0));
      await service
        .command({
          kind: "release",
          ids,
          reason: "the story",
          force: true,
          ...(story.backfill === "all" ? { backfill: "all" } : {}),
        })
        .catch(() => {});
    }
  }
}

/** A table that is accepted as it is gives its columns to the fields of the same names. */
function columnsTakenWith({ live, gone, swappedBack }: Model): readonly number[] {
  return [...live, ...gone].filter((column) => swappedBack || !isOfFirst(column)).map(({ attnum }) => attnum);
}

/** The service may be behind, so an amendment may be about a column of any table that has had the name. */
function columnsOf({ highest }: Model, id: string): readonly number[] {
  const attnum = Number(id.split("/")[1]);
  return Array.from({ length: highest / MOST_COLUMNS + 1 }, (_, table) => table * MOST_COLUMNS + attnum);
}

/** Longer than the service takes between two looks at anything, which are rarer where each takes its time. */
const STILL_MS = 45_000;
/** Events that came so recently may not be all. */
const QUIET_MS = 500;
/** A service that is not at rest after so long says nothing about its stories. */
export const REST_MS = 600_000;

/**
 * Waits until the events are the truth, and returns what is left of a difference, by table. A difference counts only once
 * the service has read the whole log, waits for nothing and has nothing left to do.
 * @throws Error while it still has
 */
export async function settle(world: World): Promise<readonly (string | undefined)[]> {
  const begun = performance.now();
  const end = await logEnd(world);
  let signs = "";
  let since = begun;
  for (;;) {
    await sleep(QUIET_MS / 2);
    await releaseAll(world, () => true);
    const connector = await world.service?.connector();
    const chunks = connector?.chunks.map(({ state, scanned }) => [state, scanned]);
    const now = JSON.stringify([world.collector.records.length, chunks]);
    if (now !== signs) since = performance.now();
    signs = now;
    const still = performance.now() - since;
    if (still >= QUIET_MS) {
      const found = await compare(world);
      if (found.every((difference) => difference === undefined)) return found;
      if (still > STILL_MS && hasEnded(connector, end)) return found;
    }
    if (performance.now() - begun < REST_MS) continue;
    const { waiting, position, status } = connector ?? {};
    const open = chunks?.filter(([state]) => state === "running").length;
    throw new Error(
      `after ${REST_MS / 1000} s the service is not at rest: ${status}, ${open} jobs run, ` +
        `position ${position?.endLsn} of ${formatLsn(end)}, waits for ${waiting?.for ?? "nothing"}`,
    );
  }
}

async function logEnd({ database }: World): Promise<Lsn> {
  const [row] = await database.query<{ end: string }>(`select pg_current_wal_lsn()::text as "end"`);
  return parseLsn(row?.end ?? "") ?? LSN_ZERO;
}

/** Whatever it has not done by now, it will not do by itself. */
function hasEnded(connector: ConnectorView | undefined, end: Lsn): boolean {
  if (connector === undefined || connector.status === "stopped") return true;
  const { status, waiting, position, chunks, tables } = connector;
  /** Their jobs wait for an operator. */
  const parked = new Set(tables.filter((table) => table.parked !== undefined).map(({ table }) => table));
  const reached = parseLsn(position?.endLsn ?? "") ?? LSN_ZERO;
  return (
    status === "streaming" &&
    waiting === undefined &&
    reached >= end &&
    chunks.every(({ state, table }) => state !== "running" || parked.has(table))
  );
}

/** What the service says of each table, for people who look at a difference. */
export async function played(world: World, found: readonly (string | undefined)[]): Promise<readonly Played[]> {
  const { service, tables } = world;
  const problem = (await service?.connector())?.problem;
  const amendments = (await service?.amendments()) ?? [];
  return tables.map(({ story, statements, topic }, index) => {
    const difference = found[index];
    if (difference === undefined) return { story, statements, difference };
    const open = amendments
      .filter((one) => one.topic === topic)
      .map(({ id, field, kind, gate }) => `\n     ${id} ${field} ${kind} ${gate.kind}: ${gate.why}`);
    const why = problem === undefined ? "" : `\n     the connector: ${problem.message}`;
    return { story, statements, difference: `${difference}${why}${open.join("")}` };
  });
}
