import { expect, test } from "vitest";
import { openAppender } from "../../src/kafka/append.ts";
import { tailTopic, type TailOptions } from "../../src/kafka/tail.ts";
import { createTopics, endOffsets } from "../../src/kafka/topics.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { ourClient } from "./place.ts";

async function commandsTopic() {
  const kafka = ourClient();
  const topic = uniquePrefix();
  await createTopics(kafka, [{ name: topic, partitions: 2 }]);
  const appender = await openAppender(kafka);
  const append = (partition: number, value: string) => appender.append(topic, partition, null, Buffer.from(value));
  const seen: string[] = [];
  const tail = (from: TailOptions["from"]) =>
    tailTopic(kafka, {
      topic,
      from,
      onRecord: ({ partition, offset, value }) => seen.push(`${partition}/${offset}:${String(value)}`),
    });
  return { kafka, topic, appender, append, seen, tail };
}

test("an append returns the record's offset", async () => {
  const { appender, append } = await commandsTopic();
  expect(await append(0, "a")).toStrictEqual({ offset: 0n });
  expect(await append(0, "b")).toStrictEqual({ offset: 1n });
  expect(await append(1, "c")).toStrictEqual({ offset: 0n });
  await appender[Symbol.asyncDispose]();
});

test("when the end offsets are reached, every record before them was received", async () => {
  const { kafka, topic, appender, append, seen, tail } = await commandsTopic();
  for (let index = 0; index < 50; index++) await append(index % 2, String(index));
  await using following = await tail("beginning");
  await following.reached(await endOffsets(kafka, topic));
  expect(seen).toHaveLength(50);
  await append(1, "later");
  await following.reached(await endOffsets(kafka, topic));
  expect(seen.at(-1)).toBe("1/25:later");
  expect(following.position()).toStrictEqual(
    new Map([
      [0, 25n],
      [1, 26n],
    ]),
  );
  await appender[Symbol.asyncDispose]();
});

test("a tail starts at the given offsets, or at the oldest record if the topic does not have one of them", async () => {
  const { kafka, topic, appender, append, seen, tail } = await commandsTopic();
  for (const value of ["a", "b", "c"]) {
    await append(0, value);
    await append(1, value);
  }
  await using following = await tail(
    new Map([
      [0, 2n],
      [1, 99n],
    ]),
  );
  expect(following.position().get(1)).toBe(0n);
  await following.reached(await endOffsets(kafka, topic));
  expect(seen.toSorted()).toStrictEqual(["0/2:c", "1/0:a", "1/1:b", "1/2:c"]);
  await appender[Symbol.asyncDispose]();
});

test("a closed tail delivers nothing more, and rejects those who wait", async () => {
  const { appender, append, seen, tail } = await commandsTopic();
  const following = await tail("beginning");
  const reached = Promise.allSettled([following.reached(new Map([[0, 10n]]))]);
  await following[Symbol.asyncDispose]();
  expect(await reached).toMatchObject([{ status: "rejected", reason: { code: "kafka-down" } }]);
  await append(0, "a");
  expect(seen).toStrictEqual([]);
  await appender[Symbol.asyncDispose]();
});
