import { expect, test } from "vitest";
import { createTopics } from "../../src/kafka/topics.ts";
import { openWriter } from "../../src/kafka/writer.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { maxBytes, ourClient, record } from "./place.ts";

// alone in its file: Node prints a warning of a kind once per process
test("kafkajs prints no warning, neither about its timers nor about its partitioner", async () => {
  const log: string[] = [];
  const warnings: string[] = [];
  const note = (warning: Error) => warnings.push(warning.name);
  process.on("warning", note);
  const kafka = ourClient(log);
  const topic = uniquePrefix();
  await createTopics(kafka, [{ name: topic }]);
  await using writer = await openWriter(kafka, { transactionalId: topic, maxBytes });
  for (let count = 0; count < 5; count++) await writer.commit([record(topic, "x")]);
  process.off("warning", note);
  expect(warnings).toStrictEqual([]);
  expect(log.filter((line) => /partitioner|concurrent operation|Limiting retries/.test(line))).toStrictEqual([]);
});
