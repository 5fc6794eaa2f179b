import { expect, test } from "vitest";
import { collect } from "./collect.ts";
import { freshDatabase } from "./database.ts";
import { registryDecoder } from "./decode.ts";
import { servers } from "./servers.ts";
import { createTopics, kafkaClient, uniquePrefix } from "./topic.ts";

const SCHEMA = {
  type: "record",
  name: "Row",
  fields: [
    { name: "id", type: "long", default: 0 },
    { name: "at", type: ["null", { type: "long", "connect.name": "io.debezium.time.MicroTimestamp" }], default: null },
    { name: "name", type: ["string", "null"] },
  ],
};

async function register(subject: string, schema: unknown): Promise<Response> {
  return fetch(`${servers.registry.url}/subjects/${subject}/versions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ schema: JSON.stringify(schema) }),
  });
}

function framed(id: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeInt32BE(id, 1);
  return Buffer.concat([head, body]);
}

test("bytes of a registered schema are decoded to plain objects with longs as bigints", async () => {
  const { id } = (await (await register(`${uniquePrefix()}-value`, SCHEMA)).json()) as { id: number };
  // The long 2^62 is 2^63 in zigzag encoding, which takes nine bytes of 7 bits.
  const row = Buffer.concat([
    Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]),
    Buffer.from([2, 2]),
    Buffer.from([0, 4]),
    Buffer.from("ab"),
  ]);
  const decoded = await registryDecoder().decode(framed(id, row));
  expect(decoded).toStrictEqual({ id: 2n ** 62n, at: 1n, name: "ab" });
});

test("the registry refuses a field without a default, as its level is BACKWARD", async () => {
  const subject = `${uniquePrefix()}-value`;
  expect((await register(subject, SCHEMA)).status).toBe(200);
  const more = { ...SCHEMA, fields: [...SCHEMA.fields, { name: "zip", type: "string" }] };
  expect((await register(subject, more)).status).toBe(409);
});

test("a collector sees only committed records, in order, even of topics that are created later", async () => {
  const topic = `${uniquePrefix()}.rows`;
  const kafka = kafkaClient();
  await using collector = collect([topic], kafka);
  await createTopics([topic], kafka);
  const producer = kafka.producer({ transactionalId: topic, maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const aborted = await producer.transaction();
  await aborted.send({ topic, messages: [{ key: "a", value: "aborted" }] });
  await aborted.abort();
  const committed = await producer.transaction();
  await committed.send({
    topic,
    messages: [
      { key: "a", value: "1", headers: { h: "x" } },
      { key: "a", value: null },
    ],
  });
  await committed.commit();
  await producer.disconnect();
  const records = await collector.count(2);
  expect(records.map(({ value }) => value?.toString())).toStrictEqual(["1", undefined]);
  expect(records[0]?.headers).toStrictEqual({ h: Buffer.from("x") });
});

test("a collector that reads to the end waits for what is written but not yet committed", async () => {
  const topic = `${uniquePrefix()}.rows`;
  const kafka = kafkaClient();
  await createTopics([topic], kafka);
  await using collector = collect([topic], kafka);
  expect(await collector.toEnd()).toEqual([]);
  const producer = kafka.producer({ transactionalId: topic, maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  for (const [end, count] of [
    ["commit", 1],
    ["abort", 1],
    ["commit", 2],
  ] as const) {
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ key: "a", value: "1" }] });
    let isRead = false;
    const reading = collector.toEnd().then((records) => {
      isRead = true;
      return records.length;
    });
    await collect([topic], kafka)[Symbol.asyncDispose]();
    expect(isRead).toBe(false);
    await transaction[end]();
    expect(await reading).toBe(count);
  }
  await producer.disconnect();
});

test("two databases do not share slots, and a database with a slot can be dropped", async () => {
  const slots = "select slot_name from pg_replication_slots where database = current_database()";
  const slot = uniquePrefix();
  await using other = await freshDatabase();
  {
    await using database = await freshDatabase();
    await database.query(`select pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
    expect(await database.query(slots)).toStrictEqual([{ slot_name: slot }]);
    expect(await other.query(slots)).toStrictEqual([]);
  }
  expect(await other.query("select 1 from pg_replication_slots where slot_name = $1", [slot])).toStrictEqual([]);
});
