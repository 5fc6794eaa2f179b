import { type Poison, poisonCount, type ReportedPoison } from "../gate/poison.ts";
import { epochOf } from "./reminder.ts";

/** When poisoned changes are reported to people: the first at once, then at growing intervals while there are new ones. */

const MINUTE = 60_000;
const PAUSES = [MINUTE, 10 * MINUTE, 60 * MINUTE, 6 * 60 * MINUTE, 24 * 60 * MINUTE] as const;
/** After so long without news the next one is reported at once. */
const QUIET = 2 * 24 * 60 * MINUTE;

/** The report that is due now (ISO 8601); undefined: there is no news, or it is too early. */
export function dueReport(poison: Poison, now: string): ReportedPoison | undefined {
  const { reported } = poison;
  const count = poisonCount(poison);
  if (count === (reported?.count ?? 0)) return undefined;
  if (reported === undefined) return { count, time: now, times: 1 };
  const passed = epochOf(now) - epochOf(reported.time);
  const pause = PAUSES[Math.min(reported.times, PAUSES.length) - 1] ?? MINUTE;
  if (passed < pause) return undefined;
  return { count, time: now, times: passed > QUIET ? 1 : reported.times + 1 };
}
