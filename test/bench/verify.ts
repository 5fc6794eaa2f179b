import { registryDecoder } from "../stack/decode.ts";
import { kafkaClient, uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import type { Contender, Scene } from "./contenders.ts";

/** A round whose events are not exactly its rows gives no figure. */

/** Every how many events one is decoded with avsc and compared with its row. */
const SAMPLE = 997;

/** Checks the events of one round, which begin at this offset. Returns the offset of the next round. */
export async function verifyRound(
  { addresses, database }: Scene,
  { topic, keys, name }: Contender,
  from: bigint,
  first: number,
  last: number,
): Promise<bigint> {
  if (topic === undefined) return from;
  const seen = new Uint8Array(last - first + 1);
  const samples: { readonly id: number; readonly value: Buffer }[] = [];
  let events = 0;
  let next = from;
  const consumer = kafkaClient(addresses.kafka.brokers).consumer({ groupId: `bench.${uniquePrefix()}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      for (const { key, value, offset } of batch.messages) {
        if (key === null || value === null || BigInt(offset) < from) continue;
        const id = keys === "json" ? (JSON.parse(key.toString()) as { id: number }).id : avroId(key); // the table's key
        const at = id - first;
        if (at < 0 || at >= seen.length) throw new Error(`${name} published ${id}, which is not a row of this round`);
        seen[at] = (seen[at] ?? 0) + 1;
        events += 1;
        if (events % SAMPLE === 0) samples.push({ id, value });
      }
      next = BigInt(batch.lastOffset()) + 1n;
    },
  });
  consumer.seek({ topic, partition: 0, offset: from.toString() });
  await until(() => events >= seen.length || undefined, `${name}'s events of a round`, 120_000);
  await consumer.disconnect();
  const wrong = seen.findIndex((count) => count !== 1);
  if (wrong >= 0) throw new Error(`${name} published row ${first + wrong} ${seen[wrong]} times`);
  if (keys === "avro") await compareSamples(addresses.registry.url, samples, database);
  return next;
}

async function compareSamples(
  registry: string,
  samples: readonly { readonly id: number; readonly value: Buffer }[],
  database: Scene["database"],
): Promise<void> {
  const decoder = registryDecoder(registry);
  for (const { id, value } of samples) {
    const { after } = (await decoder.decode(value)) as { readonly after: Readonly<Record<string, unknown>> }; // an envelope
    const [row] = await database.query<{ name: string }>("SELECT name FROM t WHERE id = $1", [id]);
    if (after["id"] === BigInt(id) && after["name"] === row?.name) continue;
    throw new Error(`the event of row ${id} decodes to something else`);
  }
}

/** The key's only field, a long, after 5 bytes of framing. */
function avroId(key: Buffer): number {
  let result = 0;
  for (let at = 5, factor = 1; ; at++, factor *= 128) {
    const byte = key[at] ?? 0;
    result += (byte & 0x7f) * factor;
    if (byte < 0x80) return result / 2;
  }
}
