import { byteAt } from "../../avro/bytes.ts";

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/**
 * The partition that Java's default partitioner gives a key: murmur2 of all key bytes with the sign bit cleared, modulo
 * `partitions` (org.apache.kafka.common.utils.Utils). Without a key, the topic's name is hashed instead, so that the
 * events of a table without a key keep their order.
 */
export function partitionOf(key: Buffer | null, topic: string, partitions: number): number {
  return (murmur2(key ?? Buffer.from(topic)) & 0x7fffffff) % partitions;
}

function murmur2(data: Buffer): number {
  let h = SEED ^ data.length;
  const whole = data.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    const word =
      byteAt(data, i) | (byteAt(data, i + 1) << 8) | (byteAt(data, i + 2) << 16) | (byteAt(data, i + 3) << 24);
    const k = Math.imul(word, M);
    h = Math.imul(h, M) ^ Math.imul(k ^ (k >>> 24), M);
  }
  for (let i = data.length - 1; i >= whole; i--) h ^= byteAt(data, i) << ((i - whole) * 8);
  if (data.length > whole) h = Math.imul(h, M);
  h = Math.imul(h ^ (h >>> 13), M);
  return h ^ (h >>> 15);
}
