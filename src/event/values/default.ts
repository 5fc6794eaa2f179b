import type { ColumnType } from "../../table/column.ts";
import { decodeValue, type Value } from "./decode.ts";
import { UNFIT } from "./encode.ts";
import { encoderOf } from "./encoder.ts";
import { kindOf, numericOf, type Kind } from "../types/kind.ts";
import { DEFAULT_MODES, type ValueModes } from "../types/modes.ts";
import { fitDecimal } from "./number.ts";
import type { Json } from "../../json.ts";
import type { AvroType } from "../types/record-type.ts";

/**
 * The schema default of a column, from the text of pg_get_expr, as Debezium's PostgresDefaultValueConverter reads
 * it: a literal is itself, a function call or current time stands as a zero of the type, the rest is no default.
 * Two deliberate differences: an expression that only contains a literal (`'a' || 'b'`, CURRENT_USER, `date + 1`)
 * is no default, where Debezium takes the first literal; and a long that JSON numbers cannot carry is none.
 * Undefined: no default.
 */
export function defaultOf(
  type: ColumnType,
  avro: AvroType,
  expression: string,
  modes: ValueModes = DEFAULT_MODES,
): Json | undefined {
  if (type.detail?.kind === "domain") return undefined; // has no mapper
  const text = defaultText(type, expression);
  return text === undefined ? undefined : valueOf(type, avro, text, modes);
}

/** What a function call stands as; a type that is not here has no defaults. */
const PLACEHOLDER: Readonly<Partial<Record<Kind, string>>> = {
  bool: "f",
  bit: "0",
  varbit: "0",
  int2: "0",
  int4: "0",
  int8: "0",
  float4: "0",
  float8: "0",
  numeric: "0.0",
  text: "",
  varchar: "",
  bpchar: "",
  json: "{}",
  jsonb: "{}",
  xml: "",
  uuid: "00000000-0000-0000-0000-000000000000",
  date: "1970-01-01",
  time: "00:00:00",
  timestamp: "1970-01-01 00:00:00",
  timestamptz: "1970-01-01 00:00:00+00",
  interval: "00:00:00",
};

const FUNCTION = /^[(]?[A-Za-z0-9_.]+\(.*\)/s;
const CURRENT_TIME = new Set(["current_timestamp", "current_time", "current_date", "localtime", "localtimestamp"]);
const CAST = String.raw`::(?:"[^"]+"|[\w.])+(?: varying| precision)?(?:\(\d+(?:, ?\d+)?\))?(?: with(?:out)? time zone)?`;
/** One quoted literal under casts and parentheses, and nothing else; a bit string has a B before it. */
const LITERAL = new RegExp(String.raw`^\(*B?'((?:[^']|'')*)'(?:${CAST}|\))*$`, "s");
const BARE = /^\s*(?:[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?|true|false)\s*$/i;

/** The default as a text of the type, as a row would bring it. */
function defaultText(type: ColumnType, expression: string): string | undefined {
  const kind = kindOf(type);
  const trimmed = expression.trim();
  const literal = LITERAL.exec(trimmed)?.[1]?.replaceAll("''", "'");
  if (kind === "enum") return literal; // of an enum only a literal is a default
  const placeholder = PLACEHOLDER[kind];
  if (placeholder === undefined) return undefined;
  if (FUNCTION.test(trimmed) || CURRENT_TIME.has(trimmed.toLowerCase())) return placeholder;
  if (literal !== undefined) return literal;
  if (!BARE.test(expression)) return undefined;
  if (kind === "bool") return /^true$/i.test(trimmed) ? "t" : /^false$/i.test(trimmed) ? "f" : undefined;
  return placeholder === "" ? expression : trimmed;
}

/** More than any number takes beyond its text: PostgreSQL's largest scale is 1000 digits. */
const ROOM = 1024;

/** Writes the text as a row's value and reads it back: a default is what such a row has. */
function valueOf(type: ColumnType, avro: AvroType, text: string, modes: ValueModes): Json | undefined {
  const encode = encoderOf(avro, type, modes);
  if (encode === undefined || (typeof avro === "object" && avro["type"] === "record")) return undefined;
  const kind = kindOf(type);
  if (kind === "uuid" && !/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return undefined;
  const shown = kind === "numeric" ? withColumnScale(type, text) : text;
  if (shown === undefined) return undefined;
  const source = Buffer.from(shown);
  const out = Buffer.alloc(source.length * 2 + ROOM);
  const end = encode(source, 0, source.length, out, 0);
  return end === UNFIT ? undefined : jsonOf(decodeValue(avro, out, 0).value);
}

/** A row has all digits of numeric(p,s); the expression may have fewer. */
function withColumnScale(type: ColumnType, text: string): string | undefined {
  const numeric = numericOf(type);
  return numeric === undefined ? text : fitDecimal(text, numeric.precision, numeric.scale);
}

function jsonOf(value: Value): Json | undefined {
  if (typeof value === "bigint") return String(Number(value)) === String(value) ? Number(value) : undefined;
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (Buffer.isBuffer(value)) return value.toString("latin1");
  return typeof value === "object" ? undefined : value;
}
