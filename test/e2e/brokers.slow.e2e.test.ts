import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Stack, startStack } from "../../local/stack.ts";
import { kafkaClient } from "../../src/kafka/client.ts";
import { createTopics } from "../../src/kafka/topics.ts";
import { openWriter } from "../../src/kafka/writer.ts";
import { maxBytes } from "../kafka/place.ts";
import { type Collected, collect } from "../stack/collect.ts";
import { freshDatabase } from "../stack/database.ts";
import { registryDecoder } from "../stack/decode.ts";
import { readWithJava } from "../stack/java-reader.ts";
import { kafkaClient as foreignClient, uniquePrefix } from "../stack/topic.ts";
import { decodeEvent, type Event, readEvents } from "./events.ts";
import { startService } from "./service.ts";

/**
 * A Kafka of three brokers: a transaction goes to several of them, and one may answer while another has not yet. Nothing
 * may be published twice, also when one of them asks for a retry, as each does right after the previous transaction. What
 * the topic holds is judged by Java's consumer, so that no mistake of ours or of kafkajs hides itself.
 */

let own: Stack;
beforeAll(async () => {
  own = await startStack({ postgres: false, registry: false, brokers: 3 });
});
afterAll(() => own.stop());

const PARTITIONS = 6;

it("every record of a transaction to several brokers is seen once, in the order of its partition", async () => {
  const { brokers } = own.kafka;
  const kafka = kafkaClient({ brokers, clientId: "t" });
  const topic = uniquePrefix();
  await createTopics(kafka, [{ name: topic, partitions: PARTITIONS }]);
  await using writer = await openWriter(kafka, { transactionalId: topic, maxBytes });
  const TRANSACTIONS = 300;
  for (let number = 0; number < TRANSACTIONS; number++) {
    const value = Buffer.from(String(number));
    await writer.commit(
      Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition, key: Buffer.from("k"), value })),
    );
  }
  await using reader = collect([topic], foreignClient(brokers));
  const records = await readWithJava(brokers, topic);
  expect(inOrder(await reader.toEnd())).toEqual(inOrder(records));
  const expected = Array.from({ length: TRANSACTIONS }, (_, number) => String(number));
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const values = records.filter((record) => record.partition === partition).map(({ value }) => String(value));
    expect({ partition, values }).toEqual({ partition, values: expected });
  }
});

it("every change of a table with partitions on several brokers is published once and in order", async () => {
  const { brokers } = own.kafka;
  await using database = await freshDatabase();
  await database.query("create table t (id int primary key, n int not null)");
  const prefix = uniquePrefix();
  await using service = await startService({
    database: database.address,
    prefix,
    tables: ["public.t"],
    kafkaBrokers: brokers,
    connector: { "topic.creation.default.partitions": String(PARTITIONS) },
  });
  const KEYS = 12;
  // Slow enough for most of them to be a transaction of their own in Kafka, too.
  const PAUSE_MS = 15;
  const ROUNDS = 150;
  for (let round = 0; round < ROUNDS; round++) {
    await database.query(
      `insert into t select i, ${round} from generate_series(1, ${KEYS}) i on conflict (id) do update set n = excluded.n`,
    );
    await sleep(PAUSE_MS);
  }
  await using events = readEvents([`${prefix}.public.t`], undefined, brokers);
  await events.until((soFar) => soFar.length >= KEYS * ROUNDS, "every change is published", 120_000);
  expect(faultsOf(await events.all(), KEYS, ROUNDS)).toEqual([]);
  const decoder = registryDecoder();
  const java = await Promise.all(
    (await readWithJava(brokers, `${prefix}.public.t`)).flatMap(({ topic, key, value }) =>
      value === null ? [] : decodeEvent(decoder, topic, key, value),
    ),
  );
  expect(faultsOf(java, KEYS, ROUNDS)).toEqual([]);
  expect(service.output()).not.toContain('"level":50');
});

/** By partition and offset, which two readers have to agree on. */
function inOrder(records: readonly Pick<Collected, "partition" | "offset" | "value">[]): readonly string[] {
  return records
    .toSorted((a, b) => a.partition - b.partition || Number(a.offset - b.offset))
    .map(({ partition, offset, value }) => `${partition} ${offset} ${String(value)}`);
}

/** What is wrong with the rounds that each key's events show: those that came twice, not at all, or too late. */
function faultsOf(events: readonly Event[], keys: number, rounds: number): readonly string[] {
  return Array.from({ length: keys }, (_, index) => index + 1).flatMap((key) => {
    const changes = events.filter(({ after }) => after?.["id"] === key);
    const seen = changes.map(({ after }) => Number(after?.["n"]));
    const twice = changes.filter((_event, at) => seen.indexOf(seen[at] ?? -1) !== at);
    const missing = Array.from({ length: rounds }, (_round, round) => round).filter((round) => !seen.includes(round));
    const late = seen.filter((round, at) => at > 0 && round < (seen[at - 1] ?? 0));
    return [
      ...twice.map(
        ({ op, after, source }) => `key ${key}: ${op} ${String(after?.["n"])} twice, at ${String(source["lsn"])}`,
      ),
      ...missing.map((round) => `key ${key}: ${round} is missing`),
      ...late.map((round) => `key ${key}: ${round} is late`),
    ];
  });
}
