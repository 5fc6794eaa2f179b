import kafkajs, { type Cluster } from "kafkajs";
import { expect, it } from "vitest";
import { announcing } from "../../src/consumer/assigner.ts";
import { decodeAnnouncement } from "../../src/contract/announcement.ts";

const { roundRobin } = kafkajs.PartitionAssigners;
const { MemberMetadata } = kafkajs.AssignerProtocol;
// The only part of a cluster that kafkajs' assigner uses.
const cluster = {
  findTopicPartitionMetadata: () => [0, 1, 2].map((partitionId) => ({ partitionId })),
} as unknown as Cluster;
const made = (assigner: typeof roundRobin) => assigner({ cluster, groupId: "g", logger: undefined as never });

it("sends what kafkajs' round robin sends, and the fingerprints of readers with a schema", () => {
  const ours = made(
    announcing([
      { topic: "a", fingerprint: "f1" },
      { topic: "b", fingerprint: undefined },
    ]),
  ).protocol({ topics: ["a", "b"] });
  const plain = made(roundRobin).protocol({ topics: ["a", "b"] });
  expect(ours.name).toBe(plain.name);
  const [said, without] = [ours, plain].map(({ metadata }) => MemberMetadata.decode(metadata));
  expect({ ...said, userData: without?.userData }).toEqual(without);
  expect(decodeAnnouncement(said?.userData ?? Buffer.alloc(0))).toEqual(new Map([["a", "f1"]]));
});

it("assigns like kafkajs' round robin", async () => {
  const members = ["m2", "m1"].map((memberId) => ({ memberId, memberMetadata: Buffer.alloc(0) }));
  const group = { members, topics: ["a", "b"] };
  expect(await made(announcing([])).assign(group)).toEqual(await made(roundRobin).assign(group));
});

it("a topic cannot have two schemas", () => {
  const one = { topic: "a", fingerprint: "f1" };
  expect(() => announcing([one, one])).not.toThrow();
  expect(() => announcing([one, { topic: "a", fingerprint: "f2" }])).toThrow("two readers of a have different schemas");
});
