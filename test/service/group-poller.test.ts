import { describe, expect, it } from "vitest";
import type { GroupsSeen, Look } from "../../src/gate/evidence/evidence.ts";
import { watchGroups } from "../../src/service/group-poller.ts";

const SEEN: GroupsSeen = { kind: "seen", byTopic: new Map() };

/** Looks that end when they are told to. */
function fakeLook() {
  const asked: (readonly string[])[] = [];
  const open: ((seen: GroupsSeen) => void)[] = [];
  let now = 0;
  const look = (topics: readonly string[]) => {
    asked.push(topics);
    return new Promise<GroupsSeen>((resolve) => open.push(resolve));
  };
  const answer = (seen: GroupsSeen = SEEN) => open.shift()?.(seen);
  return { asked, open, answer, options: { look, now: () => (now += 1) } };
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

describe("looks at the groups", () => {
  it("begin with the first who listens, are of all topics, and are told to all", async () => {
    const { asked, answer, options } = fakeLook();
    await using watch = watchGroups({ ...options, everyMs: 3_600_000 });
    await soon();
    expect(asked).toEqual([]);
    const heard: [string, Look][] = [];
    watch.listen(
      () => ["a", "b"],
      (look) => heard.push(["one", look]),
    );
    watch.listen(
      () => ["b", "c"],
      (look) => heard.push(["two", look]),
    );
    await soon();
    expect(asked).toEqual([["a", "b", "c"]]);
    expect(watch.last()).toBeUndefined();
    answer();
    await soon();
    const look = { ...SEEN, at: 1 };
    expect(heard).toEqual([
      ["one", look],
      ["two", look],
    ]);
    expect(watch.last()).toEqual(look);
  });

  it("come one after the other, again and again; who has left hears nothing", async () => {
    const { asked, open, answer, options } = fakeLook();
    await using watch = watchGroups({ ...options, everyMs: 1 });
    let heard = 0;
    const listening = watch.listen(
      () => ["a"],
      () => (heard += 1),
    );
    await soon();
    await soon();
    expect(open).toHaveLength(1);
    answer();
    await soon();
    expect([asked.length, heard]).toEqual([2, 1]);
    listening[Symbol.dispose]();
    answer();
    await soon();
    expect([asked.length, heard]).toEqual([2, 1]);
  });

  it("again waits for one that began after it was asked for, and is told first", async () => {
    const { asked, answer, options } = fakeLook();
    await using watch = watchGroups({ ...options, everyMs: 3_600_000 });
    const order: string[] = [];
    watch.listen(
      () => ["a"],
      () => order.push("told"),
    );
    await soon();
    const again = watch.again().then(() => order.push("resolved"));
    answer();
    await soon();
    expect(order).toEqual(["told"]);
    expect(asked).toHaveLength(2);
    answer({ kind: "unknown", why: "down" });
    await again;
    expect(order).toEqual(["told", "told", "resolved"]);
  });

  it("end at once with the service, and nobody waits for ever", async () => {
    const { options } = fakeLook();
    const watch = watchGroups({ ...options, everyMs: 3_600_000 });
    watch.listen(
      () => ["a"],
      () => expect.unreachable("ended"),
    );
    await soon();
    const again = watch.again();
    await watch[Symbol.asyncDispose]();
    await again;
    await watch.again();
    expect(watch.last()).toBeUndefined();
  });
});
