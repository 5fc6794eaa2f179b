import type { Client } from "pg";
import { query } from "./connection.ts";

/** Another session of the server, with what a person needs to find it. */
export interface Session {
  /** Process id of its backend; 0 for a prepared transaction. */
  readonly pid: number;
  readonly user: string;
  readonly application: string;
  /** When its transaction started, in UTC, as PostgreSQL writes it; undefined if none is open. */
  readonly since: string | undefined;
}

interface SessionRow extends Readonly<Record<string, string | null>> {
  readonly pid: string;
  readonly usename: string | null;
  readonly application_name: string | null;
  readonly xact_start: string | null;
}

/** The sessions whose locks the process `pid` is waiting for. */
export async function blockersOf(client: Client, pid: number): Promise<readonly Session[]> {
  const rows = await query<SessionRow>(
    client,
    "finding the blocking sessions",
    `SELECT b.pid, a.usename, a.application_name, a.xact_start
       FROM unnest(pg_blocking_pids($1)) AS b(pid) LEFT JOIN pg_stat_activity a ON a.pid = b.pid`,
    [pid],
  );
  return rows.map(toSession);
}

/** Sessions with an open transaction whose id is at or below `xid` (64 bits): they hold back `Snapshot.xmin`. */
export async function openBelow(client: Client, xid: bigint): Promise<readonly Session[]> {
  const rows = await query<SessionRow>(
    client,
    "finding open transactions",
    `SELECT pid, usename, application_name, xact_start FROM pg_stat_activity
      WHERE backend_xid IS NOT NULL AND age(backend_xid) >= age($1::text::xid)
     UNION ALL
     SELECT 0, owner, 'prepared transaction ' || gid, prepared FROM pg_prepared_xacts
      WHERE age(transaction) >= age($1::text::xid)`,
    [String(xid & 0xffffffffn)],
  );
  return rows.map(toSession);
}

function toSession(row: SessionRow): Session {
  return {
    pid: Number(row.pid),
    user: row.usename ?? "",
    application: row.application_name ?? "",
    since: row.xact_start ?? undefined,
  };
}

/** One line for a person. */
export function describeSession(session: Session): string {
  const since = session.since === undefined ? "" : `, in a transaction since ${session.since}`;
  return `pid ${session.pid} (${session.application || "no application name"}, user ${session.user}${since})`;
}
