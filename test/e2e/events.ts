import { type Collector, collect } from "../stack/collect.ts";
import { type Decoder, registryDecoder } from "../stack/decode.ts";
import { kafkaClient } from "../stack/topic.ts";

export type Row = Readonly<Record<string, unknown>>;

/** A Debezium event, decoded with the schema whose id is in its header. */
export interface Event {
  readonly topic: string;
  readonly schemaId: number;
  readonly key: Row | null;
  readonly op: string;
  readonly before: Row | null;
  readonly after: Row | null;
  readonly source: Row;
}

/** The decoded events of topics as a read-committed consumer sees them, without tombstones. */
export interface Events extends AsyncDisposable {
  readonly collector: Collector;
  /** Waits until everything that is in the topics now has been read, and returns all events. */
  all(): Promise<readonly Event[]>;
  /** Waits until the events so far satisfy the predicate and returns them. */
  until(predicate: (events: readonly Event[]) => boolean, what: string, deadline?: number): Promise<readonly Event[]>;
}

export function readEvents(topics: readonly string[], registryUrl?: string, brokers?: readonly string[]): Events {
  const collector = collect(topics, brokers === undefined ? kafkaClient() : kafkaClient(brokers));
  const decoder = registryDecoder(registryUrl);
  const events: Event[] = [];
  let read = 0;
  let busy = Promise.resolve();
  const catchUp = async (): Promise<void> => {
    while (read < collector.records.length) {
      const record = collector.records[read];
      read += 1;
      if (record?.value) events.push(await decodeEvent(decoder, record.topic, record.key, record.value));
    }
  };
  const soFar = async (): Promise<readonly Event[]> => {
    busy = busy.then(catchUp);
    await busy;
    return events;
  };
  return {
    collector,
    async all() {
      await collector.toEnd();
      return soFar();
    },
    async until(predicate, what, deadline) {
      const { until } = await import("../stack/until.ts");
      const met = async () => {
        const now = await soFar();
        return predicate(now) ? now : undefined;
      };
      return until(met, what, deadline).catch((cause: unknown) => {
        const shown = events.slice(-5).map(({ op, after }) => ({ op, after }));
        const text = JSON.stringify(shown, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
        throw new Error(`${what}: ${events.length} events, the last are ${text}`, { cause });
      });
    },
    [Symbol.asyncDispose]: () => collector[Symbol.asyncDispose](),
  };
}

export async function decodeEvent(decoder: Decoder, topic: string, key: Buffer | null, value: Buffer): Promise<Event> {
  const decodedKey = key === null ? null : ((await decoder.decode(key)) as Row); // records decode to objects
  const { schemaId, value: decoded } = await decoder.decodeWithId(value);
  const { op, before, after, source } = decoded as Omit<Event, "topic" | "schemaId" | "key">; // the value is an envelope
  return { topic, schemaId, key: decodedKey, op, before, after, source };
}
