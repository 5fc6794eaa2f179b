import type { Client } from "pg";
import { GuardError } from "../errors.ts";
import { parseSnapshot, type Snapshot } from "../wal/snapshot.ts";
import { query } from "./connection.ts";

/**
 * Writes a logical message in a transaction of its own, and does not wait for synchronous standbys: the stream
 * delivers it after everything committed before and before everything committed after.
 */
export async function writeMark(client: Client, prefix: string, content: string): Promise<void> {
  await markTransactionId(client, prefix, content);
}

/** As `writeMark`; returns the 64-bit id of the mark's transaction, which has committed. */
export async function markTransactionId(client: Client, prefix: string, content: string): Promise<bigint> {
  const [row] = await query<{ xid: string }>(
    client,
    `writing mark ${prefix}`,
    // set_config's "local" ends with this statement's own transaction, after its commit has used it.
    `SELECT pg_current_xact_id() AS xid, set_config('synchronous_commit', 'local', true),
            pg_logical_emit_message(true, $1, $2)`,
    [prefix, content],
  );
  if (row === undefined) throw new GuardError("postgres-refused", `writing mark ${prefix}: no answer`);
  return BigInt(row.xid);
}

/** What a query started now would see. */
export async function currentSnapshot(client: Client): Promise<Snapshot> {
  const [row] = await query<{ snapshot: string }>(
    client,
    "taking a snapshot",
    "SELECT pg_current_snapshot() AS snapshot",
  );
  return parseSnapshot(row?.snapshot ?? "");
}
