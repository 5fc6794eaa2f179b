import { expect, test } from "vitest";
import { createTopics, describeTopics, stateTopicConfig } from "../../src/kafka/topics.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { ourClient } from "./place.ts";

test("a topic is created with its settings, and an existing one is left unchanged", async () => {
  const kafka = ourClient();
  const name = uniquePrefix();
  await createTopics(kafka, [{ name, partitions: 1, config: stateTopicConfig }]);
  await createTopics(kafka, [
    { name, partitions: 3 },
    { name: `${name}.new`, partitions: 2 },
  ]);
  const described = await describeTopics(kafka, [name, `${name}.none`]);
  expect(described.get(name)).toMatchObject({ partitions: 1, maxMessageBytes: 1_048_588, cleanupPolicy: "compact" });
  expect(Object.fromEntries(described.get(name)?.config ?? [])).toMatchObject(stateTopicConfig);
  expect((await describeTopics(kafka, [`${name}.new`])).get(`${name}.new`)).toMatchObject({ partitions: 2 });
  expect(described.has(`${name}.none`)).toBe(true);
  expect(described.get(`${name}.none`)).toBeUndefined();
});

test("a setting that the broker does not accept is refused by name", async () => {
  const kafka = ourClient();
  const name = uniquePrefix();
  await expect(createTopics(kafka, [{ name, config: { "cleanup.policy": "nonsense" } }])).rejects.toThrow(
    `[kafka-refused] create topic ${name}: Configuration is invalid`,
  );
  await expect(createTopics(kafka, [{ name: `${name}.one` }, { name: `${name}.two`, partitions: 0 }])).rejects.toThrow(
    `topics ${name}.one, ${name}.two (topic ${name}.two): Number of partitions is invalid`,
  );
  await expect(createTopics(kafka, [{ name: "a/b" }])).rejects.toMatchObject({ code: "kafka-refused" });
});
