/** Kafka's older message format, in which texts and lists begin with a size of fixed length. */

/** Reads one message, field by field. Every function throws a RangeError at the end of the message. */
export interface ClassicReader {
  int16(): number;
  int32(): number;
  int64(): bigint;
  /** Null becomes undefined. */
  text(): string | undefined;
  list<T>(read: () => T): readonly T[];
}

export function classicReader(message: Buffer): ClassicReader {
  let at = 0;
  const skip = (bytes: number): number => {
    const start = at;
    if (start + bytes > message.length) throw new RangeError("the message ends within a field");
    at += bytes;
    return start;
  };
  const number = (): number => message.readInt32BE(skip(4));
  return {
    int16: () => message.readInt16BE(skip(2)),
    int32: number,
    int64: () => message.readBigInt64BE(skip(8)),
    text: () => {
      const length = message.readInt16BE(skip(2));
      if (length < 0) return undefined;
      const start = skip(length);
      return message.toString("utf8", start, at);
    },
    list: (read) => {
      const items = [];
      for (let left = number(); left > 0; left--) items.push(read());
      return items;
    },
  };
}

export function int8(value: number): Buffer {
  return Buffer.from([value]);
}

export function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeInt16BE(value);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function int64(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

export function classicText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([int16(bytes.length), bytes]);
}

/** The parts of a list whose items are parts themselves, so that a large item is not copied. */
export function classicList(items: readonly (readonly Buffer[])[]): readonly Buffer[] {
  return [int32(items.length), ...items.flat()];
}
