import { daysOf } from "../event/values/calendar.ts";
import type { Amendment } from "../gate/amendment/amendment.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The delay after the first message, then after each reminder. When the list ends, reminders are weekly. */
const DELAYS = [HOUR, 4 * HOUR, DAY, DAY, DAY, DAY, DAY, DAY, DAY];
/** Reminders that will be due within this time are sent along, so that there is one digest instead of several. */
const ALONG = HOUR / 2;

/** The delay in milliseconds until the next reminder, when this many have been sent. */
export function reminderDelay(reminders: number): number {
  return DELAYS[reminders] ?? 7 * DAY;
}

/**
 * When to remind people about a withheld amendment; undefined if it is not withheld or they were never alerted.
 * `fallback` replaces an unknown time of the last alert.
 */
export function remindAt(amendment: Amendment, fallback: number): number | undefined {
  const { gate, alerted } = amendment;
  if (gate.kind !== "withheld" || alerted === undefined) return undefined;
  const last = alerted.time === undefined ? fallback : epochOf(alerted.time);
  return last + reminderDelay(alerted.reminders);
}

/** When the first reminder of a connector is due; undefined if it withholds nothing that people were alerted about. */
export function nextReminder(amendments: readonly Amendment[], fallback: number): number | undefined {
  const times = amendments.flatMap((amendment) => remindAt(amendment, fallback) ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The amendments to remind people about now: none while no reminder is due, otherwise all that are due now or soon. */
export function dueReminders(amendments: readonly Amendment[], fallback: number, now: number): readonly Amendment[] {
  const first = nextReminder(amendments, fallback);
  if (first === undefined || first > now) return [];
  return amendments.filter((amendment) => (remindAt(amendment, fallback) ?? Number.POSITIVE_INFINITY) <= now + ALONG);
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)/;

/** An ISO 8601 time in UTC as milliseconds since 1970, to the second; 0 if the text is not such a time. */
export function epochOf(iso: string): number {
  const parts = ISO.exec(iso);
  if (parts === null) return 0;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  return (daysOf(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second) * 1000;
}
