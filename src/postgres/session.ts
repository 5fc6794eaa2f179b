import type { Client } from "pg";
import type { TableOid } from "../table/column.ts";
import { query } from "./connection.ts";

/**
 * Finds the blockers: sessions and prepared transactions that hold a lock, or a transaction open, that something is
 * waiting for. Each comes with what a person needs to find and end it.
 */

/** Another session of the server, or a prepared transaction, which has no session. */
export interface Session {
  /** Process id of its backend; 0 for a prepared transaction. */
  readonly pid: number;
  readonly user: string;
  readonly application: string;
  /** The name of a prepared transaction. */
  readonly gid: string | undefined;
  /** When its transaction started, in UTC, as PostgreSQL writes it; undefined if none is open. */
  readonly since: string | undefined;
}

interface SessionRow extends Readonly<Record<string, string | null>> {
  readonly pid: string;
  readonly usename: string | null;
  readonly application_name: string | null;
  readonly gid: string | null;
  readonly xact_start: string | null;
}

/** The process id of this session's backend. */
export async function backendPid(client: Client): Promise<number> {
  const [row] = await query<{ pid: string }>(client, "reading a process id", "SELECT pg_backend_pid() AS pid");
  return Number(row?.pid);
}

/**
 * The sessions whose locks the process `pid` is waiting for. For a prepared transaction, PostgreSQL reports only pid 0.
 * Which one it is follows from the lock: its owner also holds the lock on the id of that transaction.
 */
export async function blockersOf(client: Client, pid: number): Promise<readonly Session[]> {
  const rows = await query<SessionRow>(
    client,
    "finding the blocking sessions",
    `SELECT b.pid, a.usename, a.application_name, NULL AS gid, a.xact_start
       FROM (SELECT DISTINCT unnest(pg_blocking_pids($1))) AS b(pid) LEFT JOIN pg_stat_activity a ON a.pid = b.pid
      WHERE b.pid <> 0
     UNION ALL
     SELECT 0, p.owner, NULL, p.gid, p.prepared
       FROM pg_prepared_xacts p
      WHERE EXISTS (SELECT FROM pg_locks own
             JOIN pg_locks h ON h.pid IS NULL AND h.granted AND h.virtualtransaction = own.virtualtransaction
             JOIN pg_locks w ON w.pid = $1 AND NOT w.granted
              AND (h.locktype, h.database, h.relation, h.page, h.tuple, h.transactionid, h.classid, h.objid)
                  IS NOT DISTINCT FROM
                  (w.locktype, w.database, w.relation, w.page, w.tuple, w.transactionid, w.classid, w.objid)
            WHERE own.pid IS NULL AND own.granted AND own.transactionid = p.transaction)`,
    [pid],
  );
  return rows.map(toSession);
}

/** The sessions and prepared transactions whose lock on this table keeps other sessions from reading it. */
export async function lockHolders(client: Client, oid: TableOid): Promise<readonly Session[]> {
  const rows = await query<SessionRow>(
    client,
    "finding who holds a table's lock",
    `WITH held AS (SELECT pid, virtualtransaction FROM pg_locks
        WHERE locktype = 'relation' AND relation = $1::text::oid AND granted AND mode = 'AccessExclusiveLock'
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
     SELECT a.pid, a.usename, a.application_name, NULL AS gid, a.xact_start
       FROM held JOIN pg_stat_activity a ON a.pid = held.pid
     UNION ALL
     SELECT 0, p.owner, NULL, p.gid, p.prepared
       FROM held JOIN pg_locks own ON own.virtualtransaction = held.virtualtransaction AND own.pid IS NULL
       JOIN pg_prepared_xacts p ON p.transaction = own.transactionid
      WHERE held.pid IS NULL`,
    [String(oid)],
  );
  return rows.map(toSession);
}

/** Sessions with an open transaction whose id is at or below `xid` (64 bits): they hold back `Snapshot.xmin`. */
export async function openBelow(client: Client, xid: bigint): Promise<readonly Session[]> {
  const rows = await query<SessionRow>(
    client,
    "finding open transactions",
    `SELECT pid, usename, application_name, NULL AS gid, xact_start FROM pg_stat_activity
      WHERE backend_xid IS NOT NULL AND age(backend_xid) >= age($1::text::xid)
     UNION ALL
     SELECT 0, owner, NULL, gid, prepared FROM pg_prepared_xacts
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
    gid: row.gid ?? undefined,
    since: row.xact_start ?? undefined,
  };
}

/** One line for a person; for a prepared transaction also the statement that ends it. */
export function describeSession({ pid, user, application, gid, since }: Session): string {
  if (gid !== undefined) {
    const prepared = since === undefined ? "" : `, prepared at ${since}`;
    return `prepared transaction ${gid} (user ${user}${prepared}; it ends with ROLLBACK PREPARED ${quoteLiteral(gid)})`;
  }
  const inTransaction = since === undefined ? "" : `, in a transaction since ${since}`;
  return `pid ${pid} (${application || "no application name"}, user ${user}${inTransaction})`;
}

function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
