import type { ChunkRead } from "../../postgres/chunk.ts";
import { isVisible, type Snapshot } from "../../wal/snapshot.ts";
import type { Chunks, Parts } from "../session.ts";

/**
 * The transactions that the stream delivered and that a chunk may not see yet. A commit is streamed before it is visible,
 * so a chunk whose snapshot lacks one of them is read again.
 */

/** At most this many transactions are noted: a few megabytes. */
const MAX_DELIVERED = 100_000;
/**
 * A chunk must see every transaction that the stream delivered before its window. Those delivered since tracking
 * began are noted. Those before have an id below this mark's, so all are over once nothing below it is open.
 */
export async function startTracking({ chunks, source, outside, signal }: Parts<"chunks">): Promise<void> {
  if (chunks.tracking) return;
  chunks.tracking = true;
  const own = await source.markTransaction();
  const causes = () => source.openBelow(own);
  using _wait = outside.waits.begin("PostgreSQL", "to read a chunk, until transactions that began earlier have ended", {
    causes,
  });
  for (let attempts = 0; ; attempts++) {
    const snapshot = await source.snapshot();
    // An old transaction may stay open for hours, and the stream goes on meanwhile.
    forget(chunks, snapshot);
    if (snapshot.xmin > own) return;
    await outside.sleep(Math.min(20 + attempts * 10, 500), signal);
  }
}

/**
 * Notes a transaction that the stream has delivered, as long as chunks are read. Where nothing forgets them in time, such
 * as at a low rate, tracking starts again, and a chunk that is being read is read again.
 */
export function noteDelivered(chunks: Chunks, xid: number): void {
  if (!chunks.tracking) return;
  chunks.delivered.add(xid);
  if (chunks.delivered.size < MAX_DELIVERED) return;
  chunks.tracking = false;
  chunks.delivered.clear();
  if (chunks.active !== undefined) chunks.active.restarted = true;
}

/** Runs however the chunk ended: otherwise a table that stays locked would let the noted transactions pile up. */
export async function forgetVisible({ source, chunks }: Parts<"chunks">, read: ChunkRead): Promise<void> {
  const snapshot = "snapshot" in read ? read.snapshot : await source.snapshot();
  forget(chunks, snapshot);
}

function forget({ delivered }: Chunks, snapshot: Snapshot): void {
  for (const xid of delivered) if (isVisible(snapshot, xid)) delivered.delete(xid);
}
