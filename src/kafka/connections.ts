/**
 * The brokers as a transactional writer sees them: kafkajs finds, connects and authenticates, and the writer's requests go
 * to its sockets as they are. kafkajs' own way of sending would copy each request twice.
 */
import type { KafkaClient } from "./client.ts";
import { clusterOf, type InnerConnection } from "./cluster.ts";
import { classicReader, classicText, int16, int32 } from "./wire/classic.ts";
import type { WriteRequest } from "./write-requests.ts";

/** By topic and partition. */
export type LeaderMap = ReadonlyMap<string, ReadonlyMap<number, number>>;

export interface Connections {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  /** Asks a broker for the leaders of all partitions of these topics. */
  leadersOf(topics: ReadonlySet<string>): Promise<LeaderMap>;
  /** `node`: a broker's number, or undefined for any that is connected. */
  send<T>(node: number | undefined, request: WriteRequest<T>): Promise<T>;
}

export function openConnections(kafka: KafkaClient): Connections {
  const cluster = clusterOf(kafka.inner);
  return {
    connect: () => cluster.connect(),
    disconnect: () => cluster.disconnect(),
    async leadersOf(topics) {
      cluster.targetTopics = new Set(topics);
      await cluster.refreshMetadata();
      const found = cluster.brokerPool.metadata?.topicMetadata ?? [];
      return new Map(
        found.map(({ topic, partitionMetadata }) => [
          topic,
          new Map(partitionMetadata.map(({ partitionId, leader }) => [partitionId, leader])),
        ]),
      );
    },
    async send(node, request) {
      const broker =
        node === undefined
          ? await cluster.brokerPool.findConnectedBroker()
          : await cluster.findBroker({ nodeId: String(node) });
      const connection = await broker.connectionPool.getConnection();
      await connection.authenticate();
      const { answer, throttleMs } = request.read(classicReader(await exchange(connection, request)));
      connection.requestQueue.maybeThrottle(throttleMs);
      return answer;
    },
  };
}

/** Sends the request and returns the answer's bytes. kafkajs gives up after its request timeout. */
function exchange(connection: InnerConnection, request: WriteRequest<unknown>): Promise<Buffer> {
  connection.failIfNotConnected();
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const correlationId = connection.nextCorrelationId();
  const message = framed(request, correlationId, connection.clientId);
  connection.requestQueue.push({
    entry: {
      apiKey: request.key,
      apiName: request.name,
      apiVersion: request.version,
      correlationId,
      resolve: ({ payload }) => resolve(payload),
      reject,
    },
    expectResponse: true,
    requestTimeout: null,
    sendRequest: () => {
      const { socket } = connection;
      socket.cork();
      for (const part of message) socket.write(part);
      socket.uncork();
    },
  });
  return promise;
}

/** The parts of a request with its header, as they go to the socket. */
function framed(
  { key, version, body }: WriteRequest<unknown>,
  correlationId: number,
  clientId: string,
): readonly Buffer[] {
  const header = Buffer.concat([int16(key), int16(version), int32(correlationId), classicText(clientId)]);
  const size = body.reduce((sum, part) => sum + part.length, header.length);
  return [int32(size), header, ...body];
}
