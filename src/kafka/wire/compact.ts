import { type FieldReader, fieldsOf } from "./fields.ts";

/**
 * Kafka's newer message format: texts and lists with a variable-length size, and tagged fields at the end of each
 * structure (KIP-482). kafkajs has only two such messages, so the requests of group-requests.ts bring their own.
 */

export interface CompactReader extends FieldReader {
  /** Null becomes undefined. */
  text(): string | undefined;
  /** Null becomes an empty list. */
  list<T>(read: () => T): readonly T[];
  /** The length of a list whose items are read separately, or not at all. */
  count(): number;
  /** Skips the tagged fields at the end of a structure. */
  tags(): void;
}

export function compactReader(message: Buffer): CompactReader {
  const fields = fieldsOf(message);
  const size = (): number => {
    let value = 0;
    for (let shift = 0; shift <= 28; shift += 7) {
      const byte = fields.int8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte >= 0) return value;
    }
    throw new RangeError("a size has more than 32 bits");
  };
  const count = (): number => Math.max(0, size() - 1);
  return {
    ...fields,
    text: () => fields.sized(size() - 1),
    list: (read) => fields.items(count(), read),
    count,
    tags: () => {
      for (let left = size(); left > 0; left--) {
        size();
        fields.skip(size());
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
