import type { KafkaClient } from "./client.ts";
import { within } from "./deadline.ts";
import { kafkaError } from "./errors.ts";

export interface Appender extends AsyncDisposable {
  /**
   * Appends one record, once, without a transaction; calls are sent in the order made.
   * @throws GuardError kafka-down (it may be written or not), kafka-refused, topic-missing, record-too-large
   */
  append(
    topic: string,
    partition: number,
    key: Buffer | null,
    value: Buffer | null,
  ): Promise<{ readonly offset: bigint }>;
}

const TIMEOUT_MS = 30_000;

/** For contracts and commands: idempotent, so a re-send is not a second record. @throws GuardError kafka-down, kafka-refused */
export async function openAppender(kafka: KafkaClient): Promise<Appender> {
  const producer = kafka.inner.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    retry: { initialRetryTime: 50, multiplier: 2, retries: 20, maxRetryTime: 2_000 },
    createPartitioner: () => (choice) => choice.message.partition ?? 0,
  });
  const close = () => producer.disconnect().catch(() => {}); // nothing is lost by a close that fails
  try {
    await within(TIMEOUT_MS, "connect", producer.connect());
  } catch (error) {
    await close();
    throw kafkaError(error, "connect");
  }
  return {
    async append(topic, partition, key, value) {
      const doing = `append to ${topic}`;
      try {
        const sent = producer.send({ topic, acks: -1, timeout: 10_000, messages: [{ partition, key, value }] });
        const [answer] = await within(TIMEOUT_MS, doing, sent);
        return { offset: BigInt(answer?.baseOffset ?? -1) };
      } catch (error) {
        throw kafkaError(error, doing);
      }
    },
    [Symbol.asyncDispose]: close,
  };
}
