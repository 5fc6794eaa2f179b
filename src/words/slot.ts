import { renderDuration } from "./duration.ts";

/** How close a replication slot is to being lost, for the log and the alerts. Sentences have no full stop. */

interface SlotRoom {
  readonly kept: bigint;
  readonly safe: bigint | undefined;
  readonly idle: { readonly ms: number; readonly limit: number } | undefined;
}

const LOST_MEANS = "changes that were not read by then are lost";
const READ_ON = "let the connector read on: see what it waits for, or why it stopped, with `fieldgate amendments`";

/** News that the slot may be lost soon, by the log that it keeps. `over`: it may be lost at the next checkpoint. */
export function keptNews(slot: string, { kept, safe = 0n }: SlotRoom, over: boolean): { what: string; next: string } {
  const when =
    over || safe <= 0n ? "may drop it at its next checkpoint" : `drops it after another ${renderBytes(safe)}`;
  return {
    what: `PostgreSQL keeps ${renderBytes(kept)} of log for slot ${slot} and ${when} (max_slot_wal_keep_size): ${LOST_MEANS}`,
    next: `${READ_ON}; or raise max_slot_wal_keep_size, which takes effect with SELECT pg_reload_conf();`,
  };
}

/** News that the slot may be lost soon, because no session reads it. */
export function idleNews(slot: string, { ms, limit }: NonNullable<SlotRoom["idle"]>): { what: string; next: string } {
  const left = Math.max(0, limit - ms);
  return {
    what: `slot ${slot} has not been read for ${renderDuration(ms)}, and PostgreSQL drops its log in ${renderDuration(left)} (idle_replication_slot_timeout): ${LOST_MEANS}`,
    next: `${READ_ON}; or raise idle_replication_slot_timeout, which takes effect with SELECT pg_reload_conf();`,
  };
}

/** News that the slot was lost. */
export function lostNews(slot: string): { what: string; next: string } {
  return {
    what: `PostgreSQL has dropped the log of slot ${slot}: the changes that were not read are lost`,
    next: "create a new connector with a different name: its snapshot publishes the current state of every row",
  };
}

export function slotOverNews(slot: string, { kept }: SlotRoom): string {
  return `slot ${slot} is no longer about to be lost: PostgreSQL keeps ${renderBytes(kept)} of log for it`;
}

const UNITS = ["bytes", "kB", "MB", "GB", "TB"] as const;

/** In the units of PostgreSQL's settings: a kB is 1024 bytes. `3.2 GB`, `16 MB`. */
export function renderBytes(bytes: bigint): string {
  let amount = Number(bytes);
  let unit = 0;
  while (amount >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${unit === 0 || amount >= 10 ? Math.round(amount) : amount.toFixed(1)} ${UNITS[unit]}`;
}
