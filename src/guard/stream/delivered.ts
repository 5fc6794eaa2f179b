import type { ChunkRead } from "../../postgres/chunk.ts";
import { isVisible, type Snapshot } from "../../wal/snapshot.ts";
import type { Chunks, Parts } from "../session.ts";

/**
 * Records the transactions that the stream has delivered but that a chunk may not see yet. A commit is streamed before
 * it is visible, so a chunk whose snapshot lacks one of them is read again.
 */

/** The maximum number of transactions that are recorded; they take a few megabytes. */
const MAX_DELIVERED = 100_000;
/**
 * Waits until a chunk sees every transaction that the stream delivered before its window. Those delivered since
 * tracking began are recorded. Earlier ones have an id below this mark's, so all of them are over once nothing below it
 * is open.
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
    // An old transaction may stay open for hours while the stream continues.
    forget(chunks, snapshot);
    if (snapshot.xmin > own) return;
    await outside.sleep(Math.min(20 + attempts * 10, 500), signal);
  }
}

/**
 * Records a transaction that the stream has delivered, as long as chunks are read. If too many pile up, for example
 * because of a low rate, tracking starts again, and a chunk that is being read is read again.
 */
export function noteDelivered(chunks: Chunks, xid: number): void {
  if (!chunks.tracking) return;
  chunks.delivered.add(xid);
  if (chunks.delivered.size < MAX_DELIVERED) return;
  chunks.tracking = false;
  chunks.delivered.clear();
  if (chunks.active !== undefined) chunks.active.restarted = true;
}

/**
 * Runs no matter how the chunk ended, because otherwise the recorded transactions would pile up while a table is
 * locked.
 */
export async function forgetVisible({ source, chunks }: Parts<"chunks">, read: ChunkRead): Promise<void> {
  const snapshot = "snapshot" in read ? read.snapshot : await source.snapshot();
  forget(chunks, snapshot);
}

function forget({ delivered }: Chunks, snapshot: Snapshot): void {
  for (const xid of delivered) if (isVisible(snapshot, xid)) delivered.delete(xid);
}
