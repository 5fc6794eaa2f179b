import kafkajs from "kafkajs";
import { expect, it } from "vitest";
import { startStack } from "../../local/stack.ts";
import { kafkaClient as ourKafka } from "../../src/kafka/client.ts";
import { liveGroups } from "../../src/kafka/groups.ts";
import { until } from "../stack/until.ts";
import { createTopics, kafkaClient, uniquePrefix } from "../stack/topic.ts";
import { freshDatabase } from "../stack/database.ts";
import { startFakeSlack } from "../slack/fake-slack.ts";
import { startService } from "./service.ts";

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

/** A broker of its own, on which everybody may do what no access list forbids. */
const brokerWithRights = () =>
  startStack({
    postgres: false,
    registry: false,
    kafkaProperties: {
      "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      "allow.everyone.if.no.acl.found": "true",
    },
  });

async function deny(right: "READ" | "WRITE", brokers: readonly string[], topic: string): Promise<void> {
  const admin = kafkaClient(brokers).admin();
  await admin.connect();
  try {
    await admin.createAcls({
      acl: [
        {
          resourceType: AclResourceTypes.TOPIC,
          resourceName: topic,
          resourcePatternType: ResourcePatternTypes.LITERAL,
          principal: "User:ANONYMOUS",
          host: "*",
          operation: AclOperationTypes[right],
          permissionType: AclPermissionTypes.DENY,
        },
        {
          resourceType: AclResourceTypes.TOPIC,
          resourceName: topic,
          resourcePatternType: ResourcePatternTypes.LITERAL,
          principal: "User:ANONYMOUS",
          host: "*",
          operation: AclOperationTypes.ALL,
          permissionType: AclPermissionTypes.ALLOW,
        },
      ],
    });
  } finally {
    await admin.disconnect();
  }
}

it("a data topic without the right to write stops the connector with its name, and nothing is acknowledged", async () => {
  await using own = await brokerWithRights();
  const { brokers } = own.kafka;
  await using database = await freshDatabase();
  await database.query("create table t (id int primary key, a text)");
  const prefix = uniquePrefix();
  const topic = `${prefix}.public.t`;
  await createTopics([topic], kafkaClient(brokers));
  await deny("WRITE", brokers, topic);
  await using service = await startService({
    database: database.address,
    prefix,
    tables: ["public.t"],
    kafkaBrokers: brokers,
  });
  await database.query("insert into t values (1, 'one')");
  expect(await service.exited).toBe(1);
  expect(service.output()).toContain("kafka-refused");
  expect(service.output()).toContain(topic);
  // A mark from before the row may have been acknowledged, but not the row: the slot still has it.
  const left = `select from pg_replication_slots s,
      pg_logical_slot_peek_binary_changes(slot_name, null, null, 'proto_version', '1', 'publication_names',
        (select pubname from pg_publication)) as c
    where s.database = current_database() and get_byte(c.data, 0) = ascii('I')`;
  const rows = await until(async () => database.query(left), "the slot is free");
  expect(rows).toHaveLength(1);
});

it.each(["contracts", "commands"])(
  "the right to read %s is withdrawn: the end names the topic, and is logged and alerted once",
  async (kind) => {
    await using own = await brokerWithRights();
    const { brokers } = own.kafka;
    await using database = await freshDatabase();
    await database.query("create table t (id int primary key, a text)");
    await using slack = await startFakeSlack();
    const prefix = uniquePrefix();
    await using service = await startService({
      database: database.address,
      prefix,
      tables: ["public.t"],
      kafkaBrokers: brokers,
      env: { FIELDGATE_SLACK_WEBHOOK_URL: slack.url },
    });
    const topic = `__fieldgate.${prefix}.${kind}`;
    await deny("READ", brokers, topic);
    expect(await service.exited).toBe(1);
    const errors = service
      .output()
      .split("\n")
      .filter((line) => line.includes('"level":50'));
    expect(errors).toEqual([expect.stringMatching(`kafka-refused.*${topic}`)]);
    const alerts = slack.payloads.filter((payload) => JSON.stringify(payload).includes(topic));
    expect(alerts).toHaveLength(1);
  },
);

it("groups that may not be described are unknown, although the broker silently lists none", async () => {
  await using own = await brokerWithRights();
  const kafka = ourKafka({ brokers: own.kafka.brokers, clientId: "t" });
  expect(await liveGroups(kafka, ["t"])).toMatchObject({ kind: "seen" });
  const admin = kafka.inner.admin();
  await admin.connect();
  const group = { resourceType: AclResourceTypes.GROUP, resourcePatternType: ResourcePatternTypes.LITERAL, host: "*" };
  const others = { operation: AclOperationTypes.READ, permissionType: AclPermissionTypes.ALLOW };
  await admin.createAcls({ acl: [{ ...group, ...others, resourceName: "*", principal: "User:anna" }] });
  await admin.disconnect();
  await until(async () => (await liveGroups(kafka, ["t"])).kind === "unknown", "the right is gone");
});
