import { byteAt, writeInt } from "./bytes.ts";
import { UNFIT, type Encode } from "./encode.ts";

/** Below this a loop beats the call of Buffer.copy. */
const SHORT = 24;

/** The text's UTF-8 bytes as they are. */
export const encodeText: Encode = (src, s, e, out, p) => {
  const size = e - s;
  p = writeInt(out, p, size);
  if (size >= SHORT) return p + src.copy(out, p, s, e);
  for (let i = s; i < e; i++) out[p++] = byteAt(src, i);
  return p;
};

/** `t` or `f`. */
export const encodeBoolean: Encode = (src, s, e, out, p) => {
  const letter = byteAt(src, s);
  if (e - s !== 1 || (letter !== 116 && letter !== 102)) return UNFIT;
  out[p] = letter === 116 ? 1 : 0;
  return p + 1;
};

/** `\x` and hexadecimal digits (bytea_output=hex). */
export const encodeHex: Encode = (src, s, e, out, p) => {
  if (e - s < 2 || (e - s) % 2 !== 0 || byteAt(src, s) !== 92 || byteAt(src, s + 1) !== 120) return UNFIT;
  const size = (e - s - 2) / 2;
  p = writeInt(out, p, size);
  return out.write(src.toString("latin1", s + 2, e), p, "hex") === size ? p + size : UNFIT;
};
