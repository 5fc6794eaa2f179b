import { expect, it } from "vitest";
import type { Connections } from "../../src/kafka/connections.ts";
import type { OutRecord } from "../../src/kafka/record.ts";
import { refusal } from "../../src/kafka/retries.ts";
import { openTransactions } from "../../src/kafka/transaction.ts";
import { classicReader } from "../../src/kafka/wire/classic.ts";
import type { WriteRequest } from "../../src/kafka/write-requests.ts";

/**
 * Brokers that fail in the ways that a real one cannot be made to. Their answers have the real ones' form, because our own
 * requests read them; test/kafka/writer.e2e.test.ts and test/e2e/brokers.slow.e2e.test.ts have real ones.
 */

const NAMES = new Map([
  [0, "produce"],
  [10, "find"],
  [22, "init"],
  [24, "add"],
  [26, "end"],
]);

interface Asked {
  readonly name: string;
  readonly node: number | undefined;
  readonly body: Buffer;
}

type Failed = number | Error | undefined;
/** The number of an error for this request, or an error of the connection; undefined for none. It may take its time. */
type Fault = (asked: Asked, nth: number) => Failed | Promise<Failed>;

function cluster(leaders: () => readonly number[], fault: Fault = () => undefined) {
  const asked: Asked[] = [];
  const connections: Connections = {
    connect: async () => {},
    disconnect: async () => {},
    leadersOf: async (topics) => new Map([...topics].map((topic) => [topic, new Map(leaders().entries())])),
    async send(node, request) {
      const one: Asked = { name: NAMES.get(request.key) ?? "?", node, body: Buffer.concat(request.body) };
      asked.push(one);
      const nth = asked.filter(({ name }) => name === one.name).length;
      const failed = (await fault(one, nth)) ?? 0;
      if (typeof failed !== "number") throw failed;
      return answerOf(request, one, failed);
    },
  };
  const transactions = openTransactions(connections, {
    transactionalId: "id",
    timeoutMs: 15_000,
    mustLive: () => {},
    onRetry: () => {},
    onWritten: () => {},
  });
  return { transactions, asked, names: () => asked.map(({ name, node }) => `${name}@${node ?? "any"}`) };
}

function answerOf<T>(request: WriteRequest<T>, { name, body }: Asked, error: number): T {
  const message = Buffer.alloc(1_000);
  let at = 0;
  const int16 = (value: number) => (at = message.writeInt16BE(value, at));
  const int32 = (value: number) => (at = message.writeInt32BE(value, at));
  const skip = (bytes: number) => (at += bytes);
  if (name !== "produce") int32(0); // no throttling
  if (name === "find" || name === "init" || name === "end") int16(error);
  if (name === "find") {
    int16(-1); // no text
    int32(1);
  }
  if (name === "add" || name === "produce") {
    const partitions = partitionsIn(name, body);
    int32(1);
    int16(1);
    at += message.write("t", at);
    int32(partitions.length);
    for (const partition of partitions) {
      int32(partition);
      int16(error);
      if (name === "produce") skip(24);
    }
  }
  return request.read(classicReader(message)).answer;
}

function partitionsIn(name: string, body: Buffer): readonly number[] {
  // Before the topic's partitions: the id, what differs, the number of topics, and the topic.
  const start = 4 + (name === "add" ? 10 : 6) + 4 + 3;
  let at = start + 4;
  const found = [];
  for (let left = body.readInt32BE(start); left > 0; left--) {
    found.push(body.readInt32BE(at));
    at += name === "add" ? 4 : 8 + body.readInt32BE(at + 4);
  }
  return found;
}

const record = (partition: number, value = "v"): OutRecord => {
  return { topic: "t", partition, key: null, value: Buffer.from(value) };
};
const CONCURRENT_TRANSACTIONS = 51;
const NOT_LEADER = 6;
const DUPLICATE_SEQUENCE_NUMBER = 46;
const OUT_OF_ORDER_SEQUENCE_NUMBER = 45;
const NOT_COORDINATOR = 16;

it("all partitions are added before anything is produced, with one request for each leader", async () => {
  const { transactions, names } = cluster(() => [1, 2, 1]);
  await transactions.run([[record(0), record(1), record(2)], [record(0)]]);
  expect(names()).toEqual(["find@any", "init@1", "add@1", "produce@1", "produce@2", "produce@1", "end@1"]);
});

it("after a commit only the request that was refused is repeated", async () => {
  const { transactions, names } = cluster(
    () => [1, 2],
    ({ name }, nth) => (name === "add" && nth <= 3 ? CONCURRENT_TRANSACTIONS : undefined),
  );
  await transactions.run([[record(0), record(1)]]);
  expect(names()).toEqual([
    "find@any",
    "init@1",
    "add@1",
    "add@1",
    "add@1",
    "add@1",
    "produce@1",
    "produce@2",
    "end@1",
  ]);
});

it("a leader's request is repeated by itself, with the same bytes", async () => {
  const { transactions, asked, names } = cluster(
    () => [1, 2],
    ({ name, node }, nth) => (name === "produce" && node === 2 && nth <= 3 ? CONCURRENT_TRANSACTIONS : undefined),
  );
  await transactions.run([[record(0), record(1)]]);
  expect(names().slice(3)).toEqual(["produce@1", "produce@2", "produce@2", "produce@2", "end@1"]);
  const [first, ...others] = asked.filter(({ name, node }) => name === "produce" && node === 2);
  for (const other of others) expect(other.body).toEqual(first?.body);
});

it("a batch whose leader has moved goes to the new leader with the same bytes, and nothing else is sent again", async () => {
  let moved = false;
  const { transactions, asked, names } = cluster(
    () => (moved ? [1, 3] : [1, 2]),
    ({ name, node }) => {
      if (name !== "produce" || node !== 2) return undefined;
      moved = true;
      return NOT_LEADER;
    },
  );
  await transactions.run([[record(0), record(1)]]);
  expect(names().slice(3)).toEqual(["produce@1", "produce@2", "produce@3", "end@1"]);
  const [, refused, accepted] = asked.filter(({ name }) => name === "produce");
  expect(accepted?.body).toEqual(refused?.body);
});

it("a request whose connection broke is repeated with the same bytes; having it already is success", async () => {
  const { transactions, asked } = cluster(
    () => [1],
    ({ name }, nth) => {
      if (name !== "produce") return undefined;
      return nth === 1
        ? Object.assign(new Error("gone"), { name: "KafkaJSConnectionClosedError" })
        : DUPLICATE_SEQUENCE_NUMBER;
    },
  );
  await transactions.run([[record(0)]]);
  const [first, second, ...more] = asked.filter(({ name }) => name === "produce");
  expect(second?.body).toEqual(first?.body);
  expect(more).toEqual([]);
});

it("an error that would only come again aborts the transaction at once, after every leader has answered", async () => {
  const answered: string[] = [];
  const { transactions, names } = cluster(
    () => [1, 2],
    async ({ name, node }) => {
      if (name === "produce" && node === 1) return OUT_OF_ORDER_SEQUENCE_NUMBER;
      if (name === "produce") await new Promise(setImmediate); // later than the other leader
      answered.push(`${name}@${node ?? "any"}`);
      return undefined;
    },
  );
  await expect(transactions.run([[record(0), record(1)], [record(1)]])).rejects.toMatchObject({
    type: "OUT_OF_ORDER_SEQUENCE_NUMBER",
    topic: "t",
  });
  expect(names().slice(3)).toEqual(["produce@1", "produce@2", "end@1"]);
  expect(answered.slice(-2)).toEqual(["produce@2", "end@1"]);
});

it("once a leader has refused for good, the requests to other leaders are not repeated", async () => {
  const { transactions, names } = cluster(
    () => [1, 2],
    ({ name, node }, nth) => {
      if (name !== "produce" || nth > 20) return undefined;
      return node === 1 ? OUT_OF_ORDER_SEQUENCE_NUMBER : NOT_LEADER;
    },
  );
  await expect(transactions.run([[record(0), record(1)]])).rejects.toMatchObject({
    type: "OUT_OF_ORDER_SEQUENCE_NUMBER",
  });
  expect(names().slice(3)).toEqual(["produce@1", "produce@2", "end@1"]);
});

it("a commit is repeated until the coordinator has it, which is looked for again if it moved", async () => {
  const { transactions, names } = cluster(
    () => [1],
    ({ name }, nth) => {
      if (name !== "end" || nth > 2) return undefined;
      return nth === 1 ? CONCURRENT_TRANSACTIONS : NOT_COORDINATOR;
    },
  );
  await transactions.run([[record(0)]]);
  expect(names().slice(4)).toEqual(["end@1", "end@1", "find@any", "end@1"]);
});

it("sequence numbers go on over sends and transactions", async () => {
  const { transactions, asked } = cluster(() => [1]);
  await transactions.run([[record(0), record(0)], [record(0)]]);
  await transactions.run([[record(0)]]);
  // The header of the request and its only batch is 29 bytes long; the sequence is 53 bytes into the batch.
  const sequences = asked.filter(({ name }) => name === "produce").map(({ body }) => body.readInt32BE(29 + 53));
  expect(sequences).toEqual([0, 2, 3]);
});

it("an answer without a partition that was asked for is an error", async () => {
  const { transactions } = cluster(() => [1]);
  await expect(transactions.run([[record(0), record(9)]])).rejects.toThrow("no broker took partition 9 of topic t");
});

it("an error names its topic", () => {
  expect(refusal(29, "t")).toMatchObject({ type: "TOPIC_AUTHORIZATION_FAILED", topic: "t" });
});
