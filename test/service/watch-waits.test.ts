import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createWaits } from "../../src/guard/waits.ts";
import { watchWaits } from "../../src/service/watch-waits.ts";
import { starting } from "./starting.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched() {
  const now = () => performance.now();
  const running = starting(createWaits(now));
  const lines: string[] = [];
  const log = {
    info: (line: string) => void lines.push(line),
    warn: (line: string) => void lines.push(`warn: ${line}`),
  };
  return { running, lines, watching: watchWaits(running, log, now) };
}

it("a wait is logged after some seconds with its causes, again every minute, and when it is over", async () => {
  const { running, lines, watching } = watched();
  using _watching = watching;
  const causes = async () => ["pid 7 (psql, user ann)", "prepared transaction orphan (user ben)"];
  const wait = running.waits.begin("PostgreSQL", "to read rows of public.t", { causes });
  await vi.advanceTimersByTimeAsync(4500);
  expect(lines).toEqual([]);
  await vi.advanceTimersByTimeAsync(1000);
  const by = "held up by pid 7 (psql, user ann); prepared transaction orphan (user ben)";
  expect(lines).toEqual([`warn: has waited 5 s for PostgreSQL, to read rows of public.t, ${by}`]);
  expect(running.causes).toEqual(await causes());
  await vi.advanceTimersByTimeAsync(60_000);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toBe(`warn: has waited 65 s for PostgreSQL, to read rows of public.t, ${by}`);
  wait[Symbol.dispose]();
  await vi.advanceTimersByTimeAsync(1000);
  expect(lines[2]).toBe("no longer waits for PostgreSQL, to read rows of public.t, after 66 s");
  expect(running.causes).toEqual([]);
});

it.each([
  ["never ends", () => new Promise<never>(() => {})],
  ["fails", () => Promise.reject(new Error("no connection"))],
])("a wait is logged even if looking for its causes %s", async (_name, causes) => {
  const { running, lines, watching } = watched();
  using _watching = watching;
  running.waits.begin("Kafka", "to commit 3 records", { causes });
  await vi.advanceTimersByTimeAsync(7000);
  expect(lines).toContainEqual(expect.stringMatching(/^warn: has waited \d s for Kafka, to commit 3 records$/));
});

it("short waits are not logged", async () => {
  const { running, lines, watching } = watched();
  using _watching = watching;
  for (let count = 0; count < 10; count += 1) {
    using _wait = running.waits.begin("Kafka", "to commit 3 records");
    await vi.advanceTimersByTimeAsync(3000);
  }
  expect(lines).toEqual([]);
});
