import type { ColumnType } from "../../table/column.ts";
import { encodeArray } from "./array.ts";
import { floatRewrite, INTEGER_FROM, INTEGERS, never, numericRewrite, type Rewrite } from "./cast-number.ts";
import { UNFIT, type Encode } from "./encode.ts";
import { encoderOf } from "./encoder.ts";
import { baseOf, bitLength, charLength, elementOf, kindOf, type Kind } from "../types/kind.ts";
import type { ValueModes } from "../types/modes.ts";
import { fitDecimal } from "./number.ts";
import { itemsOf } from "../types/type.ts";
import type { AvroType } from "../types/record-type.ts";

/**
 * The encoder of a field made for type `to` whose column has type `from` now: writes what PostgreSQL's own cast to
 * `to` gives, and is UNFIT where that cast fails or loses something. Undefined: no such field is written here.
 */
export function castEncoder(
  avro: AvroType,
  from: ColumnType,
  to: ColumnType,
  modes: ValueModes,
  unseen: () => void,
): Encode | undefined {
  const items = itemsOf(avro);
  const [fromElement, toElement] = [elementOf(from), elementOf(to)];
  if (items !== undefined && fromElement !== undefined && toElement !== undefined) {
    const element = castEncoder(items.type, fromElement, toElement, modes, unseen);
    return element && encodeArray(element, items.optional);
  }
  const encode = encoderOf(avro, to, modes, unseen);
  if (encode === undefined) return undefined;
  const rewrite = rewriteOf(from, to);
  return rewrite === asIs ? encode : rewritten(rewrite, encode);
}

function rewritten(rewrite: Rewrite, encode: Encode): Encode {
  return (src, s, e, out, p) => {
    const text = rewrite(src.toString("utf8", s, e));
    if (text === undefined) return UNFIT;
    const bytes = Buffer.from(text);
    return encode(bytes, 0, bytes.length, out, p);
  };
}

const asIs: Rewrite = (text) => text;

const TEXTS: ReadonlySet<Kind> = new Set<Kind>(["text", "varchar", "bpchar", "name", "citext", "char", "xml"]);

function rewriteOf(from: ColumnType, to: ColumnType): Rewrite {
  const [fromKind, toKind] = [kindOf(from), kindOf(to)];
  if (TEXTS.has(toKind)) return textRewrite(fromKind, toKind === "bpchar" ? charLength(to) : undefined);
  if (fromKind === toKind && fromKind !== "unknown") return sameKind(toKind, to);
  const source: Kind = TEXTS.has(fromKind) ? "text" : fromKind;
  switch (toKind) {
    case "bool":
      return BOOL_FROM[source] ?? never;
    case "int2":
    case "int4":
    case "int8":
    case "oid":
      return INTEGERS.has(source)
        ? asIs
        : source === "bool" && toKind !== "int4"
          ? never
          : (INTEGER_FROM[source] ?? never);
    case "float4":
    case "float8":
      return floatRewrite(source, toKind);
    case "numeric":
      return numericRewrite(source, to);
    case "enum":
      return source === "text" ? oneOf(labelsOf(to)) : never;
    case "bit":
    case "varbit":
      return bitRewrite(source, to);
    default:
      return OTHER[toKind]?.[source] ?? never;
  }
}

/** The same type with another modifier; where the encoder itself sees what is lost the text stays. */
function sameKind(kind: Kind, to: ColumnType): Rewrite {
  if (kind === "numeric") return numericRewrite("numeric", to);
  return kind === "bit" || kind === "varbit" ? bitRewrite(kind, to) : asIs;
}

/** `::text` of a value; padded for char(n). */
function textRewrite(from: Kind, length: number | undefined): Rewrite {
  const rewrite = TEXT_FROM[from] ?? asIs;
  if (length === undefined) return rewrite;
  return (text) => {
    const plain = rewrite(text);
    return plain === undefined ? undefined : plain + " ".repeat(Math.max(0, length - Array.from(plain).length));
  };
}

/** What `::text` prints unlike the type's own output. */
const TEXT_FROM: Readonly<Partial<Record<Kind, Rewrite>>> = {
  bool: (text) => (text === "t" ? "true" : "false"),
  bpchar: (text) => text.replace(/ +$/, ""),
  inet: (text) => (text.includes("/") ? text : `${text}${text.includes(":") ? "/128" : "/32"}`),
};

/** PostgreSQL's boolin: any beginning of the words that is not ambiguous. */
function boolFromText(text: string): string | undefined {
  const word = text.trim().toLowerCase();
  if (word === "") return undefined;
  if ("true".startsWith(word) || "yes".startsWith(word) || word === "on" || word === "1") return "t";
  const isFalse = "false".startsWith(word) || "no".startsWith(word) || word === "of" || word === "off" || word === "0";
  return isFalse ? "f" : undefined;
}

/** 0 and 1 only: other numbers are true as well, and would come back as 1. */
const zeroOne: Rewrite = (text) => (text === "1" ? "t" : text === "0" ? "f" : undefined);
const BOOL_FROM: Readonly<Partial<Record<Kind, Rewrite>>> = {
  text: boolFromText,
  int4: zeroOne,
  bit: zeroOne,
  varbit: zeroOne,
};

function labelsOf(type: ColumnType): ReadonlySet<string> {
  const { detail } = baseOf(type);
  return new Set(detail?.kind === "enum" ? detail.labels : []);
}

function oneOf(labels: ReadonlySet<string>): Rewrite {
  return (text) => (labels.has(text) ? text : undefined);
}

/** bit(n) takes exactly n, varbit(n) up to n: cutting and padding change the value. */
function bitRewrite(from: Kind, to: ColumnType): Rewrite {
  const length = bitLength(to);
  const isExact = kindOf(to) === "bit";
  const fits: Rewrite = (text) => ((isExact ? text.length === length : text.length <= length) ? text : undefined);
  if (from === "bit" || from === "varbit") return fits;
  if (from === "text") return (text) => (/^[01]*$/.test(text) ? fits(text) : undefined);
  return from === "bool" && length === 1 ? (text) => (text === "t" ? "1" : "0") : never;
}

function matching(pattern: RegExp): Rewrite {
  return (text) => (pattern.test(text) ? text : undefined);
}

const DATE = /^\d{4,}-\d\d-\d\d(?: BC)?$|^-?infinity$/;
const CLOCK = /^\d\d:\d\d:\d\d(?:\.\d{1,6})?$/;
const TIMESTAMP = /^\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?(?: BC)?$|^-?infinity$/;
const ZONED = /^\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?[+-]\d\d(?::\d\d){0,2}(?: BC)?$|^-?infinity$/;

/** `2020-01-02[ BC]` with a clock after the date. */
function withClock(clock: string): Rewrite {
  return (text) => (text.endsWith("infinity") ? text : text.replace(/( BC)?$/, `${clock}$1`));
}

function dateAtMidnight(text: string): string | undefined {
  if (text.endsWith("infinity")) return text;
  const match = /^(\S+) 00:00:00(?:\+00)?( BC)?$/.exec(text);
  return match?.[1] === undefined ? undefined : `${match[1]}${match[2] ?? ""}`;
}

/** At UTC, which the session's TimeZone is. */
const withoutZone: Rewrite = (text) =>
  /[+-]00( BC)?$|infinity$/.test(text) ? text.replace(/\+00(?=( BC)?$)/, "") : undefined;

function validJson(text: string): string | undefined {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}

const bytesOfText: Rewrite = (text) => {
  if (/^\\x(?:[0-9a-f]{2})*$/i.test(text)) return text.toLowerCase();
  return text.includes("\\") ? undefined : `\\x${Buffer.from(text).toString("hex")}`;
};

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$|\/)|(?=$|\/))){4}(?:\/(?:[12]?\d|3[0-1]))?$/;
const MACADDR = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/;
/** money's two digits of fraction; lc_monetary with another number of them is not looked at. */
const cents: Rewrite = (text) => fitDecimal(text, 19, 2);

/** By the field's type and the column's now. A text is taken in the form the type itself prints. */
const OTHER: Readonly<Partial<Record<Kind, Partial<Record<Kind, Rewrite>>>>> = {
  date: { timestamp: dateAtMidnight, timestamptz: dateAtMidnight, text: matching(DATE) },
  timestamp: { date: withClock(" 00:00:00"), timestamptz: withoutZone, text: matching(TIMESTAMP) },
  timestamptz: {
    date: withClock(" 00:00:00+00"),
    timestamp: withClock("+00"),
    text: (text) => (ZONED.test(text) ? text : TIMESTAMP.test(text) ? withClock("+00")(text) : undefined),
  },
  time: { timetz: withoutZone, text: matching(CLOCK) },
  timetz: { time: (text) => `${text}+00` },
  interval: { time: asIs, text: asIs },
  uuid: { text: (text) => (UUID.test(text) ? text.toLowerCase() : undefined) },
  json: { jsonb: asIs, text: validJson },
  jsonb: { json: asIs, text: validJson },
  bytea: { text: bytesOfText },
  money: { int2: asIs, int4: asIs, int8: asIs, numeric: cents },
  inet: { cidr: (text) => text.replace(/(?:^([^:]*)\/32|\/128)$/, "$1"), text: matching(IPV4) },
  macaddr: { text: matching(MACADDR) },
  hstore: { text: asIs },
  ltree: { text: asIs },
  array: { text: asIs },
};
