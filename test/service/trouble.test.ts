import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Notice, Status } from "../../src/guard/outside.ts";
import { createWaits } from "../../src/guard/waits.ts";
import { lsn } from "../../src/wal/lsn.ts";
import { noteStatus, statusOf, troubleOf } from "../../src/service/trouble.ts";
import { watchTrouble } from "../../src/service/watch-trouble.ts";
import { stateOf } from "../gate/customers.ts";
import { starting } from "./starting.ts";

const STREAMING: Status = {
  kind: "streaming",
  state: stateOf(),
  endLsn: lsn(1n),
  commitTime: undefined,
  notCaptured: [],
  warnings: [],
};
const RETRYING: Status = { kind: "retrying", code: "postgres-down", message: "no server answers", next: undefined };
const STOPPED: Status = { kind: "stopped", code: "slot-lost", message: "the slot is gone", next: "start a new one" };
const STARTING: Status = { kind: "starting" };
const SECOND = 1000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A connector that is watched; everything that is reported about it, in order. */
function watched() {
  const now = () => performance.now();
  const running = starting(createWaits(now));
  const reported: string[] = [];
  const watching = watchTrouble(running, {
    log: { warn: (line) => void reported.push(`warn: ${line}`), info: (line) => void reported.push(`info: ${line}`) },
    alert: ({ about, severity }: Notice, publishes) =>
      void reported.push(`alert: ${about}, ${severity}${publishes ? "" : ", nothing is published"}`),
    works: () => void reported.push("works"),
    now,
  });
  return {
    running,
    reported,
    is(status: Status) {
      running.status = status;
      noteStatus(running, status, now());
    },
    trouble: () => troubleOf(running, now())?.kind,
    pass: (ms: number) => vi.advanceTimersByTimeAsync(ms),
    [Symbol.dispose]: () => watching[Symbol.dispose](),
  };
}

type Watched = ReturnType<typeof watched>;

/** Attempts that fail every ten seconds, each after a start. */
async function failFor(connector: Watched, seconds: number): Promise<void> {
  for (let at = 0; at < seconds; at += 10) {
    connector.is(RETRYING);
    await connector.pass(5 * SECOND);
    connector.is(STARTING);
    await connector.pass(5 * SECOND);
  }
}

describe("a connector that works", () => {
  it("is reported as working once, after it has streamed for a while", async () => {
    using connector = watched();
    await connector.pass(5 * SECOND);
    connector.is(STREAMING);
    await connector.pass(9 * SECOND);
    expect(connector.reported).toEqual([]);
    await connector.pass(60 * SECOND);
    expect(connector.reported).toEqual(["works"]);
  });

  it("and that retries for a short time is reported to nobody", async () => {
    using connector = watched();
    connector.is(STREAMING);
    await connector.pass(20 * SECOND);
    await failFor(connector, 30);
    connector.is(STREAMING);
    await connector.pass(60 * SECOND);
    expect(connector.reported).toEqual(["works"]);
  });
});

describe("a connector that keeps retrying", () => {
  it("is in trouble after some seconds, and reported once after a minute and once when it publishes again", async () => {
    using connector = watched();
    connector.is(RETRYING);
    await connector.pass(4 * SECOND);
    expect(connector.trouble()).toBeUndefined();
    await connector.pass(SECOND);
    expect(connector.trouble()).toBe("retrying");
    await failFor(connector, 180);
    expect(connector.reported).toEqual([
      "warn: for 60 s nothing has been published, because every attempt fails: no server answers; next: end what keeps it from working; it then continues by itself",
      "alert: retrying, urgent, nothing is published",
    ]);
    connector.is(STREAMING);
    expect(connector.trouble()).toBeUndefined();
    await connector.pass(11 * SECOND);
    expect(connector.reported.slice(2)).toEqual([
      expect.stringMatching(/^info: it publishes again, after 3 min of failed attempts$/),
      "alert: flows-again, info",
      "works",
    ]);
    await connector.pass(600 * SECOND);
    expect(connector.reported).toHaveLength(5);
  });

  it("and streams for moments in between is one outage", async () => {
    using connector = watched();
    for (let times = 0; times < 20; times += 1) {
      connector.is(RETRYING);
      await connector.pass(5 * SECOND);
      connector.is(STREAMING);
      await connector.pass(3 * SECOND);
    }
    expect(connector.reported.filter((line) => line.startsWith("alert"))).toHaveLength(1);
    await connector.pass(20 * SECOND);
    expect(connector.reported.filter((line) => line.startsWith("alert"))).toHaveLength(2);
  });

  it("shows the failure while it starts again, but not for long", () => {
    const running = starting(createWaits(() => 0));
    noteStatus(running, RETRYING, 0);
    running.status = STARTING;
    noteStatus(running, STARTING, 1);
    expect(statusOf(running, 20 * SECOND)).toMatchObject({ kind: "retrying", message: "no server answers" });
    expect(statusOf(running, 40 * SECOND)).toEqual(STARTING);
  });
});

describe("a connector that waits for the same thing", () => {
  it("for a minute has stalled, which is reported once with its cause, and once when it is over", async () => {
    using connector = watched();
    connector.is(STREAMING);
    const wait = connector.running.waits.begin("PostgreSQL", "to read rows of public.t");
    connector.running.causes = ["pid 7"];
    await connector.pass(59 * SECOND);
    expect(connector.trouble()).toBeUndefined();
    await connector.pass(300 * SECOND);
    expect(connector.trouble()).toBe("stalled");
    const reported = connector.reported.filter((line) => line !== "works");
    expect(reported).toEqual([
      "warn: it waits for PostgreSQL, to read rows of public.t, held up by pid 7, for 60 s so far; next: end what holds it up; it then continues by itself",
      "alert: stalled, urgent",
    ]);
    wait[Symbol.dispose]();
    await connector.pass(SECOND);
    expect(connector.reported.slice(-3)).toEqual([
      "info: it no longer waits, after 6 min",
      "alert: flows-again, info",
      "works",
    ]);
  });
});

describe("a connector that stops", () => {
  it("is reported by the loop, so only its end is reported here", async () => {
    using connector = watched();
    connector.is(STOPPED);
    await connector.pass(SECOND);
    expect(connector.trouble()).toBe("stopped");
    await connector.pass(300 * SECOND);
    expect(connector.reported).toEqual([]);
    connector.is(STREAMING);
    await connector.pass(11 * SECOND);
    expect(connector.reported).toEqual(["info: it publishes again, after 5 min in which it was stopped", "works"]);
  });

  it("after it was retrying has no message that it publishes again", async () => {
    using connector = watched();
    await failFor(connector, 70);
    connector.is(STOPPED);
    await connector.pass(60 * SECOND);
    expect(connector.reported).toHaveLength(2);
  });
});
