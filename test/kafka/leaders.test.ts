import type { PartitionMetadata } from "kafkajs";
import { describe, expect, it } from "vitest";
import { callOf, createLeaders, SeveralLeaders } from "../../src/kafka/leaders.ts";
import type { OutRecord } from "../../src/kafka/record.ts";

const record = (topic: string, partition: number, value: string): OutRecord => {
  return { topic, partition, key: null, value: Buffer.from(value) };
};
const metadata = (leaders: readonly number[]): PartitionMetadata[] =>
  // The order of a metadata answer is not the order of the partitions.
  leaders
    .map((leader, partitionId) => ({ partitionErrorCode: 0, partitionId, leader, replicas: [], isr: [] }))
    .toReversed();
const names = (groups: readonly (readonly OutRecord[])[]) =>
  groups.map((group) => group.map(({ value }) => String(value)).join(""));

/** What kafkajs does at each attempt of a call: asks for each message's partition. */
function attempt(
  leaders: ReturnType<typeof createLeaders>,
  call: ReturnType<typeof callOf>,
  topics: Readonly<Record<string, readonly number[]>>,
): readonly number[] {
  return call.flatMap(({ topic, messages }) =>
    messages.map((message) =>
      leaders.partitionOf({ topic, message, partitionMetadata: metadata(topics[topic] ?? []) }),
    ),
  );
}

describe("records are grouped by leader", () => {
  const records = [record("t", 0, "a"), record("u", 0, "b"), record("t", 1, "c"), record("t", 0, "d")];

  it("in one group at first, which is refused before it is sent if it has several leaders", () => {
    const leaders = createLeaders();
    expect(names(leaders.group(records))).toEqual(["abcd"]);
    expect(() => attempt(leaders, callOf(records), { t: [1, 2], u: [2] })).toThrow(SeveralLeaders);
    expect(names(leaders.group(records))).toEqual(["ad", "bc"]);
  });

  it("and a group with one leader is sent, at each attempt", () => {
    const leaders = createLeaders();
    const call = callOf(records);
    expect(attempt(leaders, call, { t: [1, 1], u: [1] })).toEqual([0, 1, 0, 0]);
    expect(attempt(leaders, call, { t: [1, 1], u: [1] })).toEqual([0, 1, 0, 0]);
    expect(names(leaders.group(records))).toEqual(["abcd"]);
  });

  it("and if a leader moves while a group is sent again, the next attempt is refused and the group is cut up", () => {
    const leaders = createLeaders();
    const call = callOf(records);
    attempt(leaders, call, { t: [1, 1], u: [1] });
    expect(() => attempt(leaders, call, { t: [1, 3], u: [1] })).toThrow(SeveralLeaders);
    expect(names(leaders.group(records))).toEqual(["abd", "c"]);
  });

  it("and all leaders may move together", () => {
    const leaders = createLeaders();
    const call = callOf(records);
    attempt(leaders, call, { t: [1, 1], u: [1] });
    expect(attempt(leaders, call, { t: [2, 2], u: [2] })).toEqual([0, 1, 0, 0]);
  });

  it("with a topic's new partitions in a group of their own until their leader is known", () => {
    const leaders = createLeaders();
    attempt(leaders, callOf(records), { t: [1, 1], u: [1] });
    expect(names(leaders.group([...records, record("t", 2, "e")]))).toEqual(["abcd", "e"]);
  });
});

it("a call keeps a record's key, value and headers", () => {
  const headers = { a: Buffer.from("1") };
  const key = Buffer.from("k");
  const [{ topic, messages } = { topic: "", messages: [] }] = callOf([
    { topic: "t", partition: 3, key, value: null, headers },
  ]);
  expect([topic, messages]).toEqual(["t", [expect.objectContaining({ partition: 3, key, value: null, headers })]]);
});
