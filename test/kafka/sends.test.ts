import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OutRecord } from "../../src/kafka/record.ts";
import { BATCH_OVERHEAD, recordBytes } from "../../src/kafka/record.ts";
import { cutIntoSends, mustFollow, mustHoldAll } from "../../src/kafka/sends.ts";

const LIMIT = 2_000;

function record(topic: string, partition: number, size: number): OutRecord {
  return { topic, partition, key: Buffer.from("k"), value: Buffer.alloc(size) };
}

const records = fc.array(
  fc.record({
    topic: fc.constantFrom("a", "b"),
    partition: fc.integer({ min: 0, max: 2 }),
    key: fc.option(fc.constant(Buffer.from("key"))),
    value: fc.option(fc.integer({ min: 0, max: 1_700 }).map((size) => Buffer.alloc(size))),
  }),
  { maxLength: 1_500 },
);

function mustFit(send: readonly OutRecord[]): void {
  for (const batch of Map.groupBy(send, ({ topic, partition }) => `${topic}/${partition}`).values()) {
    const bytes = batch.reduce((sum, each) => sum + recordBytes(each), BATCH_OVERHEAD);
    expect(bytes).toBeLessThanOrEqual(batch.length === 1 ? LIMIT : LIMIT * 0.9);
  }
}

describe("cutting into sends", () => {
  test("keeps every record, in order", () => {
    fc.assert(
      fc.property(records, (all) => {
        expect(cutIntoSends(all, () => LIMIT).flat()).toStrictEqual(all);
      }),
    );
  });

  test("keeps batches below 0.9 of the limit unless they are one record", () => {
    fc.assert(
      fc.property(records, (all) => {
        for (const send of cutIntoSends(all, () => LIMIT)) mustFit(send);
      }),
    );
  });

  test("a send is limited in bytes, however many partitions it has", () => {
    const all = Array.from({ length: 100 }, (_, partition) => record("a", partition, 900_000));
    expect(cutIntoSends(all, () => 1_048_588).map((send) => send.length)).toStrictEqual([18, 18, 18, 18, 18, 10]);
  });

  test("a record that no batch can hold is refused with its topic and size", () => {
    const all = [record("small", 0, 10), record("inventory.public.customers", 0, 5_000)];
    expect(() => cutIntoSends(all, () => LIMIT)).toThrow(
      "[record-too-large] one record for topic inventory.public.customers has 5001 bytes; the topic's max.message.bytes is 2000",
    );
  });
});

test("a partition that no broker answered for is an error, although kafkajs drops its records and reports success", () => {
  const answer = [{ topicName: "a", partition: 0, errorCode: 0 }];
  expect(() => mustHoldAll(answer, [record("a", 0, 1)])).not.toThrow();
  expect(() => mustHoldAll(answer, [record("a", 0, 1), record("a", 7, 1)])).toThrow(
    "no broker took partition 7 of topic a",
  );
});

describe("offsets of what was written", () => {
  const written = (baseOffset: string) => [{ topicName: "t", partition: 0, errorCode: 0, baseOffset }];

  test("that grow are those of the same topic", () => {
    const ends = new Map<string, bigint>();
    mustFollow(written("0"), ends);
    expect(() => mustFollow(written("2"), ends)).not.toThrow();
  });

  test("that begin again are those of a topic that was made again, which is reported once", () => {
    const ends = new Map<string, bigint>();
    mustFollow(written("0"), ends);
    expect(() => mustFollow(written("0"), ends)).toThrow(
      expect.objectContaining({ code: "topic-changed", emptied: "t" }),
    );
    expect(() => mustFollow(written("1"), ends)).not.toThrow();
  });
});
