/**
 * From the text pgoutput sends, `src[s..e)`, to Avro at `out[p]`: the place after it, or UNFIT when the text is no
 * value of the type. The caller has made room (see `growth`). Texts are those of the pinned session: TimeZone=UTC,
 * DateStyle=ISO, extra_float_digits=3, bytea_output=hex, client_encoding=UTF8.
 */
export type Encode = (src: Buffer, s: number, e: number, out: Buffer, p: number) => number;

export const UNFIT = -1;
