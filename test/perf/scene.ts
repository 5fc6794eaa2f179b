import { readFile } from "node:fs/promises";
import { environmentAddresses, type Addresses } from "../../local/environment.ts";
import { startStack } from "../../local/stack.ts";
import { type Service, startService } from "../e2e/service.ts";
import { type Database, freshDatabase } from "../stack/database.ts";
import { kafkaClient, uniquePrefix } from "../stack/topic.ts";

/** Starts the service on the real stack, with one captured table of this definition. */
export interface Scene extends AsyncDisposable {
  readonly addresses: Addresses;
  readonly database: Database;
  readonly service: Service;
  readonly topic: string;
}

export async function scene(table: string, snapshotMs?: number): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const addresses = process.env["FIELDGATE_STACK"] === "env" ? environmentAddresses() : stack.use(await startStack());
  const database = stack.use(await freshDatabase(addresses.postgres));
  await database.query(table);
  const prefix = uniquePrefix();
  const service = stack.use(
    await startService({
      database: database.address,
      prefix,
      tables: ["public.t"],
      registryUrl: addresses.registry.url,
      kafkaBrokers: addresses.kafka.brokers,
    }),
  );
  await service.idle(snapshotMs);
  const open = stack.move();
  const topic = `${prefix}.public.t`;
  return { addresses, database, service, topic, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/** Calls back with the value of every committed record of a topic, from its beginning. */
export async function consume(
  { addresses, topic }: Pick<Scene, "addresses" | "topic">,
  onValue: (value: Buffer | null) => void,
): Promise<AsyncDisposable> {
  const consumer = kafkaClient(addresses.kafka.brokers).consumer({
    groupId: `fieldgate.test.${uniquePrefix()}`,
    maxWaitTimeInMs: 20,
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      for (const message of batch.messages) onValue(message.value);
    },
  });
  return { [Symbol.asyncDispose]: () => consumer.disconnect() };
}

/** A process's peak memory so far (VmHWM, only on Linux). */
export async function readPeakMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** `after.id` of an event. The 5 bytes of framing are followed by before = null (0), after (2) and id as a zigzag long. */
export function idOf(value: Buffer | null): bigint | undefined {
  if (value === null || value[5] !== 0) return undefined;
  let result = 0n;
  for (let at = 7, shift = 0n; ; at++, shift += 7n) {
    const byte = value[at];
    if (byte === undefined) return undefined;
    result |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return result >> 1n;
  }
}
