import { entryOf, kindOf } from "../event/types/table.ts";
import { ownValue } from "../json.ts";
import type { ColumnType } from "../table/column.ts";
import { quoteLiteral } from "./expression.ts";

/**
 * A default as PostgreSQL stores it. The statement has a literal's text, and the catalog the value as its type writes
 * it: `'1 week'` becomes `7 days`. Where the text alone does not show that, the server is asked.
 */

/** A literal, and the type (pg_type.typname) whose value it is. */
export interface Literal {
  readonly type: string;
  readonly text: string;
}

/** The server's answers, by `literalKey`; null if it rejects the literal. */
export type Constants = ReadonlyMap<string, string | null>;

export function literalKey({ type, text }: Literal): string {
  return `${type} ${text}`;
}

export type StoredDefault =
  | { readonly kind: "known"; readonly text: string | undefined }
  /** `text` is the best guess until the server has been asked. */
  | { readonly kind: "asks"; readonly literal: Literal; readonly text: string }
  /** The server rejects the literal, so the migration fails. */
  | { readonly kind: "rejected" }
  /** It is the time of the migration, which is stored as a constant. */
  | { readonly kind: "then" };

const LITERAL = /^'((?:[^']|'')*)'::([\w[\]]+)$/s;

/** `expression` is as expression.ts writes it; undefined for no default. */
export function storedDefault(type: ColumnType, expression: string | undefined, constants: Constants): StoredDefault {
  const known = { kind: "known", text: expression } as const;
  if (expression === undefined || entryOf(type).defaults === "none" || type.detail?.kind === "domain") return known;
  const [, quoted, cast = "text"] = LITERAL.exec(expression) ?? [];
  if (quoted === undefined)
    return /^\d[\d.]*e/i.test(expression) ? asked({ type: "numeric", text: expression }, constants) : known;
  const text = quoted.replaceAll("''", "'");
  const own = kindOf(type);
  const of = cast === "text" ? own : cast;
  if (of === "bool") return boolean(text);
  if (!WRITTEN_ANEW.has(of)) return { kind: "known", text: `${quoteLiteral(text)}::${of}` };
  if (/^(?:date|time)/.test(of) && /^\s*(?:now|today|tomorrow|yesterday)\s*$/i.test(text)) return { kind: "then" };
  return asked({ type: of, text }, constants);
}

function asked(literal: Literal, constants: Constants): StoredDefault {
  const { type, text } = literal;
  const stored = constants.get(literalKey(literal));
  if (stored === null) return { kind: "rejected" };
  if (stored !== undefined) return { kind: "known", text: `${quoteLiteral(stored)}::${type}` };
  const guess = `${quoteLiteral(text.trim())}::${type}`;
  return ownValue(CANONICAL, type)?.test(text) === true
    ? { kind: "known", text: guess }
    : { kind: "asks", literal, text: guess };
}

function boolean(text: string): StoredDefault {
  if (/^\s*(?:t|tr|tru|true|y|ye|yes|on|1)\s*$/i.test(text)) return { kind: "known", text: "true" };
  return /^\s*(?:f|fa|fal|fals|false|n|no|of|off|0)\s*$/i.test(text)
    ? { kind: "known", text: "false" }
    : { kind: "rejected" };
}

/** Types whose values are not written as the literal is. The server is asked only about these, which run no other code. */
export const WRITTEN_ANEW: ReadonlySet<string> = new Set([
  "int2",
  "int4",
  "int8",
  "float4",
  "float8",
  "numeric",
  "date",
  "time",
  "timetz",
  "timestamp",
  "timestamptz",
  "interval",
  "jsonb",
  "uuid",
  "inet",
  "cidr",
  "macaddr",
  "macaddr8",
  "bit",
  "varbit",
  "int4range",
  "int8range",
  "numrange",
  "tsrange",
  "tstzrange",
  "daterange",
]);

const WHOLE = /^\s*-?(?:0|[1-9]\d*)\s*$/;

/** Literals that are already written as their type writes its values. */
const CANONICAL: Readonly<Record<string, RegExp>> = {
  int2: WHOLE,
  int4: WHOLE,
  int8: WHOLE,
  float4: WHOLE,
  float8: WHOLE,
  numeric: /^\s*-?(?:0|[1-9]\d*)(?:\.\d+)?\s*$/,
  date: /^\d{4}-\d\d-\d\d$/,
  time: /^\d\d:\d\d:\d\d$/,
  timestamp: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/,
  timestamptz: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00$/,
  jsonb: /^(?:\{\}|\[\])$/,
  uuid: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  bit: /^[01]+$/,
  varbit: /^[01]+$/,
};
