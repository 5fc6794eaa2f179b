import type { Json } from "../../json.ts";
import type { ColumnType } from "../../table/column.ts";
import { decodeValue, type Value } from "../values/decode.ts";
import type { AvroType } from "./avro-type.ts";
import { encoderOf } from "./encoder.ts";
import { UNFIT } from "./entry.ts";
import { DEFAULT_MODES, type ValueModes } from "./modes.ts";
import { entryOf } from "./table.ts";

/**
 * The schema default of a column, from the text of pg_get_expr, read as Debezium's PostgresDefaultValueConverter does:
 * a literal gives its value, a function call or the current time gives the type's zero, and anything else is ignored.
 * There are two deliberate differences. An expression that only contains a literal (`'a' || 'b'`, CURRENT_USER, `date +
 * 1`) is ignored, whereas Debezium takes the first literal. A long that a JSON number cannot represent exactly is
 * ignored, too. Undefined if there is no default.
 */
export function defaultOf(
  type: ColumnType,
  avro: AvroType,
  expression: string,
  modes: ValueModes = DEFAULT_MODES,
): Json | undefined {
  if (type.detail?.kind === "domain") return undefined; // Debezium has no mapper for domains
  const text = defaultText(type, expression);
  return text === undefined ? undefined : valueOf(type, avro, text, modes);
}

const FUNCTION = /^[(]?[A-Za-z0-9_.]+\(.*\)/s;
const CURRENT_TIME = new Set(["current_timestamp", "current_time", "current_date", "localtime", "localtimestamp"]);
const CAST = String.raw`::(?:"[^"]+"|[\w.])+(?: varying| precision)?(?:\(\d+(?:, ?\d+)?\))?(?: with(?:out)? time zone)?`;
/** A single quoted literal, optionally inside casts and parentheses; a bit string has a B in front. */
const LITERAL = new RegExp(String.raw`^\(*B?'((?:[^']|'')*)'(?:${CAST}|\))*$`, "s");
const BARE = /^\s*(?:[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?|true|false)\s*$/i;

/** The default's text, as a row would contain it. */
function defaultText(type: ColumnType, expression: string): string | undefined {
  const { defaults } = entryOf(type);
  if (defaults === "none") return undefined;
  const trimmed = expression.trim();
  if (FUNCTION.test(trimmed) || CURRENT_TIME.has(trimmed.toLowerCase())) {
    return defaults.onCall === undefined ? undefined : defaults.literal(defaults.onCall, type);
  }
  const literal = LITERAL.exec(trimmed)?.[1]?.replaceAll("''", "'");
  if (literal !== undefined) return defaults.literal(literal, type);
  return BARE.test(expression) ? defaults.bare(expression, type) : undefined;
}

/** Enough to pad a number to PostgreSQL's largest scale, 1000 digits. */
const ROOM = 1024;

/** Writes the text like a row's value and reads it back, so that the default equals the value in such a row. */
function valueOf(type: ColumnType, avro: AvroType, text: string, modes: ValueModes): Json | undefined {
  const encode = encoderOf(avro, type, modes);
  if (encode === undefined || (typeof avro === "object" && avro["type"] === "record")) return undefined;
  const source = Buffer.from(text);
  const out = Buffer.alloc(source.length * 2 + ROOM);
  const end = encode(source, 0, source.length, out, 0);
  return end === UNFIT ? undefined : jsonOf(decodeValue(avro, out, 0).value);
}

function jsonOf(value: Value): Json | undefined {
  if (typeof value === "bigint") return String(Number(value)) === String(value) ? Number(value) : undefined;
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (Buffer.isBuffer(value)) return value.toString("latin1");
  return typeof value === "object" ? undefined : value;
}
