import type { ColumnType } from "../../table/column.ts";
import { ARRAY } from "../values/array.ts";
import { BYTEA, UNKNOWN } from "../values/binary.ts";
import { BIT, BOOL, VARBIT } from "../values/bits.ts";
import { MONEY, NUMERIC } from "../values/decimal.ts";
import { ENUM } from "../values/enum.ts";
import { BOX, CIRCLE, GEOGRAPHY, GEOMETRY, LINE, LSEG, PATH, POINT, POLYGON } from "../values/geometry.ts";
import { HSTORE } from "../values/hstore.ts";
import { INTERVAL } from "../values/interval.ts";
import { FLOAT4, FLOAT8, INT2, INT4, INT8, OID_NUMBER } from "../values/number.ts";
import {
  BPCHAR,
  CHAR,
  CHARACTERS,
  JSONB,
  JSON_TEXT,
  LTREE,
  NAME,
  TEXT,
  textLike,
  TSVECTOR,
  UUID_TEXT,
  VARCHAR,
  XML,
} from "../values/text.ts";
import { DATE, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ } from "../values/time-types.ts";
import { HALFVEC, SPARSEVEC, VECTOR } from "../values/vector.ts";
import type { AvroType } from "./avro-type.ts";
import { casts, matching, type TypeEntry, fixed } from "./entry.ts";
import { baseOf } from "./modifier.ts";
import { DEFAULT_MODES, type ValueModes } from "./modes.ts";

/**
 * All PostgreSQL types that Fieldgate maps, with everything it knows about them. To add a type whose events carry its
 * text, add a line here. For any other type, also add a file in event/values that exports its entry. The keys are
 * pg_type.typname. `enum` and `array` stand for all enums and arrays, `unknown` for every type without an entry.
 */

interface BuiltIn extends TypeEntry {
  /** pg_type.oid, the same in every database. */
  readonly oid: number;
  /** As format_type prints it, without modifiers. */
  readonly sqlName: string;
}

function builtIn(oid: number, sqlName: string, entry: TypeEntry): BuiltIn {
  return { ...entry, oid, sqlName };
}

interface Extension extends TypeEntry {
  /** An extension's type has a different OID in every database, so it is recognised by its name. */
  readonly extension: true;
  readonly sqlName: string;
}

function extension(sqlName: string, entry: TypeEntry): Extension {
  return { ...entry, extension: true, sqlName };
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$|\/)|(?=$|\/))){4}(?:\/(?:[12]?\d|3[0-1]))?$/;
const MACADDR = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/;

const TABLE = {
  bool: builtIn(16, "boolean", BOOL),
  bytea: builtIn(17, "bytea", BYTEA),
  char: builtIn(18, '"char"', CHAR),
  name: builtIn(19, "name", NAME),
  int8: builtIn(20, "bigint", INT8),
  int2: builtIn(21, "smallint", INT2),
  int4: builtIn(23, "integer", INT4),
  text: builtIn(25, "text", TEXT),
  oid: builtIn(26, "oid", OID_NUMBER),
  json: builtIn(114, "json", JSON_TEXT),
  xml: builtIn(142, "xml", XML),
  point: builtIn(600, "point", POINT),
  lseg: builtIn(601, "lseg", LSEG),
  path: builtIn(602, "path", PATH),
  box: builtIn(603, "box", BOX),
  polygon: builtIn(604, "polygon", POLYGON),
  line: builtIn(628, "line", LINE),
  cidr: builtIn(650, "cidr", textLike({ samples: fixed("192.0.2.0/24", "2001:db8::/32") })),
  float4: builtIn(700, "real", FLOAT4),
  float8: builtIn(701, "double precision", FLOAT8),
  circle: builtIn(718, "circle", CIRCLE),
  macaddr8: builtIn(774, "macaddr8", textLike({ samples: fixed("08:00:2b:01:02:03:04:05") })),
  money: builtIn(790, "money", MONEY),
  macaddr: builtIn(
    829,
    "macaddr",
    textLike({ samples: fixed("08:00:2b:01:02:03"), castFrom: casts({ text: matching(MACADDR) }) }),
  ),
  inet: builtIn(
    869,
    "inet",
    textLike({
      samples: fixed("192.0.2.1", "2001:db8::1", "192.0.2.0/24"),
      castFrom: casts({ cidr: (text) => text.replace(/(?:^([^:]*)\/32|\/128)$/, "$1"), text: matching(IPV4) }),
      toText: (text) => (text.includes("/") ? text : `${text}${text.includes(":") ? "/128" : "/32"}`),
    }),
  ),
  bpchar: builtIn(1042, "character", BPCHAR),
  varchar: builtIn(1043, "character varying", VARCHAR),
  date: builtIn(1082, "date", DATE),
  time: builtIn(1083, "time without time zone", TIME),
  timestamp: builtIn(1114, "timestamp without time zone", TIMESTAMP),
  timestamptz: builtIn(1184, "timestamp with time zone", TIMESTAMPTZ),
  interval: builtIn(1186, "interval", INTERVAL),
  timetz: builtIn(1266, "time with time zone", TIMETZ),
  bit: builtIn(1560, "bit", BIT),
  varbit: builtIn(1562, "bit varying", VARBIT),
  numeric: builtIn(1700, "numeric", NUMERIC),
  uuid: builtIn(2950, "uuid", UUID_TEXT),
  tsvector: builtIn(3614, "tsvector", TSVECTOR),
  jsonb: builtIn(3802, "jsonb", JSONB),
  int4range: builtIn(3904, "int4range", textLike({ samples: fixed("[1,10)", "empty", "(,)") })),
  numrange: builtIn(3906, "numrange", textLike({ samples: fixed("[1.5,2.5]", "empty", "(,)") })),
  tsrange: builtIn(
    3908,
    "tsrange",
    textLike({ samples: fixed('["2025-01-01 00:00:00","2025-02-01 00:00:00")', "empty", "(,)") }),
  ),
  tstzrange: builtIn(
    3910,
    "tstzrange",
    textLike({ samples: fixed('["2025-01-01 00:00:00+00","2025-02-01 00:00:00+00")', "empty", "(,)") }),
  ),
  daterange: builtIn(3912, "daterange", textLike({ samples: fixed("[2025-01-01,2025-02-01)", "empty", "(,)") })),
  int8range: builtIn(3926, "int8range", textLike({ samples: fixed("[1,10)", "empty", "(,)") })),

  citext: extension("citext", CHARACTERS),
  ltree: extension("ltree", LTREE),
  hstore: extension("hstore", HSTORE),
  ean13: extension("ean13", textLike({ samples: fixed("978-0-393-04002-9") })),
  isbn: extension("isbn", textLike({ samples: fixed("0-393-04002-X") })),
  isbn13: extension("isbn13", textLike({ samples: fixed("978-0-393-04002-9") })),
  ismn: extension("ismn", textLike({ samples: fixed("M-060-11561-5") })),
  ismn13: extension("ismn13", textLike({ samples: fixed("979-0-060-11561-5") })),
  issn: extension("issn", textLike({ samples: fixed("1436-4522") })),
  issn13: extension("issn13", textLike({ samples: fixed("977-1436-452-00-8") })),
  upc: extension("upc", textLike({ samples: fixed("220356483481") })),
  geometry: extension("geometry", GEOMETRY),
  geography: extension("geography", GEOGRAPHY),
  vector: extension("vector", VECTOR),
  halfvec: extension("halfvec", HALFVEC),
  sparsevec: extension("sparsevec", SPARSEVEC),

  enum: ENUM,
  array: ARRAY,
  unknown: UNKNOWN,
} as const satisfies Readonly<Record<string, TypeEntry | BuiltIn | Extension>>;

export type Kind = keyof typeof TABLE;

export const TYPES: Readonly<Record<Kind, TypeEntry>> = TABLE;

type BuiltInKind = { readonly [K in Kind]: (typeof TABLE)[K] extends BuiltIn ? K : never }[Kind];

const ROWS: readonly (readonly [Kind, TypeEntry | BuiltIn | Extension])[] = Object.entries(TABLE).map(
  ([kind, entry]) => [kind as Kind, entry], // the keys of TABLE are the kinds
);
const BUILT_IN = ROWS.flatMap(([kind, entry]) => ("oid" in entry ? [[kind, entry.oid] as const] : []));

/** pg_type.oid of the built-in types, by pg_type.typname. */
export const OID = Object.fromEntries(BUILT_IN) as Readonly<Record<BuiltInKind, number>>; // made of exactly these

const BY_OID: ReadonlyMap<number, Kind> = new Map(BUILT_IN.map(([kind, oid]) => [oid, kind]));
const EXTENSIONS: ReadonlyMap<string, Kind> = new Map(
  ROWS.flatMap(([kind, entry]) => ("extension" in entry ? [[kind, kind]] : [])),
);
const BY_SQL_NAME: ReadonlyMap<string, TypeEntry> = new Map(
  ROWS.flatMap(([, entry]) => ("sqlName" in entry ? [[entry.sqlName, entry]] : [])),
);

/** The kinds that are types of extensions. */
export function extensionKinds(): readonly Kind[] {
  return [...EXTENSIONS.values()];
}

/** The kind of a column's values; a domain has the kind of its base type. */
export function kindOf(type: ColumnType): Kind {
  const { oid, detail } = baseOf(type);
  switch (detail?.kind) {
    case undefined:
      return BY_OID.get(oid) ?? "unknown";
    case "enum":
    case "array":
      return detail.kind;
    case "named":
      return EXTENSIONS.get(detail.name) ?? "unknown";
    case "domain": // baseOf removed it
      return "unknown";
    default:
      return detail satisfies never;
  }
}

export function entryOf(type: ColumnType): TypeEntry {
  return TYPES[kindOf(type)];
}

/**
 * The entry of a type by its SQL name, ignoring modifiers (`numeric(10,2)`); undefined if there is no entry, or for an
 * array.
 */
export function entryNamed(sqlName: string): TypeEntry | undefined {
  return BY_SQL_NAME.get(sqlName.replace(/\([\d,]+\)/, ""));
}

/** A column type of this kind without modifiers. */
export function plainType(kind: Kind): ColumnType {
  const entry: TypeEntry | BuiltIn | Extension = TABLE[kind];
  if ("oid" in entry) return { oid: entry.oid, typmod: -1 };
  return "extension" in entry ? { oid: 0, typmod: -1, detail: { kind: "named", name: kind } } : { oid: 0, typmod: -1 };
}

/**
 * The Avro type that Debezium gives a column under these modes (its "Data type mappings"). Undefined if the column is
 * left out.
 */
export function avroTypeOf(type: ColumnType, modes: ValueModes = DEFAULT_MODES): AvroType | undefined {
  return entryOf(type).avro(type, modes, entryOf);
}
