import { describe, expect, test } from "vitest";
import { GuardError } from "../../src/errors.ts";
import { kafkaError, redact } from "../../src/kafka/errors.ts";

interface Shape {
  readonly name?: string;
  readonly type?: string;
  readonly topic?: string;
  readonly cause?: unknown;
}

function kafkajsError(message: string, shape: Shape = {}): Error {
  return Object.assign(new Error(message), { name: "KafkaJSProtocolError" }, shape);
}

const table: readonly [string, Error, string][] = [
  ["an old epoch", kafkajsError("old", { type: "INVALID_PRODUCER_EPOCH" }), "kafka-fenced"],
  ["an old epoch by its text", kafkajsError("Producer attempted an operation with an old epoch."), "kafka-fenced"],
  [
    "error 90, which kafkajs does not know",
    kafkajsError("Unknown error code 90", { type: "KAFKAJS_UNKNOWN_ERROR_CODE" }),
    "kafka-fenced",
  ],
  ["a topic's ACL", kafkajsError("no", { type: "TOPIC_AUTHORIZATION_FAILED" }), "kafka-refused"],
  ["a group's ACL", kafkajsError("no", { type: "GROUP_AUTHORIZATION_FAILED" }), "kafka-refused"],
  ["a transactional id's ACL", kafkajsError("no", { type: "TRANSACTIONAL_ID_AUTHORIZATION_FAILED" }), "kafka-refused"],
  ["a wrong password", kafkajsError("no", { name: "KafkaJSSASLAuthenticationError" }), "kafka-refused"],
  ["a setting", kafkajsError("no", { type: "INVALID_CONFIG" }), "kafka-refused"],
  ["a message too large", kafkajsError("no", { type: "MESSAGE_TOO_LARGE" }), "record-too-large"],
  ["a batch too large", kafkajsError("no", { type: "RECORD_LIST_TOO_LARGE" }), "record-too-large"],
  [
    "an unknown topic after all retries",
    kafkajsError("retries", {
      name: "KafkaJSNumberOfRetriesExceeded",
      cause: kafkajsError("no", { type: "UNKNOWN_TOPIC_OR_PARTITION" }),
    }),
    "topic-missing",
  ],
  [
    "several errors at once",
    Object.assign(new Error("Topic creation errors"), { errors: [kafkajsError("no", { type: "POLICY_VIOLATION" })] }),
    "kafka-refused",
  ],
  ["a transaction ended elsewhere", kafkajsError("no", { type: "INVALID_TXN_STATE" }), "kafka-down"],
  ["an expired transactional id", kafkajsError("no", { type: "INVALID_PRODUCER_ID_MAPPING" }), "kafka-down"],
  ["a refused connection", kafkajsError("connect ECONNREFUSED", { name: "KafkaJSConnectionError" }), "kafka-down"],
  ["a request timeout", kafkajsError("timed out", { name: "KafkaJSRequestTimeoutError" }), "kafka-down"],
];

describe("each of kafkajs' errors has one code", () => {
  test.each(table)("%s", (_name, error, code) => {
    expect(kafkaError(error, "commit to a").code).toBe(code);
  });
});

test("the error names what was done and the topic", () => {
  const error = kafkaError(kafkajsError("no", { type: "TOPIC_AUTHORIZATION_FAILED", topic: "b" }), "commit to a");
  expect(error.message).toBe("[kafka-refused] commit to a (topic b): no [TOPIC_AUTHORIZATION_FAILED]");
});

test("a GuardError passes through", () => {
  const error = new GuardError("record-too-large", "x");
  expect(kafkaError(error, "commit")).toBe(error);
});

test("no message's content is in the text, nor in the cause", () => {
  const text = `Invalid message without value for topic "a": {"key":{"type":"Buffer","data":[115]},"secret":"s3cret"}`;
  const error = kafkaError(kafkajsError(text), "commit to a");
  expect(error.message).not.toContain("s3cret");
  expect(String(error.cause)).not.toContain("s3cret");
  expect(redact(text)).toBe(`Invalid message without value for topic "a": (not shown)`);
});
