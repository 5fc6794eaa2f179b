import type { ConnectorConfig } from "../config/connector/connector-config.ts";
import type { Log, Notice } from "../guard/outside.ts";
import { readSlotRoom, type SlotRoom } from "../postgres/slot.ts";
import { connectFirst } from "../postgres/tls.ts";
import { idleNews, keptNews, lostNews, slotOverNews } from "../words/slot.ts";
import { databaseLogin } from "./database-login.ts";
import { lookEvery } from "./look-every.ts";

/**
 * Warns people before PostgreSQL drops the log that a connector has not read. This happens while the connector cannot
 * read: it has stopped, Kafka is down, or the application writes faster than Kafka takes events. So the slot is looked
 * at beside the connector, whether it has a session or not.
 */

export interface SlotReports {
  readonly log: Log;
  readonly alert: (notice: Notice) => void;
  /** undefined if there is no slot of this name. */
  readonly room: () => Promise<SlotRoom | undefined>;
}

const LOOK_EVERY_MS = 30_000;

/** Reports once that the slot may be lost soon, once that it was lost, and once that the danger is over. */
export function watchSlot(slot: string, { log, alert, room }: SlotReports, everyMs = LOOK_EVERY_MS): Disposable {
  let danger: SlotDanger["kind"] = "none";
  let count = 0;
  return lookEvery(everyMs, async () => {
    // If the database does not answer, the connector itself reports that.
    const found = await room().catch(() => undefined);
    if (found === undefined) return;
    const now = dangerOf(slot, found, danger !== "none");
    if (now.kind === danger) return;
    danger = now.kind;
    count += 1;
    const id = `slot/${slot}/${count}`;
    if (now.kind === "none") {
      const what = slotOverNews(slot, found);
      log.info(what);
      alert({ id, about: "slot", severity: "info", what, next: undefined });
      return;
    }
    log.warn(`${now.what}; next: ${now.next}`);
    alert({ id, about: "slot", severity: "urgent", what: now.what, next: now.next });
  });
}

type SlotDanger =
  | { readonly kind: "none" }
  | { readonly kind: "near" | "lost"; readonly what: string; readonly next: string };

/**
 * The danger begins once three quarters of the allowed log or time are used up. If it was known before, it is over once
 * less than half is used, so that a slot at the limit is not reported again and again.
 */
export function dangerOf(slot: string, room: SlotRoom, known: boolean): SlotDanger {
  const { walStatus, kept, safe, idle } = room;
  if (walStatus === "lost") return { kind: "lost", ...lostNews(slot) };
  const share = known ? 1 : 3;
  const over = walStatus === "unreserved";
  if (over || (safe !== undefined && safe * BigInt(share) < kept))
    return { kind: "near", ...keptNews(slot, room, over) };
  if (idle !== undefined && (idle.limit - idle.ms) * share < idle.ms) return { kind: "near", ...idleNews(slot, idle) };
  return { kind: "none" };
}

/** For connecting, and for the query. */
const LIMIT_MS = 5000;

/** Looks at the connector's slot in a session of its own, which lasts no longer than the look. */
export async function lookAtSlot(config: ConnectorConfig): Promise<SlotRoom | undefined> {
  const { options, tls } = databaseLogin(config);
  const limited = { ...options, connectTimeoutMs: LIMIT_MS, queryTimeoutMs: LIMIT_MS };
  const { client } = await connectFirst(limited, tls, { applicationName: `fieldgate ${config.name} slot` });
  try {
    return await readSlotRoom(client, config["slot.name"]);
  } finally {
    await client.end();
  }
}
