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

const OPENSSL =
  "Connection error: 407D8F46D67F0000:error:0A000412:SSL routines:ssl3_read_bytes:ssl/tls alert bad certificate:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:918:SSL alert number 42\n";

/** Texts as Node 24, kafkajs 2.2.4 and a Kafka 4.4.0 broker gave them. */
const connecting: readonly [string, string, string, RegExp][] = [
  [
    "an unknown authority",
    "Connection error: unable to verify the first certificate",
    "kafka-refused",
    /KAFKA_CA_FILE/,
  ],
  [
    "a self-signed certificate",
    "Connection error: self-signed certificate in certificate chain",
    "kafka-refused",
    /KAFKA_CA_FILE/,
  ],
  [
    "a certificate with a different name",
    "Connection error: Hostname/IP does not match certificate's altnames: IP: 127.0.0.2 is not in the cert's list: ",
    "kafka-refused",
    /advertised\.listeners/,
  ],
  ["an expired certificate", "Connection error: certificate has expired", "kafka-refused", /renew/],
  ["no client certificate", OPENSSL, "kafka-refused", /KAFKA_CERT_FILE/],
  [
    "a wrong password",
    "SASL PLAIN authentication failed: Authentication failed: Invalid username or password",
    "kafka-refused",
    /SASL_PASSWORD/,
  ],
  [
    "a login on a listener that expects none",
    "Request is not valid given the current SASL state",
    "kafka-refused",
    /PLAINTEXT or SSL/,
  ],
  ["plaintext to a TLS port", "Closed connection", "kafka-down", /SECURITY_PROTOCOL/],
  [
    "TLS to a plaintext port",
    "Connection error: Client network socket disconnected before secure TLS connection was established",
    "kafka-down",
    /SECURITY_PROTOCOL/,
  ],
];

test.each(connecting)("%s says what to do", (_name, text, code, next) => {
  const wrapped = kafkajsError("gave up", { name: "KafkaJSNumberOfRetriesExceeded", cause: kafkajsError(text) });
  expect(kafkaError(wrapped, "open")).toMatchObject({ code, next: expect.stringMatching(next) });
});

test("OpenSSL's message appears without addresses and file names", () => {
  expect(redact(OPENSSL)).toBe("Connection error: ssl/tls alert bad certificate");
});

test("the error names the operation and the topic", () => {
  const error = kafkaError(kafkajsError("no", { type: "TOPIC_AUTHORIZATION_FAILED", topic: "b" }), "commit to a");
  expect(error.message).toBe("[kafka-refused] commit to a (topic b): no [TOPIC_AUTHORIZATION_FAILED]");
});

test("a GuardError passes through", () => {
  const error = new GuardError("record-too-large", "x");
  expect(kafkaError(error, "commit")).toBe(error);
});

test("neither the text nor the cause contains a record's content", () => {
  const text = `Invalid message without value for topic "a": {"key":{"type":"Buffer","data":[115]},"secret":"s3cret"}`;
  const error = kafkaError(kafkajsError(text), "commit to a");
  expect(error.message).not.toContain("s3cret");
  expect(String(error.cause)).not.toContain("s3cret");
  expect(redact(text)).toBe(`Invalid message without value for topic "a": (not shown)`);
});
