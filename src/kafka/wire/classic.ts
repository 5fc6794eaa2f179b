import { type FieldReader, fieldsOf } from "./fields.ts";

/** Kafka's older message format, in which texts and lists begin with a size of fixed length. */

export interface ClassicReader extends FieldReader {
  /** Null becomes undefined. */
  text(): string | undefined;
  list<T>(read: () => T): readonly T[];
}

export function classicReader(message: Buffer): ClassicReader {
  const fields = fieldsOf(message);
  return {
    ...fields,
    text: () => fields.sized(fields.int16()),
    list: (read) => fields.items(fields.int32(), read),
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
