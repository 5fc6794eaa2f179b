/** The fields that are the same in both of Kafka's message formats. */

/** Reads one message, field by field. Every function throws a RangeError at the end of the message. */
export interface FieldReader {
  int8(): number;
  int16(): number;
  int32(): number;
  int64(): bigint;
  skip(bytes: number): void;
}

/** A reader's parts, with which each format reads its texts and lists. */
export interface Fields extends FieldReader {
  /** A text of this many bytes. A negative length means null, which becomes undefined. */
  sized(bytes: number): string | undefined;
  items<T>(count: number, read: () => T): readonly T[];
}

export function fieldsOf(message: Buffer): Fields {
  let at = 0;
  const skip = (bytes: number): number => {
    const start = at;
    if (start + bytes > message.length) throw new RangeError("the message ends within a field");
    at += bytes;
    return start;
  };
  return {
    int8: () => message.readInt8(skip(1)),
    int16: () => message.readInt16BE(skip(2)),
    int32: () => message.readInt32BE(skip(4)),
    int64: () => message.readBigInt64BE(skip(8)),
    skip: (bytes) => void skip(bytes),
    sized: (bytes) => {
      if (bytes < 0) return undefined;
      const start = skip(bytes);
      return message.toString("utf8", start, at);
    },
    items: (count, read) => {
      const items = [];
      for (let left = count; left > 0; left--) items.push(read());
      return items;
    },
  };
}
