import { expect } from "vitest";
import type { Database } from "../stack/database.ts";
import { until } from "../stack/until.ts";
import type { Events } from "./events.ts";
import type { Service } from "./service.ts";
import { latest } from "./world.ts";

/** What tests of tables that are not sent in full have in common. */

/** Looks often, so that a test need not wait. */
export const LOOK = { "fieldgate.look.ms": "200" };

/** The name of the only publication, quoted. */
export async function publication(database: Database): Promise<string> {
  const [row] = await database.query<{ name: string }>("select pubname as name from pg_publication");
  return `"${row?.name ?? ""}"`;
}

/** Skips a test of column lists or row filters on PostgreSQL 14, which has neither. */
export async function needsLists(database: Database, skip: (isTooOld: boolean, note: string) => void): Promise<void> {
  const [row] = await database.query<{ number: number }>("select current_setting('server_version_num')::int as number");
  skip((row?.number ?? 0) < 150_000, "PostgreSQL 15 or later has column lists and row filters");
}

/** Waits until a consumer that keeps the newest event of each key has these rows, in the order of their ids. */
export async function expectRows(
  events: Events,
  expected: readonly Record<string, unknown>[],
  what: string,
): Promise<void> {
  const rowsOf = (seen: readonly { readonly after: Record<string, unknown> | null }[]) =>
    latest(seen.map(({ after }) => after)).toSorted((x, y) => Number(x["id"]) - Number(y["id"]));
  const all = await events.until((seen) => JSON.stringify(rowsOf(seen)) === JSON.stringify(expected), what);
  expect(rowsOf(all)).toEqual(expected);
}

export async function gapOf(service: Service, table = "public.t") {
  return until(
    async () => (await service.connector()).tables.find((one) => one.table === table)?.gap,
    `${table} has a gap`,
  );
}

/** Waits until the table has had a gap that is over now, and returns it. */
export async function closedGap(service: Service, table = "public.t") {
  return until(async () => {
    const gap = await gapOf(service, table);
    return gap.open ? undefined : gap;
  }, `the gap of ${table} is over`);
}
