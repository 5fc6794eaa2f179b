import { columnType, type ColumnType, type TypeDetail } from "../../src/table/column.ts";
import { OID } from "../../src/event/types/table.ts";
import { DEFAULT_MODES, type ValueModes } from "../../src/event/types/modes.ts";
import type { Json } from "../../src/json.ts";

/** One column from Debezium's own tests: its declaration, its value in the log, and the expected field and bytes. */
export interface ColumnCase {
  readonly id: string;
  readonly column: string;
  readonly config: Readonly<Record<string, string>>;
  readonly pre_ddl: readonly string[];
  readonly insert_literal?: string | null;
  readonly expected_value?: Json;
  readonly pgoutput?: {
    readonly kind: "t" | "n" | "u";
    readonly type_oid: number | null;
    readonly typname: string;
    readonly typtype: string;
    readonly typmod: number;
    readonly not_null: boolean;
    readonly default_expr: string | null;
    readonly text: string | null;
  };
  readonly expected_avro_field: { readonly type: Json; readonly default?: Json };
  readonly expected_avro_binary_hex?: string;
}

/** SQL names that differ from pg_type's. */
const SQL_NAMES: Readonly<Record<string, keyof typeof OID>> = {
  smallint: "int2",
  integer: "int4",
  bigint: "int8",
  real: "float4",
  "double precision": "float8",
  boolean: "bool",
  "character varying": "varchar",
  "time without time zone": "time",
  char: "bpchar",
};

const OIDS: Readonly<Record<string, number>> = OID;

/** `numeric(6,2)` as a type. */
export function sqlType(sql: string): ColumnType {
  const [, written = "", n = "", scale = "0"] = /^([a-z0-9 ]+?)(?:\((\d+)(?:,(\d+))?\))?$/i.exec(sql.trim()) ?? [];
  const typname = SQL_NAMES[written.toLowerCase()] ?? written.toLowerCase();
  const oid = OIDS[typname] ?? 0;
  if (written === "char" && n === "") return { oid, typmod: 5 };
  if (n === "") return { oid, typmod: -1 };
  if (typname === "numeric") return { oid, typmod: (Number(n) << 16) + Number(scale) + 4 };
  return { oid, typmod: typname.endsWith("char") ? Number(n) + 4 : Number(n) };
}

/** A type's description in the catalog, derived from the DDL that created it. */
function detailOf(typname: string, typtype: string, ddl: readonly string[]): TypeDetail {
  for (const text of ddl) {
    const [, name, base] = /^CREATE DOMAIN (?:\w+\.)?(\w+) AS (.*?)(?: (?:DEFAULT|CHECK) .*)?$/i.exec(text) ?? [];
    if (name === typname && base !== undefined && typtype !== "e") return { kind: "domain", name, of: sqlType(base) };
    const [, label, list] = /^CREATE TYPE (?:public\.)?"?([\w.]+)"? AS ENUM \((.*)\)$/i.exec(text) ?? [];
    if (label === typname && list !== undefined && typtype !== "d") {
      return { kind: "enum", name: label, labels: [...list.matchAll(/'([^']*)'/g)].map(([, one]) => one ?? "") };
    }
  }
  return { kind: "named", name: typname };
}

function typeOf(typname: string, typtype: string, typmod: number, ddl: readonly string[]): ColumnType {
  const oid = OIDS[typname];
  if (oid !== undefined) return { oid, typmod };
  if (!typname.startsWith("_")) return { oid: 99_999, typmod, detail: detailOf(typname, typtype, ddl) };
  return columnType(99_998, typmod, { kind: "array", of: typeOf(typname.slice(1), "", typmod, ddl) });
}

/** pgvector and PostGIS were not installed where the texts were recorded: their types are taken from the id. */
const MISSING: Readonly<Record<string, string>> = {
  "pgvector.f_vector.default": "vector",
  "pgvector.f_halfvec.default": "halfvec",
  "postgis_table.p.default": "geometry",
};

export function caseType(one: ColumnCase): ColumnType {
  const { pgoutput, pre_ddl } = one;
  if (pgoutput === undefined)
    return { oid: 99_999, typmod: -1, detail: { kind: "named", name: MISSING[one.id] ?? "" } };
  return typeOf(pgoutput.typname, pgoutput.typtype, pgoutput.typmod, pre_ddl);
}

/** The value's text; for types that were not installed, as PostGIS and pgvector print it. */
export function caseText(one: ColumnCase): string | null {
  const { pgoutput, expected_value: value } = one;
  if (pgoutput !== undefined) return pgoutput.text;
  if (Array.isArray(value)) return `[${value.join(",")}]`;
  const wkb = typeof value === "object" && value !== null && "wkb" in value ? value["wkb"] : undefined;
  return typeof wkb === "string" ? wkb.toUpperCase() : null;
}

/** Modes from Debezium's properties. */
export function modesOf(config: Readonly<Record<string, string>>): ValueModes {
  const set: Record<string, unknown> = { ...DEFAULT_MODES };
  const take = (property: string, mode: keyof ValueModes): void => {
    if (config[property] !== undefined) set[mode] = config[property];
  };
  take("decimal.handling.mode", "decimal");
  take("time.precision.mode", "time");
  take("interval.handling.mode", "interval");
  take("binary.handling.mode", "binary");
  take("hstore.handling.mode", "hstore");
  if (config["money.fraction.digits"] !== undefined) set["moneyDigits"] = Number(config["money.fraction.digits"]);
  if (config["include.unknown.datatypes"] === "true") set["unknownTypes"] = true;
  return set as unknown as ValueModes; // the properties' values are the modes'
}

/** Why Fieldgate does not cover a case; undefined: it does. */
export function outOfScope({ config }: ColumnCase): string | undefined {
  if (config["time.precision.mode"] === "structured") return "time.precision.mode=structured";
  return ["column.propagate", "datatype.propagate", "column.mask", "column.truncate"].find((prefix) =>
    Object.keys(config).some((key) => key.startsWith(prefix)),
  );
}
