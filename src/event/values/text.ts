import { byteAt, copyBytes, writeInt, writeString } from "./bytes.ts";
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

/** The bytes of a bytea text as text in another form: io.debezium.data BinaryHandlingMode hex, base64, base64-url-safe. */
export function encodeBinaryText(form: "hex" | "base64" | "base64url"): Encode {
  return (src, s, e, out, p) => {
    const bytes = bytesOf(src, s, e);
    if (bytes === undefined) return UNFIT;
    const text = bytes.toString(form);
    // Debezium's url-safe form is padded
    return writeString(out, p, form === "base64url" ? text.padEnd(Math.ceil(text.length / 4) * 4, "=") : text);
  };
}

/** The same of any text's UTF-8 bytes: types that are not known to us. */
export function encodeUnknownText(form: "hex" | "base64" | "base64url"): Encode {
  const encode = encodeBinaryText(form);
  return (src, s, e, out, p) => {
    const text = Buffer.from(`\\x${src.toString("hex", s, e)}`);
    return encode(text, 0, text.length, out, p);
  };
}

function bytesOf(src: Buffer, s: number, e: number): Buffer | undefined {
  if (e - s < 2 || (e - s) % 2 !== 0 || byteAt(src, s) !== 92 || byteAt(src, s + 1) !== 120) return undefined;
  const bytes = Buffer.from(src.toString("latin1", s + 2, e), "hex");
  return bytes.length === (e - s - 2) / 2 ? bytes : undefined;
}

/**
 * An enum's label as it is. `unseen` is called for one that is not among `labels`: it was added later, and the
 * schema's `allowed` does not list it yet.
 */
export function encodeLabel(labels: readonly string[], unseen: () => void): Encode {
  const known = labels.map((label) => Buffer.from(label));
  return (src, s, e, out, p) => {
    if (!known.some((label) => label.length === e - s && src.compare(label, 0, label.length, s, e) === 0)) unseen();
    return encodeText(src, s, e, out, p);
  };
}
