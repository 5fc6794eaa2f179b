import { OID } from "../../src/event/types/table.ts";
import { columnType, type ColumnType, type TypeDetail } from "../../src/table/column.ts";
import type { ColumnSpec } from "../event/row.ts";

const EXTENSIONS = [
  "citext",
  "ltree",
  "hstore",
  "ean13",
  "isbn",
  "issn",
  "ismn",
  "upc",
  "geometry",
  "geography",
].concat(["vector", "halfvec", "sparsevec"]);
const named = (name: string): TypeDetail => ({ kind: "named", name });
const arrayOf = (of: ColumnType): TypeDetail => ({ kind: "array", of });

/** Columns of every mapped type: optional, required, and with a default. */
export const COLUMNS: readonly (ColumnSpec & { readonly columnType: string })[] = [
  ...Object.entries(OID).map(([name, oid]) => ({ name, oid, columnType: name })),
  ...EXTENSIONS.map((name, at) => ({ name, oid: 20_000 + at, detail: named(name), columnType: name })),
  { name: "price", oid: OID.numeric, typmod: (10 << 16) + 2 + 4, columnType: "numeric(10,2)" },
  { name: "flag", oid: OID.bit, typmod: 1, columnType: "bit(1)" },
  { name: "bits", oid: OID.bit, typmod: 12, columnType: "bit(12)" },
  { name: "code", oid: OID.bpchar, typmod: 4 + 3, columnType: "character(3)" },
  { name: "short", oid: OID.varchar, typmod: 4 + 5, columnType: "character varying(5)" },
  { name: "at", oid: OID.timestamp, typmod: 3, columnType: "timestamp(3) without time zone" },
  {
    name: "mood",
    oid: 30_000,
    detail: { kind: "enum", name: "mood", labels: ["sad", "so so", "happy"] },
    columnType: "mood",
  },
  { name: "tags", oid: 1009, detail: arrayOf(columnType(OID.text, -1, undefined)), columnType: "text[]" },
  {
    name: "prices",
    oid: 1231,
    typmod: (6 << 16) + 2 + 4,
    detail: arrayOf({ oid: OID.numeric, typmod: -1 }),
    columnType: "numeric(6,2)[]",
  },
  { name: "state", oid: OID.text, defaultExpr: "'new'::text", columnType: "text" },
  { name: "level", oid: OID.int4, notNull: true, columnType: "integer" },
  { name: "count", oid: OID.int8, notNull: true, defaultExpr: "5", columnType: "bigint" },
  { name: "rate", oid: OID.numeric, typmod: (4 << 16) + 1 + 4, defaultExpr: "1.5", columnType: "numeric(4,1)" },
];
