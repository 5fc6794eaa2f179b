import { createRequire } from "node:module";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type KafkaClient, kafkaClient } from "../../src/kafka/client.ts";
import { rejectIfShort } from "../../src/kafka/replicas.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const TOPIC = "inventory.public.customers";

/** A cluster whose topic has this many replicas in sync and asks for two. */
function clusterWith(inSync: number, refusedForReplicasAt: KafkaClient["refusedForReplicasAt"]): KafkaClient {
  const isr = Array.from({ length: inSync }, (_, broker) => broker);
  const admin = {
    connect: async () => {},
    disconnect: async () => {},
    fetchTopicMetadata: async () => ({ topics: [{ name: TOPIC, partitions: [{ isr: [0, 1] }, { isr }] }] }),
    describeConfigs: async () => ({
      resources: [{ resourceName: TOPIC, configEntries: [{ configName: "min.insync.replicas", configValue: "2" }] }],
    }),
  };
  const inner = { admin: () => admin } as unknown as KafkaClient["inner"]; // as much of it as is used
  return { clientId: "test", brokers: [], deployment: "main", inner, refusedForReplicasAt };
}

async function outcomeAfter(ms: number, kafka: KafkaClient): Promise<unknown> {
  using short = rejectIfShort(kafka, `commit to ${TOPIC}`, [TOPIC], 4000);
  let outcome: unknown = "pending";
  short.rejected.catch((error: unknown) => (outcome = error));
  await vi.advanceTimersByTimeAsync(ms);
  return outcome;
}

describe("a commit that a broker refuses because too few replicas are in sync", () => {
  it("fails within seconds, with the topic, both numbers and what to do", async () => {
    expect(
      await outcomeAfter(
        4100,
        clusterWith(1, () => performance.now()),
      ),
    ).toMatchObject({
      code: "kafka-down",
      text: `commit to ${TOPIC}: fewer replicas are in sync than min.insync.replicas asks for: ${TOPIC} has 1 of 2 [NOT_ENOUGH_REPLICAS]`,
      next: expect.stringContaining("start the brokers that are missing") as unknown,
    });
  });

  it.each<[what: string, inSync: number, refusedAt: () => number | undefined]>([
    ["no broker has refused it", 1, () => undefined],
    ["the refusal is older than the commit", 1, () => -1],
    ["the replicas are back", 2, () => performance.now()],
  ])("goes on if %s", async (_, inSync, refusedAt) => {
    expect(await outcomeAfter(20_000, clusterWith(inSync, refusedAt))).toBe("pending");
  });
});

describe("kafkajs", () => {
  it("logs the refusal in words that are recognized", () => {
    const { errorCodes } = createRequire(import.meta.url)("kafkajs/src/protocol/error.js") as {
      readonly errorCodes: readonly { readonly type: string; readonly message: string }[];
    }; // kafkajs has no types for its internals; this is the shape in 2.2.4
    for (const type of ["NOT_ENOUGH_REPLICAS", "NOT_ENOUGH_REPLICAS_AFTER_APPEND"]) {
      const client = kafkaClient({ brokers: ["localhost:1"], clientId: "test" });
      const message = errorCodes.find((one) => one.type === type)?.message ?? "";
      client.inner.logger().error("Failed to send messages: a broker is away");
      expect(client.refusedForReplicasAt()).toBeUndefined();
      client.inner.logger().error(`Failed to send messages: ${message}`);
      expect(client.refusedForReplicasAt()).toBeTypeOf("number");
    }
  });
});
