import { createRequire } from "node:module";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { OutRecord } from "../../../src/kafka/record.ts";
import { encodeBatch } from "../../../src/kafka/wire/batch.ts";
import { crc32c } from "../../../src/kafka/wire/crc32c.ts";
import {
  addPartitions,
  endTransaction,
  initProducerId,
  produce,
  type WriteRequest,
} from "../../../src/kafka/write-requests.ts";

/** kafkajs' own encoding of a request, which brokers have understood for years. */
type Protocol = (fields: object) => { apiKey: number; apiVersion: number; encode: () => Promise<{ buffer: Buffer }> };
const require = createRequire(import.meta.url);
const theirs = (path: string): Protocol => require(`kafkajs/src/protocol/requests/${path}/request.js`) as Protocol; // kafkajs has no types for its internals

const TRANSACTIONAL_ID = "__fieldgate.main.state.inventory";

beforeEach(() => void vi.useFakeTimers({ now: 1_790_000_000_123 }));
afterEach(() => void vi.useRealTimers());

/** True if kafkajs sends the same request with the same bytes. */
async function isTheirs(ours: WriteRequest<unknown>, protocol: Protocol, fields: object): Promise<boolean> {
  const { apiKey, apiVersion, encode } = protocol(fields);
  const { buffer } = await encode();
  return ours.key === apiKey && ours.version === apiVersion && Buffer.concat(ours.body).equals(buffer);
}

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const records = fc.array(
  fc.record({
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers: fc.option(fc.dictionary(fc.string({ minLength: 1, unit: "grapheme" }), bytes, { maxKeys: 3 }), {
      nil: undefined,
    }),
  }),
  { minLength: 1, maxLength: 200 },
);
const origin = {
  producerId: fc.bigInt({ min: 0n, max: 2n ** 62n }),
  epoch: fc.integer({ min: 0, max: 32_767 }),
  sequence: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
};

it("a request's record batches have, byte for byte, what kafkajs writes", async () => {
  await fc.assert(
    fc.asyncProperty(records, fc.record(origin), async (all, { producerId, epoch, sequence }) => {
      const own = all.map((each): OutRecord => ({ topic: "t", partition: 3, ...each }));
      const batch = encodeBatch(own, { producerId, epoch, sequence }, Date.now());
      const ours = produce(TRANSACTIONAL_ID, [{ topic: "t", partition: 3, bytes: batch }], 10_000);
      expect(
        await isTheirs(ours, theirs("produce/v7"), {
          transactionalId: TRANSACTIONAL_ID,
          acks: -1,
          timeout: 10_000,
          producerId: producerId.toString(),
          producerEpoch: epoch,
          topicData: [{ topic: "t", partitions: [{ partition: 3, firstSequence: sequence, messages: all }] }],
        }),
      ).toBe(true);
    }),
    { numRuns: 200 },
  );
});

it("lengths of every size have kafkajs' bytes, in several topics and partitions", async () => {
  const sizes = [0, 1, 63, 64, 8_191, 8_192, 1_048_575, 1_048_576];
  const messages = sizes.map((size) => ({ key: Buffer.from(String(size)), value: Buffer.alloc(size, 7) }));
  const places = [
    { topic: "b.ü", partition: 0 },
    { topic: "b.ü", partition: 11 },
    { topic: "a", partition: 1 },
  ];
  const by = { producerId: 77n, epoch: 2, sequence: 5 };
  const batches = places.map((place) => ({
    ...place,
    bytes: encodeBatch(
      messages.map((message) => ({ ...place, ...message })),
      by,
      Date.now(),
    ),
  }));
  const partition = (number: number) => ({ partition: number, firstSequence: 5, messages });
  expect(
    await isTheirs(produce(TRANSACTIONAL_ID, batches, 10_000), theirs("produce/v7"), {
      transactionalId: TRANSACTIONAL_ID,
      acks: -1,
      timeout: 10_000,
      producerId: "77",
      producerEpoch: 2,
      topicData: [
        { topic: "b.ü", partitions: [partition(0), partition(11)] },
        { topic: "a", partitions: [partition(1)] },
      ],
    }),
  ).toBe(true);
});

it("the other requests of a transaction have kafkajs' bytes", async () => {
  const by = { producerId: 4_000_000_001n, epoch: 9 };
  const fields = { transactionalId: TRANSACTIONAL_ID, producerId: "4000000001", producerEpoch: 9 };
  expect(
    await isTheirs(initProducerId(TRANSACTIONAL_ID, 15_000), theirs("initProducerId/v1"), {
      transactionalId: TRANSACTIONAL_ID,
      transactionTimeout: 15_000,
    }),
  ).toBe(true);
  const partitions = [
    { topic: "a", partition: 0 },
    { topic: "b", partition: 1 },
    { topic: "a", partition: 2 },
  ];
  expect(
    await isTheirs(addPartitions(TRANSACTIONAL_ID, by, partitions), theirs("addPartitionsToTxn/v1"), {
      ...fields,
      topics: [
        { topic: "a", partitions: [0, 2] },
        { topic: "b", partitions: [1] },
      ],
    }),
  ).toBe(true);
  for (const commit of [true, false])
    expect(
      await isTheirs(endTransaction(TRANSACTIONAL_ID, by, commit), theirs("endTxn/v1"), {
        ...fields,
        transactionResult: commit,
      }),
    ).toBe(true);
});

it("the checksum of the standard's example is the standard's", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  expect(crc32c(Buffer.from("xx123456789"), 2)).toBe(0xe3069283);
});
