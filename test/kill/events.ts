import type { Collected, Collector } from "../stack/collect.ts";
import type { Decoder } from "../stack/decode.ts";

export type Row = Readonly<Record<string, unknown>>;

/** A record of a data topic: an event, or a tombstone, whose op is undefined. */
export interface Seen {
  readonly table: string;
  readonly key: string;
  readonly op: "c" | "u" | "d" | "r" | undefined;
  readonly after: Row | null;
  readonly n: string | undefined;
  readonly xid: number;
  readonly lsn: bigint;
  readonly schemaId: number;
  /** The old key, if this c is the result of a changed key. */
  readonly oldKey: string | undefined;
  readonly record: Collected;
}

interface Envelope {
  readonly op: "c" | "u" | "d" | "r";
  readonly before: Row | null;
  readonly after: Row | null;
  readonly source: { readonly txId: bigint; readonly lsn: bigint };
}

/** Decodes the records since the last call. Throws if the schema named in a record cannot read it. */
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
  const key = keyText((await decoder.decode(record.key)) as Row); // the schema of a key is a record
  const common = { table, key, record };
  if (record.value === null) {
    return { ...common, op: undefined, after: null, n: undefined, xid: 0, lsn: 0n, schemaId: 0, oldKey: undefined };
  }
  const { schemaId, value } = await decoder.decodeWithId(record.value);
  const { op, after, source } = value as Envelope; // its schema is an envelope
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

/** The key from Debezium's header. */
function headerKey(text: string): string {
  return keyText(JSON.parse(text) as Row); // an object with the key's columns
}
