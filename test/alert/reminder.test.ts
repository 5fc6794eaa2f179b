import { describe, expect, it } from "vitest";
import { dueReminders, epochOf, nextReminder, remindAt, reminderDelay } from "../../src/alert/reminder.ts";
import { released, withheld } from "./amendments.ts";

const HOUR = 3_600_000;
const TOLD = "2026-03-01T06:00:00.000Z";
const T = Date.parse(TOLD);
const told = (at: number, reminders: number, minutes = 0) =>
  withheld(at, `c${at}`, {
    alerted: { key: "withheld x", time: new Date(T + minutes * 60_000).toISOString(), reminders },
  });

describe("reminders", () => {
  it("become rarer: 1 h, 4 h, daily for a week, weekly", () => {
    const hours = Array.from({ length: 12 }, (_, count) => reminderDelay(count) / HOUR);
    expect(hours).toEqual([1, 4, 24, 24, 24, 24, 24, 24, 24, 168, 168, 168]);
  });

  it.each([
    [
      "a released amendment has no reminder",
      { ...released(), alerted: { key: "released x", time: TOLD, reminders: 0 } },
      undefined,
    ],
    ["nor has one that people were never alerted about", withheld(), undefined],
    ["an hour after the alert", told(3, 0), T + HOUR],
    ["four hours after the first reminder", told(3, 1), T + 4 * HOUR],
    [
      "an hour after the start if an older version sent the alert",
      withheld(3, "a", { alerted: { key: "withheld x", time: undefined, reminders: 0 } }),
      5 + HOUR,
    ],
  ])("%s", (_, amendment, expected) => {
    expect(remindAt(amendment, 5)).toBe(expected);
  });

  it("are sent as one digest of everything due soon; what is due later is left out", () => {
    const all = [told(3, 0), told(4, 0, 30), told(5, 0, 31), told(6, 1)];
    expect(nextReminder(all, 0)).toBe(T + HOUR);
    expect(dueReminders(all, 0, T + HOUR - 1)).toEqual([]);
    expect(dueReminders(all, 0, T + HOUR).map(({ attnum }) => Number(attnum))).toEqual([3, 4]);
  });

  it.each(["2026-03-01T06:31:07.000Z", "1999-12-31T23:59:59.000Z", "2024-02-29T00:00:00.000Z"])("reads %s", (iso) => {
    expect(epochOf(iso)).toBe(Date.parse(iso));
  });
});
