import { Buffer } from "node:buffer";
import kafkajs, { type Admin } from "kafkajs";
import { describe, expect, it } from "vitest";
import type { GroupsSeen, SeenGroup } from "../../src/gate/evidence/evidence.ts";
import type { Cluster } from "../../src/kafka/cluster.ts";
import type { Described, Listed, Request, ShareOffsets } from "../../src/kafka/group-requests.ts";
import { readGroups } from "../../src/kafka/groups.ts";

/** What the groups of a cluster are like; each test changes one thing. */
interface Brokers {
  /** Groups by name, with their type; undefined for a broker that does not say. */
  readonly types: Readonly<Record<string, string | undefined>>;
  /** How kafkajs describes classic groups; others are dead. */
  readonly classic?: Readonly<Record<string, { readonly state: string; readonly topics: readonly string[][] }>>;
  readonly described?: Described;
  readonly shareOffsets?: ShareOffsets;
  /** The requests that the brokers know. */
  readonly knows?: readonly string[];
  /** By group and topic, the committed offset of partition 0. */
  readonly committed?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const ALL = [
  "ListGroups",
  "ConsumerGroupDescribe",
  "ShareGroupDescribe",
  "StreamsGroupDescribe",
  "DescribeShareGroupOffsets",
];

function clusterOf({ types, classic = {}, described, shareOffsets, knows = ALL, committed = {} }: Brokers): Cluster {
  const listed: Listed = {
    error: 0,
    groups: Object.entries(types).map(([group, type]) => ({
      group,
      type,
      protocol: type === "share" ? "share" : "consumer",
    })),
  };
  const answers: Readonly<Record<string, unknown>> = {
    ListGroups: listed,
    DescribeShareGroupOffsets: shareOffsets ?? { error: 0, byTopic: new Map() },
  };
  const broker = {
    supports: ({ name }: Request<unknown>) => knows.includes(name),
    send: <T>({ name }: Request<T>) => Promise.resolve((answers[name] ?? described) as T), // as the test says
  };
  const admin = {
    listGroups: () =>
      Promise.resolve({
        groups: listed.groups.map(({ group, protocol }) => ({ groupId: group, protocolType: protocol })),
      }),
    describeGroups: ([groupId = ""]: string[]) => {
      const { state, topics } = classic[groupId] ?? { state: "Dead", topics: [] };
      const members = topics.map((own) => ({ memberMetadata: state === "Stable" ? metadata(own) : Buffer.alloc(0) }));
      return Promise.resolve({
        groups: [{ groupId, state, protocolType: state === "Dead" ? "" : "consumer", members }],
      });
    },
    fetchOffsets: ({ groupId }: { groupId: string }) =>
      Promise.resolve(
        Object.entries(committed[groupId] ?? {}).map(([topic, offset]) => ({
          topic,
          partitions: [{ partition: 0, offset }],
        })),
      ),
  } as unknown as Admin; // as much of one as is used
  return {
    admin,
    brokers: () => Promise.resolve([broker]),
    coordinatorOf: () => Promise.resolve(broker),
    errorOf: (code) => new Error(`error ${code}`),
  };
}

const metadata = (topics: readonly string[]) =>
  kafkajs.AssignerProtocol.MemberMetadata.encode({ version: 1, topics: [...topics], userData: Buffer.alloc(0) });

async function seen(brokers: Brokers): Promise<Extract<GroupsSeen, { kind: "seen" }>> {
  const found = await readGroups(clusterOf(brokers), ["t", "u"]);
  if (found.kind !== "seen") throw new Error(found.why);
  return found;
}

const group = (name: string, members: number | undefined, offset?: bigint): SeenGroup => ({
  group: name,
  members,
  offsets: new Map(offset === undefined ? [] : [[0, offset]]),
  readers: new Map(),
});
const reads = (...topics: readonly string[][]): Described => ({ error: 0, members: topics });
const NOTHING: Described = { error: 0, members: [] };

describe("a group that Kafka can describe", () => {
  it.each<[string, Brokers, readonly SeenGroup[]]>([
    ["of the new protocol", { types: { g: "consumer" }, described: reads(["t"], ["t", "x"], ["x"]) }, [group("g", 2)]],
    ["that shares a topic", { types: { g: "share" }, described: reads(["t"]) }, [group("g", 1)]],
    ["of Kafka Streams", { types: { g: "streams" }, described: reads(["t"], ["t"]) }, [group("g", 2)]],
    [
      "of the classic protocol",
      { types: { g: "classic" }, classic: { g: { state: "Stable", topics: [["t"]] } } },
      [group("g", 1)],
    ],
    [
      "of the new protocol, from a broker that does not say so",
      { types: { g: undefined }, knows: ["ConsumerGroupDescribe"], described: reads(["t"]) },
      [group("g", 1)],
    ],
    [
      "that has just gone over to the classic protocol",
      {
        types: { g: "consumer" },
        described: { error: 69, members: [] },
        classic: { g: { state: "Stable", topics: [["t"]] } },
      },
      [group("g", 1)],
    ],
  ])("%s is seen on the topics that its members read", async (_, brokers, expected) => {
    const { byTopic, forming } = await seen(brokers);
    expect(byTopic.get("t")).toEqual(expected);
    expect(byTopic.get("u")).toEqual([]);
    expect(forming).toEqual(new Set());
  });

  it("is seen by its offsets while it has no members", async () => {
    const offsets = { error: 0, byTopic: new Map([["t", new Map([[0, 5n]])]]) };
    const share = await seen({ types: { g: "share" }, described: NOTHING, shareOffsets: offsets });
    expect(share.byTopic.get("t")).toEqual([group("g", 0, 5n)]);
    const consumer = await seen({ types: { g: "consumer" }, described: NOTHING, committed: { g: { t: "7" } } });
    expect(consumer.byTopic.get("t")).toEqual([group("g", 0, 7n)]);
  });

  it("that was deleted after it was listed reads nothing", async () => {
    for (const type of ["classic", "consumer", "share", "streams", undefined]) {
      const { byTopic } = await seen({ types: { g: type }, described: { error: 69, members: [] } });
      expect(byTopic.get("t")).toEqual([]);
    }
  });

  it("makes the poll fail if the answer is an error", async () => {
    await expect(seen({ types: { g: "share" }, described: { error: 15, members: [] } })).rejects.toThrow("error 15");
    await expect(
      seen({ types: { g: "share" }, described: NOTHING, shareOffsets: { error: 14, byTopic: new Map() } }),
    ).rejects.toThrow("error 14");
  });
});

describe("a group that cannot be looked into may read every topic", () => {
  it.each<[string, Brokers]>([
    ["a type that is not known", { types: { g: "swarm" } }],
    ["a share group, before Kafka 4.1", { types: { g: "share" }, knows: ["ListGroups"] }],
    ["a group of an unknown type that the classic request does not show", { types: { g: undefined }, knows: [] }],
    [
      "a share group without its offsets",
      { types: { g: "share" }, knows: ["ListGroups", "ShareGroupDescribe"], described: NOTHING },
    ],
    ["a Streams group, before Kafka 4.1", { types: { g: "streams" }, knows: ["ListGroups"] }],
    ["a group of the new protocol, without the request", { types: { g: "consumer" }, knows: ["ListGroups"] }],
    [
      "a group that also reads a topic that we may not see",
      { types: { g: "consumer" }, described: { error: 29, members: [] } },
    ],
  ])("%s", async (_, brokers) => {
    const { byTopic } = await seen(brokers);
    expect([byTopic.get("t"), byTopic.get("u")]).toEqual([[group("g", undefined)], [group("g", undefined)]]);
  });

  it("a classic group whose members say nothing that can be read", async () => {
    const cluster = clusterOf({ types: { g: "classic" } });
    const described = {
      groupId: "g",
      state: "Stable",
      protocolType: "consumer",
      members: [{ memberMetadata: Buffer.from([1]) }],
    };
    const admin = {
      ...cluster.admin,
      describeGroups: () => Promise.resolve({ groups: [described] }),
    } as unknown as Admin; // as much of one as is used
    expect(await readGroups({ ...cluster, admin }, ["t"])).toMatchObject({
      byTopic: new Map([["t", [group("g", undefined)]]]),
    });
  });
});

describe("a classic group whose members are joining or leaving", () => {
  const forming = { g: { state: "PreparingRebalance", topics: [["t"]] } };
  it("may read every topic if it commits no offsets", async () => {
    const found = await seen({ types: { g: "classic" }, classic: forming });
    expect([...found.byTopic.values()]).toEqual([[group("g", undefined)], [group("g", undefined)]]);
    expect(found.forming).toEqual(new Set(["g"]));
  });
  it("may read the topics that it has offsets on", async () => {
    const found = await seen({ types: { g: "classic" }, classic: forming, committed: { g: { t: "3" } } });
    expect([...found.byTopic.values()]).toEqual([[group("g", undefined, 3n)], []]);
    expect(found.forming).toEqual(new Set(["g"]));
  });
});

it("groups of Connect workers and our own groups are not readers", async () => {
  const cluster = clusterOf({ types: { workers: "classic", "fieldgate.main.x": "swarm" } });
  const described = {
    groupId: "workers",
    state: "Stable",
    protocolType: "connect",
    members: [{ memberMetadata: Buffer.from([1]) }],
  };
  const admin = {
    ...cluster.admin,
    describeGroups: () => Promise.resolve({ groups: [described] }),
  } as unknown as Admin; // as much of one as is used
  expect(await readGroups({ ...cluster, admin }, ["t"])).toMatchObject({ byTopic: new Map([["t", []]]) });
});
