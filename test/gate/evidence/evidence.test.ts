import { describe, expect, it } from "vitest";
import {
  type Evidence,
  type GroupPoll,
  addPoll,
  NO_EVIDENCE,
  recalled,
  type SeenGroup,
} from "../../../src/gate/evidence/evidence.ts";
import { TOPIC } from "../customers.ts";

const DAY = 86_400_000;
const KEEP = 14 * DAY;

function group(name: string, members: number | undefined, offset?: bigint, more: Partial<SeenGroup> = {}): SeenGroup {
  const offsets = new Map(offset === undefined ? [] : [[0, offset]]);
  return { group: name, members, offsets, readers: new Map(), ...more };
}

function seen(at: number, ...groups: readonly SeenGroup[]): GroupPoll {
  return { kind: "seen", at, byTopic: new Map([[TOPIC, groups]]) };
}

function after(...polls: readonly GroupPoll[]): Evidence {
  return pollMore(NO_EVIDENCE, ...polls);
}

function pollMore(before: Evidence, ...polls: readonly GroupPoll[]): Evidence {
  return polls.reduce((now, poll) => addPoll(now, poll, new Map([[TOPIC, ["billing"]]]), KEEP), before);
}

function one({ topics }: Evidence) {
  return topics.get(TOPIC)?.groups[0];
}

describe("the evidence about a group", () => {
  it("counts a group first seen with offsets as moved at that time", () => {
    expect(one(after(seen(1000, group("a", 0, 5n))))).toMatchObject({ first: 1000, moved: 1000, active: 1000 });
  });

  it("counts changed offsets as a move, but neither unchanged ones nor members, which only show that it is active", () => {
    const stays = after(seen(1000, group("a", 0, 5n)), seen(2000, group("a", 0, 5n)));
    expect(one(stays)).toMatchObject({ moved: 1000, active: 1000 });
    expect(one(pollMore(stays, seen(3000, group("a", 0, 6n))))).toMatchObject({ moved: 3000, active: 3000 });
    expect(one(pollMore(stays, seen(3000, group("a", 2, 5n))))).toMatchObject({
      moved: 1000,
      active: 3000,
      members: 2,
    });
    // Read again from the beginning.
    expect(one(pollMore(stays, seen(3000, group("a", 0, 0n))))).toMatchObject({ moved: 3000 });
  });

  it("does not count offsets that Kafka has forgotten as a move", () => {
    const two = group("a", 0, 5n, {
      offsets: new Map([
        [0, 5n],
        [1, 7n],
      ]),
    });
    const left = after(seen(1000, two), seen(2000, group("a", 0, 5n)));
    expect(one(left)).toMatchObject({ moved: 1000, committed: { partitions: 1, sum: "5" } });
  });

  it("keeps a group that is gone for a while, without members and offsets", () => {
    const gone = after(seen(1000, group("a", 1, 5n)), seen(2000));
    expect(one(gone)).toMatchObject({ members: 0, committed: undefined, active: 1000 });
    expect(one(pollMore(gone, seen(1000 + KEEP)))).toBeDefined();
    expect(one(pollMore(gone, seen(1001 + KEEP)))).toBeUndefined();
  });

  it("does not count hidden members as none", () => {
    expect(one(after(seen(1000, group("a", undefined, 1n))))?.members).toBeUndefined();
  });

  it("counts hidden members as members when it has to forget groups, and records that they are hidden", () => {
    const many = Array.from({ length: 600 }, (_, index) => group(`a-${index}`, 0, 1n));
    const { topics } = after(seen(1000, ...many, group("z", undefined)));
    expect(topics.get(TOPIC)?.groups.at(-1)).toMatchObject({ group: "z", members: undefined });
    const first = after(seen(0, group("a", 0, 5n)));
    expect(pollMore(first, seen(1000, group("a", undefined, 5n))).recorded).not.toBe(first.recorded);
  });

  it("keeps 500 of 8,000 groups, those with members first, and all that contracts name", () => {
    const idle = Array.from({ length: 7000 }, (_, index) => group(`a-job-${index}`, 0, 1n));
    const alive = Array.from({ length: 400 }, (_, index) => group(`z-live-${index}`, 1));
    const named = group("zz-named", 0, 1n);
    const poll = seen(1000, ...idle, ...alive, named);
    const { topics, recorded } = addPoll(NO_EVIDENCE, poll, new Map([[TOPIC, []]]), KEEP, () => new Set(["zz-named"]));
    const { groups = [], more } = topics.get(TOPIC) ?? {};
    expect(groups).toHaveLength(501);
    expect(groups.filter(({ group: name }) => name.startsWith("z-live"))).toHaveLength(400);
    expect(groups.at(-1)?.group).toBe("zz-named");
    expect(more).toBe(6900);
    expect(recorded.get(TOPIC)).toBe(topics.get(TOPIC));
  });

  it("records a failed poll and changes nothing else", () => {
    const before = after(seen(1000, group("a", 1)));
    const unknown = pollMore(before, { kind: "unknown", at: 2000, why: "down" });
    expect(unknown).toEqual({ ...before, lastPoll: { at: 2000, why: "down" } });
    expect(unknown.topics).toBe(before.topics);
  });

  it("does not treat a topic that was not polled as one without groups", () => {
    const poll: GroupPoll = { kind: "seen", at: 2000, byTopic: new Map() };
    expect(pollMore(after(seen(1000, group("a", 1))), poll).topics.get(TOPIC)).toMatchObject({ at: 1000 });
  });
});

describe("the state topic", () => {
  const first = after(seen(0, group("a", 1, 5n)));

  it("gets no record if times have only grown older, except every five minutes", () => {
    const moves = (at: number, offset: bigint) => seen(at, group("a", 1, offset));
    const soon = pollMore(first, moves(30_000, 6n), moves(60_000, 7n), moves(299_000, 8n));
    expect(soon.recorded).toBe(first.recorded);
    expect(pollMore(soon, moves(300_000, 9n)).recorded.get(TOPIC)).toMatchObject({ at: 300_000 });
  });

  it("gets no record for a topic without readers, however long", () => {
    const quiet = after(seen(0));
    expect(pollMore(quiet, seen(DAY), seen(9 * DAY)).recorded).toBe(quiet.recorded);
  });

  it.each<[string, SeenGroup[]]>([
    ["a new group", [group("a", 1, 5n), group("b", 0, 1n)]],
    ["a group without members", [group("a", 0, 5n)]],
    ["a group without offsets", [group("a", 1)]],
    ["another schema", [group("a", 1, 5n, { readers: new Map([["f", 1]]) })]],
    ["a group that is gone", []],
  ])("%s is", (_, groups) => {
    expect(pollMore(first, seen(1000, ...groups)).recorded).not.toBe(first.recorded);
  });

  it("gets no record if only the number of members changes", () => {
    expect(pollMore(first, seen(1000, group("a", 7, 5n))).recorded).toBe(first.recorded);
  });

  it("keeps the times over a restart, without a poll yet", () => {
    const before = after(seen(0, group("a", 0, 5n)));
    const again = recalled(before.recorded);
    expect(again.lastPoll).toBeUndefined();
    expect(one(pollMore(again, seen(3 * DAY, group("a", 0, 5n))))).toMatchObject({ first: 0, moved: 0 });
    expect(one(pollMore(again, seen(3 * DAY, group("a", 0, 6n))))).toMatchObject({ first: 0, moved: 3 * DAY });
  });
});
