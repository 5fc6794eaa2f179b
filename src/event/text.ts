import { byteAt, copyBytes, writeInt } from "./bytes.ts";
import { UNFIT, type Encode } from "./encode.ts";

/** The text's UTF-8 bytes as they are. */
export const encodeText: Encode = (src, s, e, out, p) => copyBytes(src, s, e, out, writeInt(out, p, e - s));

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
