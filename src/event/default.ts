import type { ColumnType } from "../table/column.ts";
import type { Json } from "../table/shape.ts";
import { decodeValue } from "./decode.ts";
import { UNFIT } from "./encode.ts";
import { encoderOf, OID, type AvroType } from "./type.ts";

/**
 * The schema default of a column, from the text of pg_get_expr, as Debezium's PostgresDefaultValueConverter reads
 * it: a literal is itself, a function call or current time stands as a zero of the type, the rest is no default.
 * Two deliberate differences: an expression that only contains a literal (`'a' || 'b'`, CURRENT_USER, `date + 1`)
 * is no default, where Debezium takes the first literal; and a long that JSON numbers cannot carry is none.
 * Undefined: no default.
 */
export function defaultOf(type: ColumnType, avro: AvroType, expression: string): Json | undefined {
  const text = defaultText(type.oid, expression);
  return text === undefined ? undefined : valueOf(type, avro, text);
}

/** What a function call stands as; a type that is not here has no defaults. */
const PLACEHOLDER: Readonly<Record<number, string>> = {
  [OID.bool]: "f",
  [OID.int2]: "0",
  [OID.int4]: "0",
  [OID.int8]: "0",
  [OID.float4]: "0",
  [OID.float8]: "0",
  [OID.numeric]: "0",
  [OID.text]: "",
  [OID.varchar]: "",
  [OID.bpchar]: "",
  [OID.json]: "{}",
  [OID.jsonb]: "{}",
  [OID.uuid]: "00000000-0000-0000-0000-000000000000",
  [OID.date]: "1970-01-01",
  [OID.time]: "00:00:00",
  [OID.timestamp]: "1970-01-01 00:00:00",
  [OID.timestamptz]: "1970-01-01 00:00:00+00",
};

const FUNCTION = /^[(]?[A-Za-z0-9_.]+\(.*\)/s;
const CURRENT_TIME = new Set(["current_timestamp", "current_time", "current_date", "localtime", "localtimestamp"]);
const CAST = String.raw`::(?:"[^"]+"|[\w.]+)(?: varying| precision)?(?:\(\d+(?:, ?\d+)?\))?(?: with(?:out)? time zone)?`;
/** One quoted literal under casts and parentheses, and nothing else. */
const LITERAL = new RegExp(String.raw`^\(*'((?:[^']|'')*)'(?:${CAST}|\))*$`, "s");
const BARE = /^\s*(?:[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?|true|false)\s*$/i;

/** The default as a text of the type, as a row would bring it. */
function defaultText(oid: number, expression: string): string | undefined {
  const placeholder = PLACEHOLDER[oid];
  if (placeholder === undefined) return undefined;
  const trimmed = expression.trim();
  if (FUNCTION.test(trimmed) || CURRENT_TIME.has(trimmed.toLowerCase())) return placeholder;
  const literal = LITERAL.exec(trimmed)?.[1];
  if (literal !== undefined) return literal.replaceAll("''", "'");
  if (!BARE.test(expression)) return undefined;
  if (oid === OID.bool) return /^true$/i.test(trimmed) ? "t" : /^false$/i.test(trimmed) ? "f" : undefined;
  return placeholder === "" ? expression : trimmed;
}

/** More than any number takes beyond its text: PostgreSQL's largest scale is 1000 digits. */
const ROOM = 1024;

/** Writes the text as a row's value and reads it back: a default is what such a row has. */
function valueOf(type: ColumnType, avro: AvroType, text: string): Json | undefined {
  const encode = encoderOf(avro, type);
  if (encode === undefined || (typeof avro === "object" && avro["type"] === "record")) return undefined;
  if (type.oid === OID.uuid && !/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return undefined;
  const source = Buffer.from(text);
  const out = Buffer.alloc(source.length + ROOM);
  const end = encode(source, 0, source.length, out, 0);
  return end === UNFIT ? undefined : jsonOf(decodeValue(avro, out, 0).value);
}

function jsonOf(value: boolean | bigint | number | string | Buffer): Json | undefined {
  if (typeof value === "bigint") return String(Number(value)) === String(value) ? Number(value) : undefined;
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  return Buffer.isBuffer(value) ? value.toString("latin1") : value;
}
