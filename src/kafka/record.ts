/**
 * A record to write. The caller chooses the partition before sending, so that a re-send does not choose again.
 */
export interface OutRecord {
  readonly topic: string;
  readonly partition: number;
  /** Null means that there is no key. */
  readonly key: Buffer | null;
  /** Null means a tombstone. */
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, Buffer>> | undefined;
}

/** A record as read. */
export interface InRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Milliseconds since the epoch: the time of creation or of appending, depending on the topic's timestamp type. */
  readonly timestamp: number;
}

/** The size of a record batch's header (KIP-98, record batch v2). */
export const BATCH_OVERHEAD = 61;

/** An upper bound for the record's size in an uncompressed batch v2, whose lengths are zigzag varints. */
export function recordBytes(record: OutRecord): number {
  // attributes 1, timestamp delta at most 10, offset delta at most 5, count of headers at most 5
  let body = 21 + field(record.key) + field(record.value);
  if (record.headers === undefined) return body + 5;
  for (const [name, value] of Object.entries(record.headers)) body += 5 + Buffer.byteLength(name) + field(value);
  return body + 5;
}

function field(bytes: Buffer | null): number {
  return 5 + (bytes?.length ?? 0);
}
