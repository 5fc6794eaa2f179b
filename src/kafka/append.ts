import type { KafkaClient } from "./client.ts";
import { closeNowAndAfter, within } from "./deadline.ts";
import { kafkaError } from "./errors.ts";
import { mustHoldAll } from "./sends.ts";
import { nameMissing } from "./topics.ts";

export interface Appender extends AsyncDisposable {
  /**
   * Appends one record, once, without a transaction. Calls are sent in the order they were made.
   * @throws GuardError kafka-down (the record may or may not be written), kafka-refused, topic-missing, record-too-large
   */
  append(
    topic: string,
    partition: number,
    key: Buffer | null,
    value: Buffer | null,
  ): Promise<{ readonly offset: bigint }>;
}

const TIMEOUT_MS = 30_000;

/**
 * Opens an appender for contracts and commands. It is idempotent, so a re-send does not write a second record.
 * @throws GuardError kafka-down, kafka-refused
 */
export async function openAppender(kafka: KafkaClient): Promise<Appender> {
  const producer = kafka.inner.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    retry: { initialRetryTime: 50, multiplier: 2, retries: 12, maxRetryTime: 2_000 },
    createPartitioner: () => (choice) => choice.message.partition ?? 0,
  });
  let work: Promise<unknown> = Promise.resolve();
  const close = () => closeNowAndAfter(work, () => producer.disconnect());
  try {
    work = producer.connect();
    await within(TIMEOUT_MS, "connect", work);
  } catch (error) {
    await close();
    throw kafkaError(error, "connect");
  }
  return {
    async append(topic, partition, key, value) {
      const doing = `append to ${topic}`;
      try {
        const sent = producer.send({ topic, acks: -1, timeout: 10_000, messages: [{ partition, key, value }] });
        work = Promise.allSettled([work, sent]);
        const answer = await within(TIMEOUT_MS, doing, sent);
        mustHoldAll(answer, [{ topic, partition, key, value }]);
        return { offset: BigInt(answer[0]?.baseOffset ?? -1) };
      } catch (error) {
        throw await nameMissing(kafka, kafkaError(error, doing), new Set([topic]));
      }
    },
    [Symbol.asyncDispose]: close,
  };
}
