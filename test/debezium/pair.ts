import { parseLsn } from "../../src/wal/lsn.ts";
import { type Service, startService } from "../e2e/service.ts";
import { type Collected, type Collector, collect } from "../stack/collect.ts";
import type { Database } from "../stack/database.ts";
import { type Decoder, registryDecoder } from "../stack/decode.ts";
import { createTopics, uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";
import { connectorConfig, type Debezium, openDebezium } from "./debezium.ts";

/** A decoded record. The topic prefix is replaced by `PREFIX`, so that records of two connectors can be compared. */
export interface Published {
  readonly key: unknown;
  readonly value: unknown;
  /** The registered schemas; null if the key or value is null. */
  readonly keySchema: string | null;
  readonly valueSchema: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly partition: number;
}

/** A Debezium and a Fieldgate that capture the same tables, with the same file except for names. */
export interface Pair extends AsyncDisposable {
  readonly debezium: Debezium;
  readonly service: Service;
  /** The records of one table (`public.t`) in order, theirs and ours. */
  published(table: string): Promise<{ readonly theirs: readonly Published[]; readonly ours: readonly Published[] }>;
  /** Waits until both have published everything committed so far, and Fieldgate also what it reads again. */
  caughtUp(): Promise<void>;
}

const MARK = "public.mark";

/**
 * The database must have a table `mark (id int primary key)` without rows. `source.sequence` names the previous
 * transaction, so both have published one transaction before the pair is returned: their slots begin at different
 * positions, and what was committed between the two is in the log of one of them only.
 */
export async function openPair(
  database: Database,
  tables: readonly string[],
  keys: Readonly<Record<string, string>> = {},
): Promise<Pair> {
  await using stack = new AsyncDisposableStack();
  const captured = [...tables, MARK];
  const options = { database, tables: captured, connector: keys };
  const theirs = uniquePrefix();
  const ours = uniquePrefix();
  // Debezium creates its topics with their first event, and a collector waits for all of its topics.
  await createTopics(captured.map((table) => topicOf(theirs, table)));
  const connector = { ...connectorConfig(options, ours), "fieldgate.release.policy": "observe" };
  const [debezium, service] = await Promise.all([
    openDebezium({ ...options, prefix: theirs }).then((opened) => stack.use(opened)),
    startService({ ...options, database: database.address, prefix: ours, connector }).then((one) => stack.use(one)),
  ]);
  const [theirReader, ourReader] = [theirs, ours].map((prefix) =>
    stack.use(collect(captured.map((table) => topicOf(prefix, table)))),
  );
  const decoder = registryDecoder();
  const of = async (prefix: string, reader: Collector | undefined, table: string) => {
    const records = reader?.records.filter(({ topic }) => topic === topicOf(prefix, table)) ?? [];
    return Promise.all(records.map((record) => published(record, prefix, decoder)));
  };
  /** Several pairs may write marks to one database, so each waits for its own. */
  const marked = async (prefix: string, reader: Collector | undefined, id: number): Promise<Mark> => {
    const find = async () => (await of(prefix, reader, MARK)).map(markOf).find((mark) => mark?.id === id);
    return until(find, `mark ${id} of ${prefix} is there`, 60_000);
  };
  const pair = {
    debezium,
    service,
    async published(table: string) {
      return { theirs: await of(theirs, theirReader, table), ours: await of(ours, ourReader, table) };
    },
    async caughtUp() {
      const [row] = await database.query<{ id: number }>(
        "insert into mark select coalesce(max(id), 0) + 1 from mark returning id",
      );
      const id = row?.id ?? 0;
      const marks = [marked(theirs, theirReader, id), marked(ours, ourReader, id)] as const;
      const [, mark] = await Promise.all(marks).catch(async (cause: unknown) => {
        throw new Error(`Debezium: ${await debezium.log()}\nFieldgate: ${service.output().slice(-3000)}`, { cause });
      });
      // The service learns of its commit after readers have seen it, and only then shows what was to be read again.
      const position = async () => parseLsn((await service.connector()).position?.endLsn ?? "") ?? 0n;
      await until(async () => (await position()) > mark.lsn, `the service shows what follows mark ${id}`);
      await service.idle();
      // A reader of several topics may receive the mark before records that were written before it.
      await Promise.all([theirReader?.toEnd(), ourReader?.toEnd()]);
    },
  };
  // A mark that is written during the snapshot could be one of its rows.
  await service.idle();
  await pair.caughtUp();
  const open = stack.move();
  return { ...pair, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

interface Mark {
  readonly id: number;
  readonly lsn: bigint;
}

function markOf({ value }: Published): Mark | undefined {
  if (value === null) return undefined;
  const { after, source } = value as { after: { id: number }; source: { lsn: bigint } }; // rows are only inserted
  return { id: after.id, lsn: source.lsn };
}

function topicOf(prefix: string, table: string): string {
  return `${prefix}.${table}`;
}

async function published(record: Collected, prefix: string, decoder: Decoder): Promise<Published> {
  const same = (text: string) => text.replaceAll(prefix, "PREFIX");
  const part = async (bytes: Buffer | null) => {
    if (bytes === null) return { schema: null, value: null };
    const { schemaId, value } = await decoder.decodeWithId(bytes);
    return { schema: same(JSON.stringify(await decoder.schema(schemaId))), value: renamed(value, prefix) };
  };
  const key = await part(record.key);
  const value = await part(record.value);
  const headers = Object.entries(record.headers).map(([name, bytes]) => [name, same(String(bytes))] as const);
  return {
    key: key.value,
    value: value.value,
    keySchema: key.schema,
    valueSchema: value.schema,
    headers: Object.fromEntries(headers),
    partition: record.partition,
  };
}

/** `source.name` contains the prefix. */
function renamed(value: unknown, prefix: string): unknown {
  if (typeof value !== "object" || value === null || !("source" in value)) return value;
  const { source } = value;
  if (typeof source !== "object" || source === null || !("name" in source)) return value;
  return { ...value, source: { ...source, name: source.name === prefix ? "PREFIX" : source.name } };
}
