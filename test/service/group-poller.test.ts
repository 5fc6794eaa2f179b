import { describe, expect, it } from "vitest";
import type { GroupsSeen, GroupPoll } from "../../src/gate/evidence/evidence.ts";
import { startGroupPoller } from "../../src/service/group-poller.ts";
import { until } from "../stack/until.ts";

const SEEN: GroupsSeen = { kind: "seen", byTopic: new Map() };
const HOUR_MS = 3_600_000;

/** Polls that end only when `answer` is called; their times are 1, 2, 3 and so on. */
function fakePolls() {
  const asked: (readonly string[])[] = [];
  const open: ((seen: GroupsSeen) => void)[] = [];
  let now = 0;
  const poll = (topics: readonly string[]) => {
    asked.push(topics);
    return new Promise<GroupsSeen>((resolve) => open.push(resolve));
  };
  const answer = (seen: GroupsSeen = SEEN) => open.shift()?.(seen);
  const started = (count: number) => until(() => asked.length === count, `poll ${count} has started`);
  return { asked, open, answer, started, options: { poll, now: () => (now += 1) } };
}

describe("the group poller", () => {
  it("starts with the first listener, polls the topics of all listeners and calls each of them", async () => {
    const { asked, answer, started, options } = fakePolls();
    await using poller = startGroupPoller({ ...options, everyMs: HOUR_MS });
    expect(asked).toEqual([]);
    const results: [string, GroupPoll][] = [];
    poller.listen(
      () => ["a", "b"],
      (result) => results.push(["one", result]),
    );
    poller.listen(
      () => ["b", "c"],
      (result) => results.push(["two", result]),
    );
    await started(1);
    expect(asked).toEqual([["a", "b", "c"]]);
    expect(poller.last()).toBeUndefined();
    answer();
    const result = { ...SEEN, at: 1 };
    await until(() => results.length === 2, "both listeners are called");
    expect(results).toEqual([
      ["one", result],
      ["two", result],
    ]);
    expect(poller.last()).toEqual(result);
  });

  it("polls again after the interval, one poll at a time", async () => {
    const { open, answer, started, options } = fakePolls();
    await using poller = startGroupPoller({ ...options, everyMs: 1 });
    let calls = 0;
    poller.listen(
      () => ["a"],
      () => (calls += 1),
    );
    for (const poll of [1, 2, 3]) {
      await started(poll);
      expect([open.length, calls]).toEqual([1, poll - 1]);
      answer();
    }
    await started(4);
  });

  it("neither calls a listener that has left nor polls for it", async () => {
    const { asked, answer, started, options } = fakePolls();
    await using poller = startGroupPoller({ ...options, everyMs: 1 });
    const left = poller.listen(
      () => ["a"],
      () => expect.unreachable("it has left"),
    );
    await started(1);
    left[Symbol.dispose]();
    answer();
    await until(() => poller.last(), "the poll has ended");
    const later = poller.listen(
      () => ["b"],
      () => {},
    );
    await started(2);
    later[Symbol.dispose]();
    expect(asked).toEqual([["a"], ["b"]]);
  });

  it("resolves `again` after a poll that started later than the call, and after its listeners were called", async () => {
    const { asked, answer, started, options } = fakePolls();
    await using poller = startGroupPoller({ ...options, everyMs: HOUR_MS });
    const order: string[] = [];
    poller.listen(
      () => ["a"],
      () => order.push("called"),
    );
    await started(1);
    const again = poller.again().then(() => order.push("resolved"));
    answer();
    await started(2);
    expect(order).toEqual(["called"]);
    expect(asked).toHaveLength(2);
    answer({ kind: "unknown", why: "down" });
    await again;
    expect(order).toEqual(["called", "called", "resolved"]);
  });

  it("ends during a poll, and resolves every `again`", async () => {
    const { started, options } = fakePolls();
    const poller = startGroupPoller({ ...options, everyMs: HOUR_MS });
    poller.listen(
      () => ["a"],
      () => expect.unreachable("it has ended"),
    );
    await started(1);
    const again = poller.again();
    await poller[Symbol.asyncDispose]();
    await again;
    await poller.again();
    expect(poller.last()).toBeUndefined();
  });
});
