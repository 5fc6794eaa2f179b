import type { Message, PartitionerArgs } from "kafkajs";
import type { OutRecord } from "./record.ts";

/**
 * Cuts records up so that each call of kafkajs' `sendBatch` goes to one broker only.
 *
 * kafkajs 2.2.4 sends one request per broker, and as soon as one of them asks for a retry, it sends again to all brokers
 * that have not answered yet, under new sequence numbers: their records are then written twice. A broker asks for a retry
 * without any fault, for example while it writes the markers of the previous transaction. With one broker per call,
 * nothing else is under way when kafkajs tries again. A repeated request has the numbers of the first, so the broker
 * recognises it.
 */

/** A message, and the call of `sendBatch` that it is part of. kafkajs keeps the object and gives it to the partitioner. */
interface SentMessage extends Message {
  readonly call: Call;
}

/** What one attempt of a call has seen. */
interface Call {
  readonly leaders: Set<number>;
  first: Message | undefined;
  last: Message | undefined;
}

/** Thrown before anything of this attempt was sent. By now, the leaders of all its partitions are known. */
export class SeveralLeaders extends Error {
  override readonly name = "SeveralLeaders";
}

export interface Leaders {
  /** One group for each leader, as far as leaders are known, and one for the rest. Each partition's order is kept. */
  group(records: readonly OutRecord[]): readonly (readonly OutRecord[])[];
  /** The partitioner: returns the message's partition, and throws SeveralLeaders once it has seen the last message. */
  partitionOf(choice: PartitionerArgs): number;
}

export function createLeaders(): Leaders {
  const known = new Map<string, Map<number, number>>();
  return {
    group: (records) => [...Map.groupBy(records, ({ topic, partition }) => known.get(topic)?.get(partition)).values()],
    partitionOf({ topic, partitionMetadata, message }) {
      const { partition = 0, call } = message as SentMessage; // every message is made by `callOf`
      if (message === call.first) call.leaders.clear();
      const leader = partitionMetadata.find(({ partitionId }) => partitionId === partition)?.leader;
      if (leader !== undefined) {
        call.leaders.add(leader);
        const partitions = known.get(topic) ?? new Map<number, number>();
        known.set(topic, partitions.set(partition, leader));
      }
      if (message === call.last && call.leaders.size > 1)
        throw new SeveralLeaders("the partitions have several leaders");
      return partition;
    },
  };
}

/** The topics and messages of one call of `sendBatch`. */
export function callOf(records: readonly OutRecord[]): { readonly topic: string; readonly messages: Message[] }[] {
  const call: Call = { leaders: new Set(), first: undefined, last: undefined };
  const topics = Map.groupBy(records, ({ topic }) => topic);
  const topicMessages = [...topics].map(([topic, own]) => ({
    topic,
    messages: own.map(({ partition, key, value, headers }): SentMessage => {
      return { partition, key, value, call, ...(headers !== undefined && { headers: { ...headers } }) };
    }),
  }));
  call.first = topicMessages[0]?.messages[0];
  call.last = topicMessages.at(-1)?.messages.at(-1);
  return topicMessages;
}
