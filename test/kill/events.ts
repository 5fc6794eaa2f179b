import type { Collected, Collector } from "../stack/collect.ts";
import type { Decoder } from "../stack/decode.ts";

export type Row = Readonly<Record<string, unknown>>;

/** A record of a data topic: an event, or a tombstone (op undefined). */
export interface Seen {
  readonly table: string;
  readonly key: string;
  readonly op: "c" | "u" | "d" | "r" | undefined;
  readonly after: Row | null;
  readonly n: string | undefined;
  readonly xid: number;
  readonly lsn: bigint;
  readonly schemaId: number;
  /** Of the key before, when a change of key became this c. */
  readonly oldKey: string | undefined;
  readonly record: Collected;
}

interface Envelope {
  readonly op: "c" | "u" | "d" | "r";
  readonly before: Row | null;
  readonly after: Row | null;
  readonly source: { readonly txId: bigint; readonly lsn: bigint };
}

/** Decodes what has come since the last call. Throws for a record that the schema of its header cannot read. */
export function eventReader(collector: Collector, decoder: Decoder): () => Promise<readonly Seen[]> {
  let at = 0;
  return async () => {
    const all: Seen[] = [];
    for (; at < collector.records.length; at++) {
      const record = collector.records[at];
      if (record !== undefined) all.push(await seenOf(record, decoder));
    }
    return all;
  };
}

async function seenOf(record: Collected, decoder: Decoder): Promise<Seen> {
  const table = record.topic.slice(record.topic.lastIndexOf(".") + 1);
  const key = keyText((await decoder.decode(record.key)) as Row); // a key's schema is a record
  const common = { table, key, record };
  if (record.value === null) {
    return { ...common, op: undefined, after: null, n: undefined, xid: 0, lsn: 0n, schemaId: 0, oldKey: undefined };
  }
  const { schemaId, value } = await decoder.decodeWithId(record.value);
  const { op, after, source } = value as Envelope; // an envelope, as its schema says
  const header = record.headers["__debezium.oldkey"];
  return {
    ...common,
    op,
    after,
    n: after === null ? undefined : String(after["n"]),
    xid: Number(source.txId),
    lsn: source.lsn,
    schemaId,
    oldKey: header === undefined ? undefined : headerKey(String(header)),
  };
}

function keyText(row: Row): string {
  return Object.values(row).map(String).join("|");
}

/** The key as Debezium's header has it. */
function headerKey(text: string): string {
  return keyText(JSON.parse(text) as Row); // an object of the key's columns
}
