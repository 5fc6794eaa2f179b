import { describe, expect, it } from "vitest";
import { readerFingerprint } from "../../src/contract/announcement.ts";
import { coverageOf } from "../../src/service/coverage.ts";
import { coverageSchema } from "../../src/api/coverage.ts";
import { publishing, RULES, play, REPLICA, stateOf, TOPIC } from "../gate/customers.ts";
import { seenTexts } from "../../src/words/evidence.ts";
import type { SeenGroup } from "../../src/gate/evidence/evidence.ts";
import type { Input, State } from "../../src/gate/state.ts";

const DAY = 86_400_000;
const schema = { type: "record", name: "R", fields: [] };
const READER = { ...REPLICA, schema, groups: ["r1"] };

function group(name: string, members: number, more: Partial<SeenGroup> = {}): SeenGroup {
  return { group: name, members, offsets: new Map(), readers: new Map(), ...more };
}

function looks(at: number, ...groups: readonly SeenGroup[]): Input {
  return { kind: "groups", poll: { kind: "seen", at, byTopic: new Map([[TOPIC, groups]]) } };
}

function covered(state: State, now = 20_000) {
  const view = coverageOf([{ name: "inventory", rules: RULES, state }], now, undefined);
  expect(coverageSchema.parse(view)).toEqual(view);
  return view;
}

describe("coverage", () => {
  it("shows for each group its contract, what its members announce, and the age of the evidence", () => {
    const readers = new Map([
      [readerFingerprint(schema), 1],
      ["other", 1],
    ]);
    const { state } = play(
      RULES,
      stateOf(publishing(), READER),
      looks(0, group("r1", 2, { readers }), group("sink", 1)),
    );
    const view = covered(state);
    expect(view.complete).toBe(false);
    expect(view.topics).toMatchObject([
      {
        topic: TOPIC,
        environment: "default",
        lastPoll: { secondsAgo: 20, problem: null },
        groups: [
          {
            group: "r1",
            live: true,
            members: 2,
            readSecondsAgo: 20,
            namedBy: ["replica"],
            announced: [
              { members: 1, consumers: ["replica"] },
              { fingerprint: "other", members: 1, consumers: [] },
            ],
          },
          { group: "sink", namedBy: [] },
        ],
        contracts: [{ consumer: "replica", groups: ["replica", "r1"], stale: false, versions: 1 }],
        unnamed: ["sink"],
      },
    ]);
  });

  it.each<[string, readonly Input[], boolean]>([
    ["no poll yet", [], false],
    ["no group reads the topic", [looks(0)], true],
    ["every live group is named", [looks(0, group("r1", 1))], true],
    ["a live group is not named", [looks(0, group("sink", 1))], false],
    ["the unnamed group is not live", [looks(0, group("sink", 0))], true],
    ["a contract is stale", [looks(0), looks(14 * DAY)], false],
    ["the last poll failed", [looks(0), { kind: "groups", poll: { kind: "unknown", at: 1, why: "x" } }], false],
  ])("is complete only as it should be: %s", (_, inputs, complete) => {
    expect(covered(play(RULES, stateOf(publishing(), READER), ...inputs).state, 14 * DAY).complete).toBe(complete);
  });

  it("considers only contracts of the connector's environment", () => {
    const elsewhere = { ...READER, environment: "staging" };
    const { state } = play(RULES, stateOf(publishing(), elsewhere), looks(0, group("r1", 1)));
    expect(covered(state).topics).toMatchObject([{ contracts: [], unnamed: ["r1"] }]);
  });
});

describe("a consumer that is called like a property that every object has", () => {
  it.each(["constructor", "__proto__", "toString"])("%s has a time of its own", (consumer) => {
    const state = stateOf(publishing(), { ...READER, consumer });
    expect(covered(state).topics[0]?.contracts).toMatchObject([{ consumer, since: null }]);
    const polled = play(RULES, state, looks(7000)).state;
    expect(covered(polled).topics[0]?.contracts).toMatchObject([{ consumer, since: "1970-01-01T00:00:07.000Z" }]);
  });
});

describe("the evidence of a consumer", () => {
  const texts = (now: number, ...inputs: readonly Input[]) =>
    seenTexts(play(RULES, stateOf(publishing(), READER), ...inputs).state, READER, now);
  const offsets = new Map([[0, 1n]]);

  it("shows its age", () => {
    expect(texts(0)).toEqual(["the consumer groups have not been read yet"]);
    expect(texts(20_000, looks(0, group("r1", 3)))).toEqual(["group r1: 3 members, seen 20 s ago"]);
    expect(texts(3 * 3_600_000, looks(0, group("r1", 0, { offsets })))).toEqual([
      "group r1: no members, last seen reading 3 h ago",
    ]);
    expect(texts(60_000, looks(0, group("r1", 0, { members: undefined, offsets })))).toEqual([
      "group r1: Kafka does not show what its members read, last seen reading 60 s ago",
    ]);
    expect(texts(3 * DAY, looks(0))).toEqual(["none of its groups (replica, r1) was seen in the last 3 days"]);
    expect(
      texts(9000, looks(0, group("r1", 1)), { kind: "groups", poll: { kind: "unknown", at: 5000, why: "down" } }),
    ).toEqual(["group r1: 1 member, seen 9 s ago", "the consumer groups could not be read 4 s ago: down"]);
  });
});
