import { setTimeout as sleep } from "node:timers/promises";
import { GuardError } from "../errors.ts";
import { createErrorFromCode } from "./cluster.ts";
import { kafkaError, protocolErrorOf } from "./errors.ts";

/** Which errors of a request are tried again, and when. How long in total is the caller's choice. */

/** What the attempts ask and report. */
export interface Attempts {
  /** Throws if there must be no other attempt. */
  readonly mustLive: () => void;
  readonly onRetry: (error: unknown) => void;
}

/** Repeats the work until it succeeds, or fails with an error that would only come again. */
export async function untilDone<T>({ mustLive, onRetry }: Attempts, work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    mustLive();
    try {
      return await work();
    } catch (error) {
      if (!mayPass(error)) throw error;
      onRetry(error);
      await pause(error, tries);
    }
  }
}

/** The pause before the next attempt. The markers of the previous transaction are written within milliseconds. */
export async function pause(error: unknown, tries: number): Promise<void> {
  const growing = 1.2 ** tries;
  await sleep(isConcurrent(error) ? Math.min(20, growing) : Math.min(300, 4 * growing));
}

/** True if the previous transaction is still being completed: normal for the first request after a commit. */
export function isConcurrent(error: unknown): boolean {
  return protocolErrorOf(error)?.type === "CONCURRENT_TRANSACTIONS";
}

/** True if the error may be gone at the next attempt: a broker says so, or the connection failed. */
export function mayPass(error: unknown): boolean {
  if (error instanceof GuardError) return false;
  const answered = protocolErrorOf(error);
  if (answered !== undefined) return answered.retriable;
  return isOfKafkajs(error) && kafkaError(error, "").code === "kafka-down";
}

function isOfKafkajs(error: unknown): boolean {
  return error instanceof Error && error.name.startsWith("KafkaJS");
}

/** The error of an answer, which names the topic that it is about. */
export function refusal(code: number, topic?: string): Error {
  const error = createErrorFromCode(code);
  return topic === undefined ? error : Object.assign(error, { topic });
}
