/**
 * The connection to Kafka: kafkajs 2.2.4 behind plain functions. No type or error of kafkajs leaves this folder, only
 * our own data and GuardErrors.
 */
import { createRequire } from "node:module";
import { Kafka, logLevel, type KafkaConfig, type logCreator } from "kafkajs";
import type { TlsTexts } from "../request.ts";
import { redact } from "./errors.ts";

export type LogLevel = "error" | "warn" | "info" | "debug";

export interface Sasl {
  readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly username: string;
  readonly password: string;
}

export interface KafkaOptions {
  /** `host:port`; at least one. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** `fieldgate.deployment`: our temporary consumer groups are named `fieldgate.<deployment>.<uuid>`. */
  readonly deployment?: string | undefined;
  readonly ssl?: boolean | TlsTexts | undefined;
  readonly sasl?: Sasl | undefined;
  /** Receives kafkajs' own log messages: text only, never a payload. Without it, they are dropped. */
  readonly log?: ((level: LogLevel, message: string) => void) | undefined;
}

export interface KafkaClient {
  readonly clientId: string;
  readonly brokers: readonly string[];
  readonly deployment: string;
  /** For this folder only. */
  readonly inner: Kafka;
  /** When a broker last refused to write because too few replicas are in sync, by `performance.now()`. */
  readonly refusedForReplicasAt: () => number | undefined;
}

/** kafkajs' own retries, about 9 s in total. A longer outage is `kafka-down`, which the guard retries. */
export const CLIENT_RETRY = { initialRetryTime: 100, multiplier: 2, retries: 8, maxRetryTime: 2_000 } as const;

/** Opens no connection yet: each writer, appender, reader and tail opens and closes its own. */
export function kafkaClient(options: KafkaOptions): KafkaClient {
  stopIdleTimers();
  let refusedAt: number | undefined;
  const inner = new Kafka({
    brokers: [...options.brokers],
    clientId: options.clientId,
    ssl: tls(options.ssl),
    ...(options.sasl === undefined ? {} : { sasl: { ...options.sasl } as NonNullable<KafkaConfig["sasl"]> }), // a union over mechanism that a spread loses
    connectionTimeout: 3_000,
    authenticationTimeout: 5_000,
    requestTimeout: 15_000,
    retry: CLIENT_RETRY,
    logLevel: logLevel.INFO,
    logCreator: forwardLog(options.log, () => (refusedAt = performance.now())),
  });
  const { clientId, brokers, deployment = "main" } = options;
  return { clientId, brokers: [...brokers], deployment, inner, refusedForReplicasAt: () => refusedAt };
}

function tls(ssl: boolean | TlsTexts | undefined): NonNullable<KafkaConfig["ssl"]> {
  if (ssl === undefined || typeof ssl === "boolean") return ssl ?? false;
  return Object.fromEntries(Object.entries(ssl).filter(([, value]) => value !== undefined));
}

const WRITER = "writer";

/** Logs what a transactional writer tries again, once in a while. The rest of the error stays out. */
export function writerLog({ inner }: KafkaClient): (error: unknown) => void {
  const logger = inner.logger().namespace(WRITER);
  return (error) => logger.error(error instanceof Error ? error.message : "no reason given");
}

/** A complaint about the retry settings of `append.ts`, which is not worth a log line. */
const EXPECTED = /Limiting retries for the idempotent producer/;
/** kafkajs repeats a message at each of its retries. The same text is logged at most once in this time. */
const REPEATED_MS = 10_000;

/** In the text of NOT_ENOUGH_REPLICAS. kafkajs tries again for minutes, and says why only in its log. */
const TOO_FEW_REPLICAS = /fewer in-sync replicas than required/;

/**
 * Forwards only the text, the broker and the error's text, because kafkajs' other details contain stacks and messages.
 * Its `error` becomes `warn`: kafkajs logs everything that it is about to retry as an error, and if it gives up, we get
 * an error anyway.
 */
function forwardLog(log: KafkaOptions["log"], onTooFewReplicas: () => void): logCreator {
  const said = new Map<string, number>();
  return () =>
    ({ namespace, level, log: entry }) => {
      const detail: unknown = entry["error"];
      const text = `${namespace === WRITER ? "kafka writer" : `kafkajs ${namespace}`}: ${entry.message}${typeof detail === "string" ? `: ${detail}` : ""}`;
      if (TOO_FEW_REPLICAS.test(text)) onTooFewReplicas();
      if (log === undefined) return;
      const broker: unknown = entry["broker"];
      if (EXPECTED.test(text) || Date.now() - (said.get(text) ?? 0) < REPEATED_MS) return;
      if (said.size > 1_000) said.clear();
      said.set(text, Date.now());
      log(ourLevel(level), redact(typeof broker === "string" ? `${text} (${broker})` : text));
    };
}

function ourLevel(level: logLevel): LogLevel {
  if (level === logLevel.ERROR || level === logLevel.WARN) return "warn";
  return level === logLevel.INFO ? "info" : "debug";
}

interface RequestQueuePrototype {
  scheduleCheckPendingRequests?: (this: { pending: readonly unknown[]; throttledUntil: number }) => void;
}

let idleTimersStopped = false;

/**
 * Fixes a bug of kafkajs: whenever nothing is waiting, its request queue sets a timer for "now minus the epoch"
 * (tulios/kafkajs#1751). Node 24 then prints TimeoutNegativeWarning and fires the timer every millisecond, on every
 * connection, forever. The timer is needed only while something waits or the broker throttles, so it is set only then.
 */
function stopIdleTimers(): void {
  if (idleTimersStopped) return;
  idleTimersStopped = true;
  const queue = createRequire(import.meta.url)("kafkajs/src/network/requestQueue/index.js") as {
    readonly prototype: RequestQueuePrototype;
  }; // kafkajs has no types for its internals; this is the shape in 2.2.4
  const schedule = queue.prototype.scheduleCheckPendingRequests;
  if (schedule === undefined) return;
  queue.prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
}
