/**
 * Requests that kafkajs does not have, sent over its own connections, with its login, its choice of broker and its
 * retries. This uses parts of kafkajs 2.2.4 that have no types: the cluster behind each of its clients, and the way in
 * which a connection sends a request.
 */
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import type { Admin, Kafka } from "kafkajs";
import { CLIENT_RETRY, type KafkaClient } from "./client.ts";
import type { Request } from "./group-requests.ts";
import { withConnected } from "./topics.ts";
import { compactReader, NO_TAGS } from "./wire/compact.ts";

/** A broker to which a connection is open. */
export interface Broker {
  supports(request: Request<unknown>): boolean;
  send<T>(request: Request<T>): Promise<T>;
}

/** The brokers that an admin client is connected to. */
export interface Cluster {
  readonly admin: Admin;
  readonly brokers: () => Promise<readonly Broker[]>;
  /** The broker that manages the group. */
  readonly coordinatorOf: (group: string) => Promise<Broker>;
  /** The error that kafkajs would throw for a number in an answer. */
  readonly errorOf: (code: number) => Error;
}

/** Runs the work on its own connections, with a deadline and translated errors. For this folder only. */
export function withCluster<T>(kafka: KafkaClient, doing: string, work: (cluster: Cluster) => Promise<T>): Promise<T> {
  const inner = clusterOf(kafka.inner);
  const admin = createAdmin({ logger: kafka.inner.logger(), retry: CLIENT_RETRY, cluster: inner });
  return withConnected(admin, doing, () =>
    work({
      admin,
      brokers: () => brokersOf(inner),
      coordinatorOf: async (group) => brokerOf(await inner.findGroupCoordinator({ groupId: group })),
      errorOf: createErrorFromCode,
    }),
  );
}

/** What is used of kafkajs' Cluster. */
export interface InnerCluster {
  readonly brokerPool: {
    readonly brokers: Readonly<Record<string, unknown>>;
    readonly metadata: { readonly topicMetadata: readonly InnerTopic[] } | null;
    findConnectedBroker(): Promise<InnerBroker>;
  };
  /** Those that `refreshMetadata` asks for; if there are none, it asks for all. */
  targetTopics: Set<string>;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  findBroker(of: { readonly nodeId: string }): Promise<InnerBroker>;
  findGroupCoordinator(of: { readonly groupId: string }): Promise<InnerBroker>;
}

interface InnerTopic {
  readonly topic: string;
  readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[];
}

/** What is used of kafkajs' Broker. */
export interface InnerBroker {
  /** By the request's key, the versions that the broker knows. */
  readonly versions: Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>;
  readonly connectionPool: {
    send(request: InnerRequest): Promise<unknown>;
    /** One connection is for requests that wait, the other for all else. */
    getConnection(): Promise<InnerConnection>;
  };
}

/** What is used of kafkajs' Connection. */
export interface InnerConnection {
  readonly clientId: string;
  readonly socket: Pick<Socket, "cork" | "write" | "uncork">;
  readonly requestQueue: {
    push(pushed: {
      readonly entry: InnerEntry;
      readonly expectResponse: boolean;
      readonly requestTimeout: null;
      readonly sendRequest: () => void;
    }): void;
    maybeThrottle(ms: number): void;
  };
  /** Logs in, unless that was done. */
  authenticate(): Promise<void>;
  failIfNotConnected(): void;
  nextCorrelationId(): number;
}

interface InnerEntry {
  readonly apiKey: number;
  readonly apiName: string;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly resolve: (answered: { readonly payload: Buffer }) => void;
  readonly reject: (error: Error) => void;
}

/** A request as kafkajs' connections take it. */
interface InnerRequest {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
  };
  readonly response: {
    decode(answer: Buffer): Promise<{ readonly answer: Buffer; readonly clientSideThrottleTime: number }>;
    parse(decoded: { readonly answer: Buffer }): Promise<unknown>;
  };
}

const require = createRequire(import.meta.url);
// kafkajs has no types for its internals; these are the shapes in 2.2.4.
const createAdmin = require("kafkajs/src/admin/index.js") as (options: {
  readonly logger: unknown;
  readonly retry: typeof CLIENT_RETRY;
  readonly cluster: InnerCluster;
}) => Admin;
export const { createErrorFromCode } = require("kafkajs/src/protocol/error.js") as {
  readonly createErrorFromCode: (code: number) => Error;
};

/** A client keeps the function that makes its clusters under a symbol, with the settings and the login inside. */
export function clusterOf(kafka: Kafka): InnerCluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === "private:Kafka:createCluster",
  );
  const create: unknown = symbol === undefined ? undefined : Reflect.get(kafka, symbol);
  if (typeof create !== "function") throw new Error("kafkajs has no cluster that requests can be sent to");
  return create({ allowAutoTopicCreation: false }) as InnerCluster; // the shape in 2.2.4
}

async function brokersOf(cluster: InnerCluster): Promise<readonly Broker[]> {
  await cluster.refreshMetadata();
  const ids = Object.keys(cluster.brokerPool.brokers);
  return Promise.all(ids.map(async (nodeId) => brokerOf(await cluster.findBroker({ nodeId }))));
}

function brokerOf({ versions, connectionPool }: InnerBroker): Broker {
  return {
    supports: ({ key, version }) => {
      const known = versions[key];
      return known !== undefined && known.minVersion <= version && version <= known.maxVersion;
    },
    async send({ key, name, version, body, read }) {
      // A header of the newer format ends with tagged fields, which kafkajs leaves to the body; so does the answer's.
      const bytes = Buffer.concat([NO_TAGS, body]);
      const answered = await connectionPool.send({
        request: {
          apiKey: key,
          apiVersion: version,
          apiName: name,
          encode: () => Promise.resolve({ buf: bytes, buffer: bytes }),
        },
        response: {
          decode: (answer) => Promise.resolve({ answer, clientSideThrottleTime: 0 }),
          parse: ({ answer }) => Promise.resolve(answer),
        },
      });
      const reader = compactReader(answered as Buffer); // `parse` returns what `decode` was given
      reader.tags();
      return read(reader);
    },
  };
}
