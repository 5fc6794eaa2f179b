import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { pauseReads } from "../../src/postgres/coalesce.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function reader() {
  const calls: string[] = [];
  const socket = { pause: () => void calls.push("pause"), resume: () => void calls.push("resume") };
  const reads = pauseReads(socket as never, () => performance.now()); // nothing else of the socket is used
  return { calls, reads };
}

/** Pieces of this size, one every millisecond, for 30 ms. */
async function flow(reads: ReturnType<typeof pauseReads>, bytes: number): Promise<void> {
  for (let ms = 0; ms < 30; ms++) {
    reads.received(bytes);
    await vi.advanceTimersByTimeAsync(1);
  }
}

it("below 5 MB/s nothing is paused", async () => {
  const { calls, reads } = reader();
  await flow(reads, 4500);
  expect(calls).toEqual([]);
});

it("above that, reading is paused for a millisecond after each small piece, and goes on at once when it is over", async () => {
  const { calls, reads } = reader();
  await flow(reads, 6000);
  expect(calls.slice(0, 4)).toEqual(["pause", "resume", "pause", "resume"]);
  expect(calls.length).toBeGreaterThan(30);
  await vi.advanceTimersByTimeAsync(1000);
  const before = calls.length;
  reads.received(100);
  expect(calls).toHaveLength(before);
});

it("after a large piece nothing is paused, as more is probably there", async () => {
  const { calls, reads } = reader();
  await flow(reads, 40_000);
  expect(calls).toEqual([]);
});

it("reading that was stopped does not resume by itself, and resumes only once", async () => {
  const { calls, reads } = reader();
  await flow(reads, 6000);
  reads.received(6000);
  calls.length = 0;
  reads.pause();
  await vi.advanceTimersByTimeAsync(100);
  reads.received(6000);
  await vi.advanceTimersByTimeAsync(100);
  expect(calls).toEqual(["pause"]);
  reads.resume();
  expect(calls).toEqual(["pause", "resume"]);
});
