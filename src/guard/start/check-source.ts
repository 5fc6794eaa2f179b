import { GuardError } from "../../errors.ts";
import type { Mode } from "../../gate/state.ts";
import type { SourceFacts } from "../../postgres/check.ts";
import type { Stored } from "../../store/records.ts";
import { formatLsn } from "../../wal/lsn.ts";
import type { Position } from "../../wal/position.ts";
import type { Outside, Source } from "../outside.ts";
import { warnPeople } from "../warn-people.ts";
import { page } from "../../page.ts";

/**
 * Checks that a start makes before it changes anything. It refuses a state of the other mode, a slot that is not its
 * own, and a log that the position does not belong to. Each error names the cause.
 */

/** The mode that a connector records at its first start. A state without one belongs to guard mode. */
export const RECORDED_MODE: Readonly<Record<Mode, "watch" | undefined>> = { guard: undefined, watch: "watch" };

/** Parts of messages that differ by mode. */
const WORDS: Readonly<
  Record<Mode, { readonly slotKey: string; readonly newConnector: string; readonly newStart: string }>
> = {
  guard: {
    slotKey: "slot.name",
    newConnector: "a new connector with a different name and topic.prefix",
    newStart: "its snapshot publishes every row as it is now",
  },
  watch: {
    slotKey: "name",
    newConnector: "a new connector with a different name",
    newStart: "it begins with what the registry has",
  },
};

/**
 * A state is only valid in the mode that wrote it: in guard mode the events are ours, in watch mode they are
 * Debezium's.
 */
export function mustBeSameMode({ settings }: Outside, { intent }: Stored): void {
  const { mode } = settings;
  if (intent === undefined || intent.mode === RECORDED_MODE[mode]) return;
  throw new GuardError(
    "config-invalid",
    `fieldgate.mode is ${mode}, and connector ${settings.name} has run as ${intent.mode ?? "guard"}`,
    { next: `give the connector a different name: ${WORDS.watch.newStart} ("Taking over": ${page("watch.md")})` },
  );
}

/** PostgreSQL checks no text in such a database, and cannot send one that is not UTF-8. */
export function warnOfEncoding(outside: Outside, { database, encoding }: SourceFacts): void {
  if (encoding !== "SQL_ASCII") return;
  warnPeople(outside, {
    id: `encoding/${database}`,
    about: "table-warning",
    what: `the encoding of database ${database} is SQL_ASCII, so its texts may be invalid; one that is not UTF-8 stops the connector`,
    next: "make sure that all texts are UTF-8; better, move the data to a database with encoding UTF8",
  });
}

export async function mustBeNewSlot({ settings }: Outside, source: Source): Promise<void> {
  if ((await source.slot()) === undefined) return;
  const { slotKey } = WORDS[settings.mode];
  throw new GuardError("slot-exists", `slot ${settings["slot.name"]} exists, and this connector has no state for it`, {
    next: `choose a different one with ${slotKey}, or drop it if nothing reads it: SELECT pg_drop_replication_slot(…)`,
  });
}

/**
 * Throws if the server, the slot or the timeline has changed, if the log ends before the position, or if the slot has
 * lost its log.
 */
export async function mustBeSameLog(
  outside: Outside,
  source: Source,
  facts: SourceFacts,
  position: Position,
): Promise<void> {
  const { "slot.name": slot, mode } = outside.settings;
  const { newConnector, newStart } = WORDS[mode];
  const changed = (message: string) =>
    new GuardError("source-changed", message, {
      next: `point the connector at the old server, or start ${newConnector}`,
    });
  const lost = (message: string) =>
    new GuardError("slot-lost", `${message}: the changes since then can no longer be read`, {
      next: `start a new connector with a different name: ${newStart}`,
    });
  const at = formatLsn(position.endLsn);
  if (facts.systemId !== position.systemId) {
    throw changed(`the server's system id is ${facts.systemId}; the state belongs to ${position.systemId}`);
  }
  if (facts.timeline !== position.timeline) {
    throw changed(`the server is on timeline ${facts.timeline}; the state's position ${at} is on ${position.timeline}`);
  }
  if (slot !== position.slot) throw changed(`the state belongs to slot ${position.slot}; the file says ${slot}`);
  if (facts.end < position.endLsn) {
    throw changed(`the log ends at ${formatLsn(facts.end)}, before the state's position ${at}`);
  }
  const found = await source.slot();
  if (found !== undefined && found.database !== facts.database) {
    throw changed(`slot ${slot} belongs to database ${found.database}; the file says ${facts.database}`);
  }
  if (found === undefined || found.walStatus === "lost") throw lost(`slot ${slot} is gone or lost its log`);
  if (found.confirmedFlush > position.endLsn) {
    throw lost(`slot ${slot} is at ${formatLsn(found.confirmedFlush)}, ahead of the state's position ${at}`);
  }
}
