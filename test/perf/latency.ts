/**
 * How long a committed row takes to reach a read-committed consumer, compared with a bare kafkajs transaction of one event
 * and one state record on the same broker. The rounds alternate; the result is the ratio of the medians. Run
 * `npm run perf:latency`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Producer } from "kafkajs";
import { createTopics, kafkaClient, uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { consume, idOf, percentile, type Scene, scene } from "./scene.ts";

const ROUNDS = 5;
const ROWS = 600;
const EVERY_MS = 5;
const BARE = 150;

await using world = await scene("create table t (id bigint primary key, a text)");
const seen = new Map<bigint, number>();
await using _consumer = await consume(world, (value) => {
  const id = idOf(value);
  if (id !== undefined) seen.set(id, performance.now());
});
const bareTopic = `bare-${uniquePrefix()}`;
await createTopics([bareTopic], kafkaClient(world.addresses.kafka.brokers));
const producer = kafkaClient(world.addresses.kafka.brokers).producer({
  transactionalId: bareTopic,
  idempotent: true,
  maxInFlightRequests: 1,
  retry: { initialRetryTime: 1, multiplier: 1.2, retries: 200 },
});
await producer.connect();
const bare: number[] = [];
const ours: number[] = [];
await bareRound(producer, bareTopic);
bare.length = 0;
for (let round = 0; round < ROUNDS; round++) {
  await bareRound(producer, bareTopic);
  await rowsRound(world, round);
}
await producer.disconnect();
const ratio = percentile(ours, 0.5) / percentile(bare, 0.5);
const line = (values: readonly number[]) =>
  `p50 ${percentile(values, 0.5).toFixed(1)} ms, p99 ${percentile(values, 0.99).toFixed(1)} ms, n ${values.length}`;
console.log(`bare kafkajs transaction: ${line(bare)}`);
console.log(`row committed -> readable, at ${1000 / EVERY_MS}/s: ${line(ours)}`);
console.log(`ratio of medians ${ratio.toFixed(2)} (at most 3)`);
process.exitCode = ratio <= 3 ? 0 : 1;

async function bareRound(to: Producer, topic: string): Promise<void> {
  for (let i = 0; i < BARE; i++) {
    const begun = performance.now();
    const transaction = await to.transaction();
    const value = Buffer.alloc(300, i);
    await transaction.send({ topic, messages: [{ partition: 0, key: "event", value }] });
    await transaction.send({ topic, messages: [{ partition: 0, key: "state", value: "position" }] });
    await transaction.commit();
    bare.push(performance.now() - begun);
  }
}

async function rowsRound({ database }: Scene, round: number): Promise<void> {
  const committed = new Map<bigint, number>();
  const begun = performance.now();
  for (let i = 0; i < ROWS; i++) {
    const id = BigInt(round * ROWS + i + 1);
    await database.query("insert into t values ($1, 'row')", [id.toString()]);
    committed.set(id, performance.now());
    const ahead = (i + 1) * EVERY_MS - (performance.now() - begun);
    if (ahead > 0) await sleep(ahead);
  }
  await until(() => [...committed.keys()].every((id) => seen.has(id)), "all rows are readable");
  // A row can be readable before the commit has returned to the writer; that counts as 0.
  for (const [id, at] of committed) ours.push(Math.max(0, (seen.get(id) ?? Number.NaN) - at));
}
