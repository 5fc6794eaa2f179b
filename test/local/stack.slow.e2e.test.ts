import { expect, test } from "vitest";
import { startStack } from "../../local/stack.ts";
import { collect } from "../stack/collect.ts";
import { createTopics, kafkaClient } from "../stack/topic.ts";

async function register(url: string): Promise<unknown> {
  const answer = await fetch(`${url}/subjects/a-value/versions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ schema: '{"type":"record","name":"R","fields":[{"name":"id","type":"long"}]}' }),
  });
  return answer.json();
}

test("Kafka, and a registry that stores its data in Kafka, keep their data after kill -9", async () => {
  await using stack = await startStack({ postgres: false, registryInKafka: true });
  const { brokers } = stack.kafka;
  await createTopics(["rows"], kafkaClient(brokers));
  const producer = kafkaClient(brokers).producer();
  await producer.connect();
  await producer.send({ topic: "rows", messages: [{ value: "before" }] });
  await producer.disconnect();
  const registered = await register(stack.registry.url);

  await stack.kill("registry");
  await stack.kill("kafka");
  await stack.restart("kafka");
  await stack.restart("registry");

  await using rows = collect(["rows"], kafkaClient(brokers));
  expect((await rows.count(1)).map(({ value }) => value?.toString())).toStrictEqual(["before"]);
  expect(await (await fetch(`${stack.registry.url}/config`)).json()).toStrictEqual({ compatibilityLevel: "BACKWARD" });
  expect(await register(stack.registry.url)).toStrictEqual(registered);
}, 240_000);
