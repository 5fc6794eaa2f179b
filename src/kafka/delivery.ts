/** Brings written batches to the leaders of their partitions. */
import type { Connections } from "./connections.ts";
import { type Attempts, mayPass, pause, refusal, untilDone } from "./retries.ts";
import { noBrokerTook, type Written } from "./sends.ts";
import { type Batch, type Partition, produce } from "./write-requests.ts";

export interface DeliveryOptions extends Attempts {
  readonly transactionalId: string;
}

export interface Delivery {
  /** @throws GuardError kafka-down for a partition that its topic does not have */
  findLeaders(partitions: readonly Partition[]): Promise<void>;
  /**
   * One request for each leader, side by side. What a leader does not take is sent again, unchanged, to whichever broker
   * leads it by then. None is left running. Once one has failed for good, none is repeated, and its error is thrown.
   */
  write(batches: readonly Batch[]): Promise<readonly Written[]>;
}

const REPLICATION_TIMEOUT_MS = 10_000;
const LEADER_NOT_AVAILABLE = 5;
/** The broker has written this batch before. */
const DUPLICATE_SEQUENCE_NUMBER = 46;

/** What one attempt has achieved. */
interface Attempted {
  readonly written: readonly Written[];
  readonly left: readonly Batch[];
  /** Why batches are left. */
  readonly error: unknown;
}

export function deliveryTo(connections: Connections, options: DeliveryOptions): Delivery {
  const leaders = new Map<string, ReadonlyMap<number, number>>();
  const leaderOf = ({ topic, partition }: Partition): number | undefined => leaders.get(topic)?.get(partition);
  const refresh = async (partitions: readonly Partition[]): Promise<void> => {
    const found = await connections.leadersOf(new Set(partitions.map(({ topic }) => topic)));
    for (const [topic, own] of found) leaders.set(topic, own);
  };

  async function write(batches: readonly Batch[], over: AbortController, tries = 0): Promise<readonly Written[]> {
    const groups = [...Map.groupBy(batches, leaderOf)];
    const ended = await Promise.allSettled(
      groups.map(([leader, group]) =>
        writeTo(leader, group, over, tries).catch((error: unknown) => {
          over.abort(error);
          throw error;
        }),
      ),
    );
    over.signal.throwIfAborted();
    return ended.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
  }

  async function writeTo(leader: number | undefined, group: readonly Batch[], over: AbortController, tries: number) {
    const mustGoOn = (): void => {
      options.mustLive();
      over.signal.throwIfAborted();
    };
    mustGoOn();
    const { written, left, error } = await attempt(connections, options.transactionalId, leader, group);
    if (left.length === 0) return written;
    options.onRetry(error);
    await pause(error, tries);
    mustGoOn();
    await refresh(left).catch((failure: unknown) => {
      if (!mayPass(failure)) throw failure;
    });
    return [...written, ...(await write(left, over, tries + 1))];
  }

  return {
    async findLeaders(partitions) {
      const unknown = partitions.filter((each) => leaderOf(each) === undefined);
      if (unknown.length === 0) return;
      await untilDone(options, () => refresh(unknown));
      const none = unknown.find((each) => leaderOf(each) === undefined);
      if (none !== undefined) throw noBrokerTook(none);
    },
    write: (batches) => write(batches, new AbortController()),
  };
}

/** @throws what another attempt would not change */
async function attempt(
  connections: Connections,
  transactionalId: string,
  leader: number | undefined,
  batches: readonly Batch[],
): Promise<Attempted> {
  try {
    if (leader === undefined) throw refusal(LEADER_NOT_AVAILABLE);
    const answer = await connections.send(leader, produce(transactionalId, batches, REPLICATION_TIMEOUT_MS));
    const byTopic = Map.groupBy(answer, ({ topic }) => topic);
    const written: Written[] = [];
    const left: Batch[] = [];
    let error: unknown;
    for (const batch of batches) {
      const { topic: topicName, partition } = batch;
      const outcome = byTopic.get(topicName)?.find((each) => each.partition === partition);
      if (outcome === undefined) throw noBrokerTook(batch);
      if (outcome.error === 0 || outcome.error === DUPLICATE_SEQUENCE_NUMBER) {
        written.push({ topicName, partition, baseOffset: String(outcome.offset) });
        continue;
      }
      error = refusal(outcome.error, topicName);
      if (!mayPass(error)) throw error;
      left.push(batch);
    }
    return { written, left, error };
  } catch (error) {
    if (!mayPass(error)) throw error;
    return { written: [], left: batches, error };
  }
}
