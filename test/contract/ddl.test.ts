import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { explainCauses } from "../../src/avro/reading/cause.ts";
import { checkLevel } from "../../src/avro/reading/level.ts";
import { parseSchema } from "../../src/avro/parse.ts";
import type { AvroSchema } from "../../src/avro/schema.ts";
import type { Contract } from "../../src/contract/contract.ts";
import { findingText } from "../../src/cli/check/format/text.ts";
import { judge } from "../../src/contract/judge.ts";
import type { Finding } from "../../src/finding.ts";
import type { Json } from "../../src/json.ts";

interface Row {
  readonly id: string;
  readonly ddl: string;
  readonly avro_changes: boolean;
  readonly backward: boolean;
  readonly forward: boolean;
}

const FILE = new URL("../cases/debezium-ddl-registry-compatibility.json", import.meta.url);
const { rows } = JSON.parse(readFileSync(FILE, "utf8")) as { rows: readonly Row[] }; // the file has this form

type Fields = readonly { readonly name: string; readonly type: Json; readonly default?: Json }[];

const req = (name: string, type: Json) => ({ name, type });
const opt = (name: string, type: Json) => ({ name, type: ["null", type], default: null });
const withDefault = (name: string, type: Json, value: Json) => ({ name, type, default: value });
const named = (type: string, name: string, version = 1) => ({ type, "connect.version": version, "connect.name": name });
const decimal = (precision: number, scale: number): Json => ({
  type: "bytes",
  scale,
  precision,
  "connect.version": 1,
  "connect.parameters": { scale: String(scale), "connect.decimal.precision": String(precision) },
  "connect.name": "org.apache.kafka.connect.data.Decimal",
  logicalType: "decimal",
});
const variableScale: Json = {
  type: "record",
  name: "VariableScaleDecimal",
  namespace: "io.debezium.data",
  fields: [req("scale", "int"), req("value", "bytes")],
  "connect.version": 1,
  "connect.name": "io.debezium.data.VariableScaleDecimal",
};
const geometry = (version: number, ...more: Fields): Json => ({
  type: "record",
  name: "Geometry",
  namespace: "io.debezium.data.geometry",
  fields: [req("wkb", "bytes"), opt("srid", "int"), ...more],
  "connect.version": version,
  "connect.name": "io.debezium.data.geometry.Geometry",
});
const array = (items: Json): Json => ({ type: "array", items });
const enumOf = (allowed: string): Json => ({
  ...named("string", "io.debezium.data.Enum"),
  "connect.parameters": { allowed },
});
const INT16 = { type: "int", "connect.type": "int16" };
const UUID = named("string", "io.debezium.data.Uuid");
const ID = req("id", "int");
const time = (type: string, name: string) => opt("c", named(type, `io.debezium.time.${name}`));

/** The fields of the row before and after each DDL, as Debezium maps the columns. */
const CHANGES: Readonly<Record<string, readonly [before: Fields, after: Fields]>> = {
  add_nullable: [[], [opt("c", "int")]],
  add_nullable_default: [[], [withDefault("c", ["int", "null"], 5)]],
  add_not_null_default: [[], [withDefault("c", "int", 5)]],
  add_not_null_no_default: [[], [req("c", "int")]],
  add_not_null_bytea_default: [[], [req("c", "bytes")]],
  add_not_null_array_default: [[], [req("c", array(["null", "int"]))]],
  add_not_null_numeric_noscale: [[], [req("c", variableScale)]],
  add_domain_default: [[], [req("c", "int")]],
  add_uuid_fn: [[], [withDefault("c", UUID, "00000000-0000-0000-0000-000000000000")]],
  drop_nullable: [[opt("name", "string")], []],
  drop_not_null_no_default: [[req("x", "int")], []],
  drop_not_null_default: [[withDefault("x", "int", 1)], []],
  rename_nullable: [[opt("name", "string")], [opt("title", "string")]],
  rename_not_null: [[req("x", "int")], [req("y", "int")]],
  set_not_null: [[opt("name", "string")], [req("name", "string")]],
  drop_not_null: [[req("x", "int")], [opt("x", "int")]],
  set_default: [[opt("name", "string")], [withDefault("name", ["string", "null"], "a")]],
  change_default: [[withDefault("c", "int", 5)], [withDefault("c", "int", 7)]],
  drop_default: [[withDefault("c", "int", 5)], [req("c", "int")]],
  int_to_bigint: [[opt("c", "int")], [opt("c", "long")]],
  bigint_to_int: [[opt("c", "long")], [opt("c", "int")]],
  int_to_smallint: [[opt("c", "int")], [opt("c", INT16)]],
  int_to_text: [[opt("c", "int")], [opt("c", "string")]],
  real_to_double: [[opt("c", "float")], [opt("c", "double")]],
  varchar_widen: [[opt("c", "string")], [opt("c", "string")]],
  varchar_to_uuid: [[opt("c", "string")], [opt("c", UUID)]],
  text_to_json: [[opt("c", "string")], [opt("c", named("string", "io.debezium.data.Json"))]],
  numeric_scale: [[opt("c", decimal(5, 2))], [opt("c", decimal(6, 1))]],
  numeric_precision: [[opt("c", decimal(5, 2))], [opt("c", decimal(10, 2))]],
  numeric_to_noscale: [[opt("c", decimal(5, 2))], [opt("c", variableScale)]],
  noscale_to_numeric: [[opt("c", variableScale)], [opt("c", decimal(5, 2))]],
  int_to_numeric: [[opt("c", "int")], [opt("c", decimal(10, 0))]],
  ts6_to_ts3: [[time("long", "MicroTimestamp")], [time("long", "Timestamp")]],
  ts_to_tstz: [[time("long", "MicroTimestamp")], [time("string", "ZonedTimestamp")]],
  time6_to_time3: [[time("long", "MicroTime")], [time("int", "Time")]],
  bit1_to_bit2: [[opt("c", "boolean")], [opt("c", named("bytes", "io.debezium.data.Bits"))]],
  enum_add_value: [[opt("c", enumOf("a,b"))], [opt("c", enumOf("a,b,d"))]],
  text_to_array: [[opt("c", "string")], [opt("c", array(["null", "string"]))]],
  reorder: [
    [opt("c", "int"), opt("d", "string")],
    [opt("d", "string"), opt("c", "int")],
  ],
  geometry_v1_v2: [
    [opt("c", geometry(1))],
    [opt("c", geometry(2, opt("extensions", { type: "map", values: "string" })))],
  ],
};

/** DDL without findings: an int remains one, labels are data, events keep their values. */
const SILENT = ["drop_default", "int_to_smallint", "varchar_widen", "enum_add_value", "reorder"];

function envelope(fields: Fields): Json {
  const value = { type: "record", name: "Value", fields: [ID, ...fields] };
  return {
    type: "record",
    name: "Envelope",
    namespace: "shop.public.orders",
    fields: [
      { name: "before", type: ["null", value], default: null },
      { name: "after", type: ["null", "Value"], default: null },
      { name: "op", type: "string" },
    ],
  };
}

function changeOf(id: string): { readonly now: Json; readonly next: Json; readonly names: readonly string[] } {
  const change = CHANGES[id];
  if (change === undefined) throw new Error(`${id} has no schemas here`);
  const [before, after] = change;
  const names = (before.length > 0 ? before : after).map(({ name }) => name);
  return { now: envelope(before), next: envelope(after), names };
}

const BASE = { version: 1, environment: "default", consumer: "billing", topic: "shop.public.orders" } as const;

function contractsOf(now: Json, fields: readonly string[]): Readonly<Record<string, Contract>> {
  return {
    reader: { ...BASE, decodesWith: "reader", unknownFields: "reject", schema: now },
    writer: { ...BASE, decodesWith: "writer", unknownFields: "accept", fields: ["id", ...fields] },
  };
}

function explanation(id: string): string {
  const { now, next, names } = changeOf(id);
  const [flowing, candidate] = [parseSchema(now), parseSchema(next)];
  const added = addedNames(id).map((name) => ({ name }));
  const judged = Object.entries(contractsOf(now, names)).flatMap(([kind, contract]) => {
    const { verdict, findings } = judge(contract, { topic: BASE.topic, envelope: candidate, added, flowing });
    return [`  ${kind}: ${verdict}`, ...findings.map(text)];
  });
  return [
    ...registryText("candidate reads what flows", candidate, flowing),
    ...registryText("what flows reads the candidate", flowing, candidate),
    ...judged,
  ].join("\n");
}

function addedNames(id: string): readonly string[] {
  const [before, after] = CHANGES[id] ?? [[], []];
  return after.map(({ name }) => name).filter((name) => !before.some((field) => field.name === name));
}

function registryText(title: string, reader: AvroSchema, writer: AvroSchema): readonly string[] {
  const causes = explainCauses(reader, writer).filter(({ path }) => path[0] === "after");
  return causes.map(({ path, message }) => `  ${title}: no, ${path.join(".")}: ${message}`);
}

function text(finding: Finding): string {
  return `    ${findingText(finding).replaceAll("\n", "\n  ")}`;
}

test("every DDL in the file has a case here", () => {
  expect(Object.keys(CHANGES).toSorted()).toEqual(rows.map(({ id }) => id).toSorted());
});

test.each(rows)("$ddl: the registry's levels give the expected results ($id)", ({ id, backward, forward }) => {
  const { now, next } = changeOf(id);
  const [flowing, candidate] = [parseSchema(now), parseSchema(next)];
  const allowed = (["BACKWARD", "FORWARD"] as const).map((level) => checkLevel(level, [flowing], candidate).compatible);
  expect(allowed).toEqual([backward, forward]);
});

test.each(rows)("$ddl: the explanation names the column ($id)", ({ id }) => {
  const said = explanation(id);
  const isNamed = changeOf(id).names.some((name) => said.includes(`after.${name}: `));
  expect(isNamed).toBe(!SILENT.includes(id));
});

test("the findings for each DDL", async () => {
  const page = rows.map(({ id, ddl }) => `${id}: ${ddl}\n${explanation(id)}\n`).join("\n");
  await expect(page).toMatchFileSnapshot("ddl.txt");
});
