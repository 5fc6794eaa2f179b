import type { Client } from "pg";
import { GuardError } from "../errors.ts";
import { parseSnapshot, type Snapshot } from "../wal/snapshot.ts";
import { query } from "./connection.ts";

/**
 * Writes a logical message in its own transaction, without waiting for synchronous standbys. The stream delivers it
 * after everything that was committed earlier, and before everything that is committed later.
 */
export async function writeMark(client: Client, prefix: string, content: string): Promise<void> {
  await writeMarkForXid(client, prefix, content);
}

/** Like `writeMark`; returns the 64-bit id of the mark's transaction, which has committed. */
export async function writeMarkForXid(client: Client, prefix: string, content: string): Promise<bigint> {
  const [row] = await query<{ xid: string }>(
    client,
    `writing mark ${prefix}`,
    // The setting lasts until the end of this statement's transaction, so it applies to its commit.
    `SELECT pg_current_xact_id() AS xid, set_config('synchronous_commit', 'local', true),
            pg_logical_emit_message(true, $1, $2)`,
    [prefix, content],
  );
  if (row === undefined) throw new GuardError("postgres-refused", `writing mark ${prefix}: no answer`);
  return BigInt(row.xid);
}

/** The snapshot that a query would use if it started now. */
export async function readSnapshot(client: Client): Promise<Snapshot> {
  const [row] = await query<{ snapshot: string }>(
    client,
    "taking a snapshot",
    "SELECT pg_current_snapshot() AS snapshot",
  );
  return parseSnapshot(row?.snapshot ?? "");
}
