import fc from "fast-check";
import { Partitioners, type PartitionMetadata } from "kafkajs";
import { expect, test } from "vitest";
import { partitionOf } from "../../../src/event/envelope/partition.ts";

const kafkajs = Partitioners.DefaultPartitioner();

function partitions(count: number): PartitionMetadata[] {
  return Array.from({ length: count }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 0,
    replicas: [],
    isr: [],
  }));
}

test("a key goes to the partition that Java's default partitioner chooses", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.integer({ min: 1, max: 64 }), (bytes, count) => {
      const key = Buffer.from(bytes);
      const partitionMetadata = partitions(count);
      expect(partitionOf(key, "t", count)).toBe(
        kafkajs({ topic: "t", partitionMetadata, message: { key, value: null } }),
      );
    }),
    { numRuns: 3000 },
  );
});

test("a record without a key goes to the partition of its topic's name", () => {
  expect(partitionOf(null, "p.public.t", 12)).toBe(partitionOf(Buffer.from("p.public.t"), "x", 12));
});

test("murmur2 gives the numbers of Kafka's own UtilsTest", () => {
  const table: readonly (readonly [string, number])[] = [
    ["21", -973932308],
    ["foobar", -790332482],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["abc", 479470107],
  ];
  for (const [key, hash] of table) expect(partitionOf(Buffer.from(key), "t", 2 ** 31)).toBe(hash & 0x7fffffff);
});
