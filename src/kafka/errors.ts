/**
 * Translates what kafkajs throws into our codes: by the name of the protocol error, or else by the text of the error.
 * The sources are Kafka's table of protocol errors and kafkajs' errors.js. Messages never contain a record.
 */
import { GuardError, type ErrorCode } from "../errors.ts";

interface Link {
  readonly name: string;
  readonly message: string;
  /** The protocol error's name, e.g. `TOPIC_AUTHORIZATION_FAILED`. */
  readonly type: string | undefined;
  readonly topic: string | undefined;
  readonly retriable: boolean;
}

const CODE_OF_TYPE: Readonly<Record<string, ErrorCode>> = {
  INVALID_PRODUCER_EPOCH: "kafka-fenced",
  PRODUCER_FENCED: "kafka-fenced",
  MESSAGE_TOO_LARGE: "record-too-large",
  RECORD_LIST_TOO_LARGE: "record-too-large",
  UNKNOWN_TOPIC_OR_PARTITION: "topic-missing",
  UNSUPPORTED_SASL_MECHANISM: "kafka-refused",
  ILLEGAL_SASL_STATE: "kafka-refused",
  SECURITY_DISABLED: "kafka-refused",
  UNSUPPORTED_VERSION: "kafka-refused",
  INVALID_TRANSACTION_TIMEOUT: "kafka-refused",
  INVALID_TOPIC_EXCEPTION: "kafka-refused",
  INVALID_CONFIG: "kafka-refused",
  INVALID_PARTITIONS: "kafka-refused",
  INVALID_REPLICATION_FACTOR: "kafka-refused",
  INVALID_RECORD: "kafka-refused",
  POLICY_VIOLATION: "kafka-refused",
};

const NEXT: Partial<Record<ErrorCode, string>> = {
  "kafka-fenced": "nothing: the connector continues unless another instance has started it",
  "kafka-refused": "check the principal's ACLs and the topic's settings",
  "topic-missing": "create the topic, or allow this principal to describe and create it",
  "record-too-large": "raise the topic's max.message.bytes",
};

interface Connecting {
  readonly text: RegExp;
  readonly code: ErrorCode;
  readonly next: string;
}

const CLIENT_CERTIFICATE =
  "set FIELDGATE_KAFKA_CERT_FILE and FIELDGATE_KAFKA_KEY_FILE to a client certificate that the broker trusts";
const PROTOCOL =
  "if it lasts, compare FIELDGATE_KAFKA_SECURITY_PROTOCOL with the listener's protocol: a mismatch looks like this";

/**
 * Errors that end a connection before the Kafka protocol begins, by the texts of Node, OpenSSL and the broker. A
 * certificate or a login that is rejected once will be rejected again, but a closed connection may mean that a broker
 * is restarting.
 */
const CONNECTING: readonly Connecting[] = [
  {
    text: /certificate has expired|certificate is not yet valid/,
    code: "kafka-refused",
    next: "renew the broker's certificate, and check the clocks of both machines",
  },
  {
    text: /does not match certificate's altnames/,
    code: "kafka-refused",
    next: "use the names in the brokers' certificates for FIELDGATE_KAFKA_BROKERS and advertised.listeners",
  },
  {
    text: /alert (bad certificate|certificate required|unknown ca|certificate unknown|certificate expired|handshake failure)/i,
    code: "kafka-refused",
    next: CLIENT_CERTIFICATE,
  },
  {
    text: /self-signed certificate|unable to (verify|get) |certificate signature failure|invalid CA certificate/,
    code: "kafka-refused",
    next: "set FIELDGATE_KAFKA_CA_FILE to the authority that signed the brokers' certificates",
  },
  {
    text: /SASL .* authentication failed|^Authentication failed/,
    code: "kafka-refused",
    next: "check FIELDGATE_KAFKA_SASL_USERNAME, FIELDGATE_KAFKA_SASL_PASSWORD and FIELDGATE_KAFKA_SASL_MECHANISM",
  },
  {
    text: /current SASL state/,
    code: "kafka-refused",
    next: "this listener accepts no login: set FIELDGATE_KAFKA_SECURITY_PROTOCOL to PLAINTEXT or SSL",
  },
  {
    text: /Closed connection|before secure TLS connection was established|wrong version number|packet length too long/,
    code: "kafka-down",
    next: PROTOCOL,
  },
];

/**
 * Turns anything that kafkajs throws into one GuardError; a GuardError passes through. `doing` says what was tried and
 * on which topics: "commit to inventory.public.customers". An error that is not known to be final becomes `kafka-down`.
 */
export function kafkaError(error: unknown, doing: string): GuardError {
  if (error instanceof GuardError) return error;
  const links = chain(error);
  const connecting = CONNECTING.find(({ text }) => links.some(({ message }) => text.test(message)));
  const code = connecting?.code ?? codeOf(links);
  const next = connecting?.next ?? NEXT[code];
  const reason = links.find(({ type }) => type !== undefined) ?? links.at(-1);
  const topic = links.find((link) => link.topic !== undefined)?.topic;
  const isOnly = topic === undefined || (doing.includes(topic) && !doing.includes(", "));
  const place = isOnly ? doing : `${doing} (topic ${topic})`;
  const type = reason?.type === undefined ? "" : ` [${reason.type}]`;
  return new GuardError(code, `${place}: ${redact(reason?.message ?? "no reason given")}${type}`, {
    ...(next === undefined ? {} : { next }),
    cause: withoutPayload(error),
  });
}

/** What a broker answered, if the error or one of its causes is an answer. `retriable` is Kafka's word on it. */
export function protocolErrorOf(error: unknown): { readonly type: string; readonly retriable: boolean } | undefined {
  const link = chain(error).find(({ type }) => type !== undefined);
  return link?.type === undefined ? undefined : { type: link.type, retriable: link.retriable };
}

/** True if the broker that was asked does not lead the partition: not yet, because the topic is new, or no longer. */
export function isNotLed(error: unknown): boolean {
  return chain(error).some(({ type }) => type === "NOT_LEADER_FOR_PARTITION" || type === "LEADER_NOT_AVAILABLE");
}

/**
 * Matches OpenSSL's `407D…:error:0A000412:SSL routines:ssl3_read_bytes:ssl/tls alert bad certificate:../deps/…`. Only
 * the reason is kept.
 */
const OPENSSL = /[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):\S*:\d+:[^\n]*\n?/g;

/** kafkajs includes whole messages in some texts: "Invalid message without value … {json}". */
const PAYLOAD = /[{[]\s*"/;

/** Cuts the text off where a message starts. */
export function redact(text: string): string {
  const brace = text.search(PAYLOAD);
  const cut = (brace < 0 ? text : `${text.slice(0, brace).trimEnd()} (not shown)`).replace(OPENSSL, "$1");
  return cut.length > 400 ? `${cut.slice(0, 400)}…` : cut;
}

function codeOf(links: readonly Link[]): ErrorCode {
  for (const { type, name, message } of links) {
    const known = type === undefined ? undefined : CODE_OF_TYPE[type];
    if (known !== undefined) return known;
    if (type !== undefined && /AUTHORIZATION_FAILED$|^SASL_/.test(type)) return "kafka-refused";
    if (name === "KafkaJSSASLAuthenticationError") return "kafka-refused";
    // kafkajs does not know error 90, PRODUCER_FENCED (KIP-588).
    if (/old epoch|Unknown error code 90$/.test(message)) return "kafka-fenced";
  }
  return "kafka-down";
}

/** The error with its causes and collected errors, outermost first. */
function chain(error: unknown, depth = 0): Link[] {
  if (!(error instanceof Error) || depth > 5) return [];
  const link: Link = {
    name: error.name,
    message: error.message,
    type: textOf(error, "type"),
    topic: textOf(error, "topic"),
    retriable: Reflect.get(error, "retriable") === true,
  };
  const collected: unknown = Reflect.get(error, "errors");
  const inner = Array.isArray(collected) ? collected : [error.cause];
  return [link, ...inner.flatMap((each) => chain(each, depth + 1))];
}

function textOf(error: Error, property: string): string | undefined {
  const value: unknown = Reflect.get(error, property);
  return typeof value === "string" ? value : undefined;
}

/** The original error, unless its text contains a message. Loggers print causes, too. */
function withoutPayload(error: unknown): unknown {
  return chain(error).some(({ message }) => PAYLOAD.test(message))
    ? new Error("not shown, because it contains a message")
    : error;
}
