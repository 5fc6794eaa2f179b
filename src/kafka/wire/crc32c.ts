/**
 * CRC-32C (Castagnoli), the checksum of a record batch; node:zlib has only CRC-32. It takes eight bytes at a time, each
 * through a table of its own.
 */

const POLYNOMIAL = 0x82f63b78;
const BYTES = 8;
const TABLES = tables();

/** The checksum of `bytes` from `start` up to its end, as an unsigned number. */
export function crc32c(bytes: Uint8Array, start = 0): number {
  const end = bytes.length;
  let crc = -1;
  let index = start;
  for (; index + BYTES <= end; index += BYTES) {
    const low = crc ^ word(bytes, index);
    crc =
      at(7, low & 255) ^
      at(6, (low >>> 8) & 255) ^
      at(5, (low >>> 16) & 255) ^
      at(4, low >>> 24) ^
      at(3, bytes[index + 4] ?? 0) ^
      at(2, bytes[index + 5] ?? 0) ^
      at(1, bytes[index + 6] ?? 0) ^
      at(0, bytes[index + 7] ?? 0);
  }
  for (; index < end; index++) crc = (crc >>> 8) ^ at(0, (crc ^ (bytes[index] ?? 0)) & 255);
  return ~crc >>> 0;
}

function at(table: number, byte: number): number {
  return TABLES[table * 256 + byte] ?? 0;
}

function word(bytes: Uint8Array, index: number): number {
  const low = (bytes[index] ?? 0) | ((bytes[index + 1] ?? 0) << 8);
  return low | ((bytes[index + 2] ?? 0) << 16) | ((bytes[index + 3] ?? 0) << 24);
}

function tables(): Int32Array {
  const all = new Int32Array(BYTES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    all[byte] = crc;
  }
  for (let index = 256; index < all.length; index++) {
    const before = all[index - 256] ?? 0;
    all[index] = (before >>> 8) ^ (all[before & 255] ?? 0);
  }
  return all;
}
