import type { TroubleView } from "../api/api.ts";
import type { Amendment } from "../gate/amendment/amendment.ts";
import { meanwhile, inSeveralFields } from "../words/amendment.ts";
import type { RunningConnector } from "./running.ts";
import { troubleOf } from "./trouble.ts";

/** A connector's trouble in the API. `now` is in milliseconds since 1970. */
export function troubleView(running: RunningConnector, now: number): TroubleView | undefined {
  const at = performance.now();
  const trouble = troubleOf(running, at);
  if (trouble === undefined) return undefined;
  const { status } = running;
  const { kind, what, next, since } = trouble;
  return {
    status: kind,
    takesCommands: status.kind === "stopped" && status.state !== undefined,
    what,
    next: next ?? null,
    since: new Date(now - (at - since)).toISOString(),
  };
}

/** What the events contain until it is released, unless there are none. */
export function meanwhileIn(
  { mode, state }: RunningConnector,
  amendment: Amendment,
  trouble: TroubleView | undefined,
): string {
  if (mode === "watch") return meanwhile(amendment, mode);
  if (trouble !== undefined && trouble.status !== "stalled") return NOTHING_PUBLISHED[trouble.status];
  const table = state?.tables.get(amendment.topic);
  if (table?.parked !== undefined) return "The table is parked: its changes wait, and no events of it are published.";
  const fields = table?.shape.fields.filter(({ attnum }) => attnum === amendment.attnum) ?? [];
  const isKey = table?.shape.key.some(({ attnum }) => attnum === amendment.attnum) ?? false;
  const isBeside = amendment.kind === "changed" && fields.length > 1 && !isKey;
  return isBeside ? inSeveralFields(fields, amendment) : meanwhile(amendment, mode);
}

const NOTHING_PUBLISHED = {
  stopped: "The connector has stopped: no events are published.",
  retrying: "The connector is retrying: no events are published at the moment.",
} as const;
