import { GuardError } from "../errors.ts";
import type { KafkaClient } from "./client.ts";
import { configsOf, withAdmin } from "./topics.ts";

/**
 * Brokers refuse to write to a partition with fewer replicas in sync than min.insync.replicas. kafkajs tries
 * this again for as long as it may, so a commit would only end with its deadline and without a reason.
 */

/** The error for the topics that lack replicas; undefined if none does, or if that cannot be found out. */
async function missingReplicas(
  kafka: KafkaClient,
  doing: string,
  topics: readonly string[],
): Promise<GuardError | undefined> {
  try {
    const short = await withAdmin(kafka, "look at replicas", async (admin) => {
      const { topics: described } = await admin.fetchTopicMetadata({ topics: [...topics] });
      const configs = await configsOf(admin, topics);
      return described.flatMap(({ name, partitions }) => {
        const need = Number(configs.get(name)?.get("min.insync.replicas") ?? 1);
        const [least] = partitions.map(({ isr }) => isr.length).toSorted((left, right) => left - right);
        return least === undefined || least >= need ? [] : [`${name} has ${least} of ${need}`];
      });
    });
    if (short.length === 0) return undefined;
    const what = `fewer replicas are in sync than min.insync.replicas asks for: ${short.slice(0, 5).join(", ")}`;
    return new GuardError("kafka-down", `${doing}: ${what} [NOT_ENOUGH_REPLICAS]`, {
      next: "start the brokers that are missing, or lower min.insync.replicas of the topic",
    });
  } catch {
    return undefined;
  }
}

/**
 * Rejects with that error if, `ms` or more after this call, a broker has refused to write for this reason and replicas
 * are still missing. Otherwise it remains pending. Newer brokers ask for no more replicas than a topic has, so the
 * settings alone prove nothing.
 */
export function rejectIfShort(
  kafka: KafkaClient,
  doing: string,
  topics: readonly string[],
  ms: number,
): { readonly rejected: Promise<never> } & Disposable {
  const { promise: rejected, reject } = Promise.withResolvers<never>();
  const begun = performance.now();
  const timer = setInterval(() => {
    const refusedAt = kafka.refusedForReplicasAt();
    if (refusedAt === undefined || refusedAt < begun) return;
    void missingReplicas(kafka, doing, topics).then((error) => {
      if (error !== undefined) reject(error);
      return undefined;
    });
  }, ms);
  // The commit may have ended before.
  rejected.catch(() => {});
  return { rejected, [Symbol.dispose]: () => clearInterval(timer) };
}
