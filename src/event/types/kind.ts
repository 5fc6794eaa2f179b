import type { ColumnType } from "../../table/column.ts";

/** pg_type.oid of the built-in types that are mapped, by pg_type.typname. */
export const OID = {
  bool: 16,
  bytea: 17,
  char: 18,
  name: 19,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  oid: 26,
  json: 114,
  xml: 142,
  point: 600,
  lseg: 601,
  path: 602,
  box: 603,
  polygon: 604,
  line: 628,
  cidr: 650,
  float4: 700,
  float8: 701,
  circle: 718,
  macaddr8: 774,
  money: 790,
  macaddr: 829,
  inet: 869,
  bpchar: 1042,
  varchar: 1043,
  date: 1082,
  time: 1083,
  timestamp: 1114,
  timestamptz: 1184,
  interval: 1186,
  timetz: 1266,
  bit: 1560,
  varbit: 1562,
  numeric: 1700,
  uuid: 2950,
  tsvector: 3614,
  jsonb: 3802,
  int4range: 3904,
  numrange: 3906,
  tsrange: 3908,
  tstzrange: 3910,
  daterange: 3912,
  int8range: 3926,
} as const;

/** Types of extensions that are mapped: their oid is another in every database. */
const EXTENSION = [
  "citext",
  "ltree",
  "hstore",
  "ean13",
  "isbn",
  "isbn13",
  "ismn",
  "ismn13",
  "issn",
  "issn13",
  "upc",
  "geometry",
  "geography",
  "vector",
  "halfvec",
  "sparsevec",
] as const;

export type Scalar = keyof typeof OID | (typeof EXTENSION)[number] | "enum";
export type Kind = Scalar | "array" | "unknown";

const EXTENSIONS: ReadonlyMap<string, Kind> = new Map(EXTENSION.map((name) => [name, name]));
const BUILT_IN: ReadonlyMap<number, Kind> = new Map(
  Object.entries(OID).map(([name, oid]) => [oid, name as Kind]), // the keys of OID are kinds
);

/** What a column's values are, domains taken off. */
export function kindOf(type: ColumnType): Kind {
  const { oid, detail } = baseOf(type);
  switch (detail?.kind) {
    case undefined:
      return BUILT_IN.get(oid) ?? "unknown";
    case "enum":
    case "array":
      return detail.kind;
    case "named":
      return EXTENSIONS.get(detail.name) ?? "unknown";
    case "domain": // baseOf took it off
      return "unknown";
    default:
      return detail satisfies never;
  }
}

/** The type under all domains, with the innermost's modifier. */
export function baseOf(type: ColumnType): ColumnType {
  return type.detail?.kind === "domain" ? baseOf(type.detail.of) : type;
}

/** An array's element type; undefined for what is no array. */
export function elementOf(type: ColumnType): ColumnType | undefined {
  const { detail } = baseOf(type);
  return detail?.kind === "array" ? detail.of : undefined;
}

/** Digits of fraction of a time, timestamp or timestamptz column. */
export function fractionDigits(type: ColumnType): number {
  const { typmod } = baseOf(type);
  return typmod < 0 ? 6 : typmod;
}

/** Scale and precision of numeric(p,s); undefined for numeric without. The scale has 11 bits and a sign. */
export function numericOf(type: ColumnType): { readonly precision: number; readonly scale: number } | undefined {
  const { typmod } = baseOf(type);
  if (typmod < 4) return undefined;
  const scale = (typmod - 4) & 0x7ff;
  return { precision: ((typmod - 4) >> 16) & 0xffff, scale: scale > 1023 ? scale - 2048 : scale };
}

/** The n of char(n), in characters; undefined for bpchar without. */
export function charLength(type: ColumnType): number | undefined {
  const { typmod } = baseOf(type);
  return typmod < 4 ? undefined : typmod - 4;
}

/** The n of bit(n) and varbit(n); varbit without takes any number. */
export function bitLength(type: ColumnType): number {
  const { typmod } = baseOf(type);
  return typmod < 0 ? 0x7fffffff : typmod;
}
