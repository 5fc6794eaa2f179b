import { expect, it } from "vitest";
import { dueReport } from "../../src/alert/poison.ts";
import type { Poison, ReportedPoison } from "../../src/gate/poison.ts";

const START = Date.UTC(2026, 0, 1);
const at = (minutes: number) => new Date(START + minutes * 60_000).toISOString();

function poison(count: number, reported?: ReportedPoison): Poison {
  return { counts: { null: 1, "dead-letter": count - 1 }, reported };
}

it("the first change is reported at once, then others at growing intervals while there are new ones", () => {
  const reported: number[] = [];
  let last: ReportedPoison | undefined;
  for (let minute = 0; minute < 4 * 24 * 60; minute++) {
    const next = dueReport(poison(minute + 1, last), at(minute));
    if (next === undefined) continue;
    expect(next.count).toBe(minute + 1);
    reported.push(minute);
    last = next;
  }
  const day = 24 * 60;
  const first = [0, 1, 11, 71, 71 + 6 * 60];
  expect(reported).toEqual([...first, 431 + day, 431 + 2 * day, 431 + 3 * day]);
});

it("nothing is reported while there are no new ones", () => {
  expect(dueReport(poison(3, { count: 3, time: at(0), times: 1 }), at(10_000))).toBeUndefined();
});

it("after two quiet days the intervals begin anew", () => {
  const reported = { count: 3, time: at(0), times: 5 };
  expect(dueReport(poison(4, reported), at(3 * 24 * 60))?.times).toBe(1);
});
