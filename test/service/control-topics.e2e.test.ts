import { expect, test } from "vitest";

import { openAppender } from "../../src/kafka/append.ts";
import { openControlTopics } from "../../src/service/control-topics.ts";
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
  await using topics = await openControlTopics(kafka, uniquePrefix(), log, () => {});
  await using appender = await openAppender(kafka);
  const append = (key: string, value: string | null) =>
    appender.append(topics.topics.contracts, 0, Buffer.from(key), value === null ? null : Buffer.from(value));
  const contracts = async () => {
    await topics.readContractsToEnd();
    return [...topics.contracts()].map(([key, { consumer, unreadable }]) => [key, consumer, unreadable === true]);
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
