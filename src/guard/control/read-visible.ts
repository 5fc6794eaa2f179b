import { type Table, tableOid } from "../../table/column.ts";
import { fullName } from "../../table/quote.ts";
import type { Lsn } from "../../wal/lsn.ts";
import type { Relation } from "../../wal/message.ts";
import { isVisible } from "../../wal/snapshot.ts";
import type { Outside } from "../outside.ts";
import type { Parts } from "../session.ts";

/** The table in the catalog. `visible`: whether the read's snapshot includes the row's transaction. */
export interface VisibleRead {
  readonly table: Table | undefined;
  readonly end: Lsn;
  readonly visible: boolean;
}

/** Pause before reading the catalog again when it does not show a transaction yet. */
export const READ_AGAIN_MS = 20;

/**
 * A commit is streamed before it is visible, so this reads the catalog until it shows the row's transaction, at most
 * until the deadline (microseconds since the epoch). After one has passed, nothing waits until a transaction is visible
 * again. `found`: a read that shows the table at all is enough.
 */
export async function readUntilVisible(
  { source, control, outside, signal }: Parts<"control">,
  relation: Relation,
  xid: number,
  deadline: bigint,
  enough: "visible" | "found",
): Promise<VisibleRead> {
  const { work } = control;
  const what = `to make transaction ${xid} visible: its change to ${fullName(relation)} has already arrived`;
  using _wait = outside.waits.begin("PostgreSQL", what, { causes: () => source.openBelow(BigInt(xid)) });
  for (;;) {
    const { table, snapshot, end } = await source.table(tableOid(relation.oid));
    const visible = isVisible(snapshot, xid);
    if (visible) work.blind = false;
    if (visible || work.blind || (enough === "found" && table !== undefined)) return { table, end, visible };
    if (outside.now() >= deadline) work.blind = true;
    await outside.sleep(READ_AGAIN_MS, signal);
  }
}

/** When a row stops waiting for answers about its table: fieldgate.judge.timeout.ms from now, in microseconds. */
export function judgeDeadline({ now, settings }: Outside): bigint {
  return now() + BigInt(settings["fieldgate.judge.timeout.ms"]) * 1000n;
}
