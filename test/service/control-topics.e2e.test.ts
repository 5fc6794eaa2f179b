import { eachContract } from "../../src/contract/contracts.ts";
import { expect, test } from "vitest";

import { unreadableContract } from "../../src/contract/contract.ts";
import { openAppender } from "../../src/kafka/append.ts";
import { openControlTopics, renderCommand } from "../../src/service/control-topics.ts";
import {
  commandsTopicConfig,
  contractsTopicConfig,
  createTopics,
  describeTopics,
  withAdmin,
} from "../../src/kafka/topics.ts";
import { until } from "../stack/until.ts";
import { ourClient } from "../kafka/place.ts";
import { uniquePrefix } from "../stack/topic.ts";

const READABLE = {
  version: 1,
  environment: "default",
  consumer: "audit",
  topic: "shop.public.t",
  decodesWith: "writer",
  unknownFields: "accept",
};

test("a contract that cannot be read counts for its consumer as unreadable until it is replaced or withdrawn", async () => {
  const kafka = ourClient();
  const warned: string[] = [];
  const log = { info: () => {}, warn: (line: string) => void warned.push(line) };
  await using appender = await openAppender(kafka);
  await using topics = await openControlTopics(kafka, uniquePrefix(), log, () => {}, appender);
  const append = (key: string, value: string | null) =>
    appender.append(topics.topics.contracts, 0, Buffer.from(key), value === null ? null : Buffer.from(value));
  const contracts = async () => {
    await topics.readContractsToEnd();
    return [...eachContract(topics.contracts())].map(([key, { consumer, unreadable }]) => [
      key,
      consumer,
      unreadable === true,
    ]);
  };

  const later = JSON.stringify({ ...READABLE, consumer: "billing", samples: [] });
  await append("default/billing/shop.public.t", later);
  await append("default/billing/shop.public.t/0123456789abcdef", "not JSON");
  await append("default/audit/shop.public.t", JSON.stringify(READABLE));
  await append("somebody else's key", "not JSON");
  expect(await contracts()).toEqual([
    ["default/billing/shop.public.t", "billing", true],
    ["default/billing/shop.public.t/0123456789abcdef", "billing", true],
    ["default/audit/shop.public.t", "audit", false],
  ]);
  expect(warned).toHaveLength(3);
  expect(warned[0]).toContain("cannot be read, so its consumer's verdict is unknown");

  await append("default/audit/shop.public.t", later);
  await append("default/billing/shop.public.t", JSON.stringify({ ...READABLE, consumer: "billing" }));
  await append("default/billing/shop.public.t/0123456789abcdef", null);
  expect(await contracts()).toEqual([
    ["default/billing/shop.public.t", "billing", false],
    ["default/audit/shop.public.t", "audit", true],
  ]);
});

test("contracts count after their topic was deleted and made again, also for a service that starts later", async () => {
  const kafka = ourClient();
  const log = { info: () => {}, warn: () => {} };
  const prefix = uniquePrefix();
  await using appender = await openAppender(kafka);
  const topic = `__fieldgate.${prefix}.contracts`;
  const publish = (consumer: string) =>
    appender.append(
      topic,
      0,
      Buffer.from(`default/${consumer}/shop.public.t`),
      Buffer.from(JSON.stringify({ ...READABLE, consumer })),
    );
  const consumersIn = async (topics: Awaited<ReturnType<typeof openControlTopics>>) => {
    await topics.readContractsToEnd();
    return [...eachContract(topics.contracts())].map(([, { consumer }]) => consumer).sort();
  };
  {
    await using topics = await openControlTopics(kafka, prefix, log, () => {}, appender);
    for (const consumer of ["a", "b", "c"]) await publish(consumer);
    expect(await consumersIn(topics)).toEqual(["a", "b", "c"]);
    await withAdmin(kafka, "delete the topic", (admin) => admin.deleteTopics({ topics: [topic] }));
    await until(async () => (await describeTopics(kafka, [topic])).get(topic) === undefined, "the topic is gone");
    await createTopics(kafka, [{ name: topic, partitions: 1, config: contractsTopicConfig }]);
    await publish("late");
    expect(await consumersIn(topics)).toEqual(["a", "b", "c", "late"]);
    await publish("later");
    expect(await consumersIn(topics)).toEqual(["a", "b", "c", "late", "later"]);
  }
  await using again = await openControlTopics(kafka, prefix, log, () => {}, appender);
  expect(await consumersIn(again)).toEqual(["a", "b", "c", "late", "later"]);
});

test.each([
  ["deleted", false],
  ["deleted and made again", true],
])("commands are read after their topic was %s", async (_, isMadeAgain) => {
  const kafka = ourClient();
  const warned: string[] = [];
  const log = { info: () => {}, warn: (line: string) => void warned.push(line) };
  await using appender = await openAppender(kafka);
  await using topics = await openControlTopics(kafka, uniquePrefix(), log, () => {}, appender);
  const topic = topics.topics.commands;
  const seen: string[] = [];
  using _listening = topics.of("shop").listen(0n, { contract: () => {}, command: ({ id }) => void seen.push(id) });
  const send = async (id: string) => {
    await topics.followCommands();
    const text = renderCommand("shop", { id, kind: "release", ids: ["shop.public.t/3"], actor: "anna" });
    await appender.append(topic, 0, Buffer.from("shop"), Buffer.from(text));
    await until(() => seen.at(-1) === id, `${id} is read`);
  };
  await send("first");
  await send("second");
  expect(warned).toEqual([]);
  await withAdmin(kafka, "delete the topic", (admin) => admin.deleteTopics({ topics: [topic] }));
  await until(async () => (await describeTopics(kafka, [topic])).get(topic) === undefined, "the topic is gone");
  if (isMadeAgain) await createTopics(kafka, [{ name: topic, partitions: 1, config: commandsTopicConfig }]);
  await send("third");
  await send("fourth");
  expect(seen).toEqual(["first", "second", "third", "fourth"]);
  expect(warned).toEqual([`${topic} was deleted or made again: commands without an outcome have to be given again`]);
});

test("a contract that is missing counts with an unknown content until it is withdrawn; one that was withdrawn does not", async () => {
  const kafka = ourClient();
  const warned: string[] = [];
  const log = { info: () => {}, warn: (line: string) => void warned.push(line) };
  await using appender = await openAppender(kafka);
  await using topics = await openControlTopics(kafka, uniquePrefix(), log, () => {}, appender);
  const withdraw = async (consumer: string) => {
    await appender.append(topics.topics.contracts, 0, Buffer.from(`default/${consumer}/shop.public.t`), null);
    await topics.readContractsToEnd();
  };
  await withdraw("retired");
  const lost = ["retired", "billing"].flatMap(
    (consumer) => unreadableContract(`default/${consumer}/shop.public.t`) ?? [],
  );
  topics.of("shop").missing(lost);
  expect([...eachContract(topics.contracts())].map(([, { consumer }]) => consumer)).toEqual(["billing"]);
  expect(warned).toHaveLength(1);
  await withdraw("billing");
  expect(topics.contracts().size).toBe(0);
});
