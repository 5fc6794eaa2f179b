import { expect, test } from "vitest";
import { createTopic, describeTopics, stateTopicConfig } from "../../src/kafka/topics.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { ourClient } from "./place.ts";

test("a topic is created with its settings, and an existing one is left unchanged", async () => {
  const kafka = ourClient();
  const name = uniquePrefix();
  expect(await createTopic(kafka, { name, partitions: 1, config: stateTopicConfig })).toBe("created");
  expect(await createTopic(kafka, { name, partitions: 3 })).toBe("exists");
  const described = await describeTopics(kafka, [name, `${name}.none`]);
  expect(described.get(name)).toMatchObject({ partitions: 1, maxMessageBytes: 1_048_588, cleanupPolicy: "compact" });
  expect(Object.fromEntries(described.get(name)?.config ?? [])).toMatchObject(stateTopicConfig);
  expect(described.has(`${name}.none`)).toBe(true);
  expect(described.get(`${name}.none`)).toBeUndefined();
});

test("a setting that the broker does not accept is refused by name", async () => {
  const kafka = ourClient();
  const name = uniquePrefix();
  await expect(createTopic(kafka, { name, config: { "cleanup.policy": "nonsense" } })).rejects.toThrow(
    `[kafka-refused] create topic ${name}: Configuration is invalid`,
  );
  await expect(createTopic(kafka, { name: "a/b" })).rejects.toMatchObject({ code: "kafka-refused" });
});
