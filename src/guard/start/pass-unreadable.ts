import type { TablesLook } from "../../capture/look.ts";
import { afterLook } from "../../gate/amendment/gap.ts";
import type { Stored } from "../../store/records.ts";
import { formatLsn, isoTime, type Lsn } from "../../wal/lsn.ts";
import { sentOf } from "../control/looked-table.ts";
import type { Outside } from "../outside.ts";

/**
 * Moves the position to `end`, behind a part of the log that PostgreSQL cannot read. Transactions that were committed
 * before it are in no event, so every table that is sent is repaired, and nothing that the DDL trigger may have reported
 * counts as known. `end` is from before the look and before the stream begins, so that no row falls between them. A
 * transaction that commits later may contain such changes too; then this happens once more.
 */
export function passUnreadable(outside: Outside, stored: Stored, look: TablesLook, end: Lsn): Stored {
  const { position } = stored;
  if (position === undefined) return stored;
  const { settings, log, now } = outside;
  const [from, to] = [formatLsn(position.endLsn), formatLsn(end)];
  log.warn(
    `publication ${settings["publication.name"]} did not exist for a while, and before version 18 PostgreSQL cannot read what was written in that time. The log from ${from} to ${to} is passed over, and all rows are published again`,
  );
  const tables = new Map(stored.tables);
  const jobs = new Map(stored.jobs);
  for (const [topic, table] of stored.tables) {
    const sent = sentOf(outside, look, table);
    if (sent.kind !== "sent") continue;
    const when = { position: to, time: isoTime(now()) };
    const repaired = afterLook(settings, table, sent, { kind: "again" }, when);
    tables.set(topic, repaired.table);
    if (repaired.job !== undefined) jobs.set(repaired.job.id, repaired.job);
  }
  return { ...stored, position: { ...position, endLsn: end, tx: undefined }, trigger: undefined, tables, jobs };
}
