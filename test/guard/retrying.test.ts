import { describe, expect, it } from "vitest";
import { GuardError } from "../../src/errors.ts";
import { retrying } from "../../src/guard/retrying.ts";

const DOWN = new GuardError("registry-down", "no answer");
const REFUSED = new GuardError("registry-refused", "status 401");

/** A clock that only `sleep` and `work` move. */
function clock() {
  const at = { micros: 0n };
  const slept: number[] = [];
  const ending = new AbortController();
  return {
    slept,
    ending,
    work: (ms: number) => void (at.micros += BigInt(ms) * 1000n),
    retries: {
      now: () => at.micros,
      signal: ending.signal,
      async sleep(ms: number, signal: AbortSignal) {
        signal.throwIfAborted();
        slept.push(ms);
        at.micros += BigInt(ms) * 1000n;
      },
      delaysMs: [100, 500, 2000],
    } as const,
  };
}

/** Fails once for each error, then succeeds. */
function failing(...errors: readonly unknown[]) {
  const left = [...errors];
  return async () => {
    if (left.length > 0) throw left.shift();
    return "done";
  };
}

describe("an attempt", () => {
  it("is repeated after growing delays, the last of which repeats", async () => {
    const { slept, retries } = clock();
    expect(await retrying(failing(DOWN, DOWN, DOWN, DOWN), retries)).toBe("done");
    expect(slept).toEqual([100, 500, 2000, 2000]);
  });

  it("is not repeated after an error whose fate is stop", async () => {
    const { slept, retries } = clock();
    await expect(retrying(failing(REFUSED), retries)).rejects.toBe(REFUSED);
    expect(slept).toEqual([]);
  });

  it("is repeated after a refused login while judging, as the table of errors says", async () => {
    const { slept, retries } = clock();
    const fateOf = (error: GuardError) => error.fateWhileJudging;
    expect(await retrying(failing(REFUSED), { ...retries, fateOf })).toBe("done");
    expect(slept).toEqual([100]);
  });

  it("is not repeated after an error of an unknown kind", async () => {
    const { retries } = clock();
    const bug = new TypeError("undefined is not a function");
    await expect(retrying(failing(bug), retries)).rejects.toBe(bug);
  });

  it("that ran for over a minute starts the delays again from the shortest", async () => {
    const { slept, retries, work } = clock();
    const fail = failing(DOWN, DOWN, DOWN);
    let attempts = 0;
    await retrying(() => {
      if ((attempts += 1) === 3) work(61_000);
      return fail();
    }, retries);
    expect(slept).toEqual([100, 500, 100]);
  });

  it("is not repeated once the signal has aborted, whatever it failed with", async () => {
    const { slept, retries, ending } = clock();
    const stopping = new Error("stopping");
    const attempt = async () => {
      ending.abort(stopping);
      throw DOWN;
    };
    await expect(retrying(attempt, retries)).rejects.toBe(stopping);
    expect(slept).toEqual([]);
  });
});
