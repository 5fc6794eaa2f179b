/**
 * Kafka's newer message format: texts and lists with a variable-length size, and tagged fields at the end of each
 * structure (KIP-482). kafkajs has only two such messages, so the requests of group-requests.ts bring their own.
 */

/** Reads one message, field by field. Every function throws a RangeError at the end of the message. */
export interface CompactReader {
  int8(): number;
  int16(): number;
  int32(): number;
  int64(): bigint;
  /** Null becomes undefined. */
  text(): string | undefined;
  /** Null becomes an empty list. */
  list<T>(read: () => T): readonly T[];
  /** The length of a list whose items are read separately, or not at all. */
  count(): number;
  skip(bytes: number): void;
  /** Skips the tagged fields at the end of a structure. */
  tags(): void;
}

export function compactReader(message: Buffer): CompactReader {
  let at = 0;
  const skip = (bytes: number): number => {
    const start = at;
    if (start + bytes > message.length) throw new RangeError("the message ends within a field");
    at += bytes;
    return start;
  };
  const size = (): number => {
    let value = 0;
    for (let shift = 0; shift <= 28; shift += 7) {
      const byte = message.readUInt8(skip(1));
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a size has more than 32 bits");
  };
  const count = (): number => Math.max(0, size() - 1);
  return {
    int8: () => message.readInt8(skip(1)),
    int16: () => message.readInt16BE(skip(2)),
    int32: () => message.readInt32BE(skip(4)),
    int64: () => message.readBigInt64BE(skip(8)),
    text: () => {
      const length = size() - 1;
      if (length < 0) return undefined;
      const start = skip(length);
      return message.toString("utf8", start, at);
    },
    list: (read) => {
      const items = [];
      for (let left = count(); left > 0; left--) items.push(read());
      return items;
    },
    count,
    skip: (bytes) => void skip(bytes),
    tags: () => {
      for (let left = size(); left > 0; left--) {
        size();
        skip(size());
      }
    },
  };
}

/** No tagged fields. */
export const NO_TAGS = Buffer.from([0]);

export function compactText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([sizeBytes(bytes.length + 1), bytes]);
}

export function compactList(items: readonly Buffer[]): Buffer {
  return Buffer.concat([sizeBytes(items.length + 1), ...items]);
}

function sizeBytes(size: number): Buffer {
  const bytes = [];
  let left = size;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) + 0x80);
  return Buffer.from([...bytes, left]);
}
