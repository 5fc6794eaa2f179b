import { byteAt, writeInt } from "./bytes.ts";
import { UNFIT, type Encode } from "./encode.ts";

const ZERO = 48;
const ONE = 49;

/** bit(1) and varbit(1): `0` or `1`; an empty varbit(1) is false. */
export const encodeBit: Encode = (src, s, e, out, p) => {
  const digit = e === s ? ZERO : byteAt(src, s);
  if (e - s > 1 || (digit !== ZERO && digit !== ONE)) return UNFIT;
  out[p] = digit - ZERO;
  return p + 1;
};

/** io.debezium.data.Bits: the last bit is the lowest of the first byte; high zero bytes are dropped. */
export const encodeBits: Encode = (src, s, e, out, p) => {
  let first = s;
  while (first < e && byteAt(src, first) === ZERO) first++;
  const size = Math.ceil((e - first) / 8);
  p = writeInt(out, p, size);
  for (let end = e; end > first; end -= 8) {
    let byte = 0;
    for (let i = Math.max(first, end - 8); i < end; i++) {
      const digit = byteAt(src, i);
      if (digit !== ZERO && digit !== ONE) return UNFIT;
      byte = (byte << 1) | (digit - ZERO);
    }
    out[p++] = byte;
  }
  return p;
};
