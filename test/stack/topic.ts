import { randomBytes } from "node:crypto";
import { Kafka, type ITopicConfig, logLevel } from "kafkajs";
import { servers } from "./servers.ts";
import { until } from "./until.ts";

/** A client of the shared broker that logs nothing: new brokers answer "coordinator is loading" for half a second. */
export function kafkaClient(brokers: readonly string[] = servers.kafka.brokers): Kafka {
  return new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 50, retries: 20 } });
}

/** A unique topic prefix, also used as the name of slots, groups and deployments: lower-case letters and digits. */
export function uniquePrefix(): string {
  return `t${randomBytes(5).toString("hex")}`;
}

/** Creates topics, by default with one partition and the broker's settings. Using a topic does not create it. */
export async function createTopics(topics: readonly (string | ITopicConfig)[], kafka = kafkaClient()): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const configs = topics.map((topic) => (typeof topic === "string" ? { topic } : topic));
    await admin.createTopics({ topics: configs, waitForLeaders: false });
    // kafkajs' own wait fails if the broker that it asks does not know the topic yet.
    const names = configs.map(({ topic }) => topic);
    await until(
      async () => {
        const { topics: known } = await admin.fetchTopicMetadata({ topics: names });
        return known.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
      },
      `topics ${names.join(", ")} are led`,
    );
  } finally {
    await admin.disconnect();
  }
}
