import type { AvroField, Field } from "../../table/shape.ts";
import { namespaceName } from "./names.ts";
import { type Json, isObject, type JsonObject } from "../../json.ts";

/**
 * Builds a topic's schemas as Debezium and AvroConverter do, reads registered ones, and replaces their fields. Reading
 * inlines every reference to a named type; writing turns repeated definitions back into references.
 */

/** An existing subject's latest schema: a Debezium envelope, or the reason why it is not one. */
export type ReadEnvelope =
  | { readonly kind: "envelope"; readonly fields: readonly AvroField[] }
  | { readonly kind: "no-envelope"; readonly why: string };

/**
 * The value schema that AvroConverter registers for Debezium 3.7 (SchemaFactory's envelope version 2, source block
 * version 1), with properties in the same order. The topic gives the namespace.
 */
export function envelopeSchema(topic: string, fields: readonly Field[]): Json {
  const namespace = namespaceName(topic);
  const value = { type: "record", name: "Value", fields: avroFields(fields), "connect.name": `${namespace}.Value` };
  return {
    type: "record",
    name: "Envelope",
    namespace,
    fields: [
      { name: "before", type: ["null", value], default: null },
      { name: "after", type: ["null", "Value"], default: null },
      { name: "source", type: SOURCE },
      { name: "transaction", type: ["null", TRANSACTION], default: null },
      { name: "op", type: "string" },
      optional("ts_ms", "long"),
      optional("ts_us", "long"),
      optional("ts_ns", "long"),
    ],
    "connect.version": 2,
    "connect.name": `${namespace}.Envelope`,
  };
}

/** The schema after ExtractNewRecordState, which is only the row's record. */
export function rowSchema(topic: string, fields: readonly Field[]): Json {
  return recordSchema(topic, "Value", fields);
}

/** The key schema, with the fields in the key's order. Undefined if there are no fields; events then have no key. */
export function keySchema(topic: string, fields: readonly Field[]): Json | undefined {
  return fields.length === 0 ? undefined : recordSchema(topic, "Key", fields);
}

function recordSchema(topic: string, name: "Key" | "Value", fields: readonly Field[]): Json {
  const namespace = namespaceName(topic);
  return { type: "record", name, namespace, fields: avroFields(fields), "connect.name": `${namespace}.${name}` };
}

/** A record's fields. A named type is defined at its first use, and referred to by its full name after that. */
function avroFields(fields: readonly Field[]): readonly Json[] {
  const seen = new Set<string>();
  const refer = (type: Json, enclosing: string): Json => {
    if (Array.isArray(type)) return type.map((branch: Json) => refer(branch, enclosing));
    if (!isObject(type)) return type;
    const namespace = namespaceOf(type, enclosing);
    if (typeof type["name"] === "string") {
      const name = `${namespace}.${type["name"]}`;
      if (seen.has(name)) return name;
      seen.add(name);
    }
    return mapTypes(type, (inner) => refer(inner, namespace));
  };
  return fields.map((field) => ({ ...field.avro, type: refer(field.avro.type, "") }));
}

/** Applies `change` to the types that this type contains directly. */
function mapTypes(type: JsonObject, change: (inner: Json) => Json): JsonObject {
  const { items, values, fields } = type;
  if (items !== undefined) return { ...type, items: change(items) };
  if (values !== undefined) return { ...type, values: change(values) };
  if (!Array.isArray(fields)) return type;
  const changed = fields.map((field: Json) =>
    isObject(field) ? { ...field, type: change(field["type"] ?? null) } : field,
  );
  return { ...type, fields: changed };
}

function optional(name: string, type: string): Json {
  return { name, type: ["null", type], default: null };
}

const SNAPSHOT_MARKS = "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental";

const SOURCE: Json = {
  type: "record",
  name: "Source",
  namespace: "io.debezium.connector.postgresql",
  fields: [
    { name: "version", type: "string" },
    { name: "connector", type: "string" },
    { name: "name", type: "string" },
    { name: "ts_ms", type: "long" },
    {
      name: "snapshot",
      type: [
        {
          type: "string",
          "connect.version": 1,
          "connect.parameters": { allowed: SNAPSHOT_MARKS },
          "connect.default": "false",
          "connect.name": "io.debezium.data.Enum",
        },
        "null",
      ],
      default: "false",
    },
    { name: "db", type: "string" },
    optional("sequence", "string"),
    optional("ts_us", "long"),
    optional("ts_ns", "long"),
    { name: "schema", type: "string" },
    { name: "table", type: "string" },
    optional("txId", "long"),
    optional("lsn", "long"),
    optional("xmin", "long"),
    optional("origin", "string"),
    optional("origin_lsn", "long"),
  ],
  "connect.version": 1,
  "connect.name": "io.debezium.connector.postgresql.Source",
};

const TRANSACTION: Json = {
  type: "record",
  name: "block",
  namespace: "event",
  fields: [
    { name: "id", type: "string" },
    { name: "total_order", type: "long" },
    { name: "data_collection_order", type: "long" },
  ],
  "connect.version": 1,
  "connect.name": "event.block",
};

/**
 * The fields of the row record in a registered Debezium envelope, with every reference to a named type inlined. Any version
 * of Debezium's source block is accepted; `before`, `after`, `source` and `op` are required.
 */
export function readEnvelope(schema: Json): ReadEnvelope {
  const fields = recordFields(schema);
  if (fields === undefined || !isObject(schema)) return { kind: "no-envelope", why: "it is not a record" };
  const missing = ["before", "after", "source", "op"].find((name) => !fields.some((field) => field.name === name));
  if (missing !== undefined) return { kind: "no-envelope", why: `it has no field ${missing}` };
  const row = fields
    .filter((field) => field.name === "before" || field.name === "after")
    .flatMap((field) => (Array.isArray(field.type) ? field.type : [field.type]))
    .find((branch: Json) => isObject(branch) && branch["type"] === "record");
  const rowFields = isObject(row) ? fieldsOf(row) : undefined;
  if (!isObject(row) || rowFields === undefined)
    return { kind: "no-envelope", why: "before and after do not contain a record" };
  return { kind: "envelope", fields: spelledOut(rowFields, namespaceOf(row, namespaceOf(schema, ""))) };
}

/**
 * The fields of a registered schema for unwrapped rows, with references inlined as in readEnvelope; undefined if it is
 * not a record.
 */
export function readRow(schema: Json): readonly AvroField[] | undefined {
  const fields = recordFields(schema);
  return fields === undefined ? undefined : spelledOut(fields, namespaceOf(schema, ""));
}

function spelledOut(fields: readonly AvroField[], namespace: string): readonly AvroField[] {
  const named = new Map<string, Json>();
  return fields.map((field) => ({ ...field, type: spellOut(field.type, namespace, named) }));
}

/** The fields of a record, such as a key; undefined if the schema is not a record. */
export function recordFields(schema: Json): readonly AvroField[] | undefined {
  return isObject(schema) && schema["type"] === "record" ? fieldsOf(schema) : undefined;
}

/**
 * The same schema with `fields` in its row record. In a schema for unwrapped rows, they replace the fields `before`;
 * fields that a transform added after those are kept.
 */
export function withRowFields(schema: Json, fields: readonly Field[], before: readonly Field[]): Json {
  const known = recordFields(schema);
  if (known === undefined || !isObject(schema)) return schema;
  if (readEnvelope(schema).kind === "envelope")
    return { ...schema, fields: known.map((field) => inImage(field, fields)) };
  const added = known.filter(({ name }) => !before.some((field) => field.name === name));
  return { ...schema, fields: [...avroFields(fields), ...added.map((field) => ({ ...field }))] };
}

/** `record` with the fields of `other`. */
export function withFieldsOf(record: Json, other: Json): Json {
  const fields = recordFields(other);
  return fields === undefined || !isObject(record)
    ? other
    : { ...record, fields: fields.map((field) => ({ ...field })) };
}

function inImage(field: AvroField, fields: readonly Field[]): Json {
  const row = (type: Json): Json => {
    if (Array.isArray(type)) return type.map(row);
    return isObject(type) && type["type"] === "record" ? { ...type, fields: avroFields(fields) } : type;
  };
  return field.name === "before" || field.name === "after" ? { ...field, type: row(field.type) } : { ...field };
}

function fieldsOf(record: JsonObject): readonly AvroField[] | undefined {
  const fields = record["fields"];
  if (!Array.isArray(fields)) return undefined;
  const fit = fields.every(
    (field: Json) => isObject(field) && typeof field["name"] === "string" && field["type"] !== undefined,
  );
  return fit ? (fields as readonly AvroField[]) : undefined; // the line before checked every field
}

function spellOut(type: Json, namespace: string, named: Map<string, Json>): Json {
  if (Array.isArray(type)) return type.map((branch: Json) => spellOut(branch, namespace, named));
  if (typeof type === "string") return named.get(type.includes(".") ? type : `${namespace}.${type}`) ?? type;
  if (!isObject(type)) return type;
  const own = namespaceOf(type, namespace);
  const whole = mapTypes(type, (inner) => spellOut(inner, own, named));
  const { name } = whole;
  if (typeof name === "string") named.set(name.includes(".") ? name : `${own}.${name}`, withNamespace(whole, own));
  return whole;
}

/** Adds the namespace that the type inherits here, so that its definition can be used elsewhere. */
function withNamespace(type: JsonObject, namespace: string): JsonObject {
  const { type: kind = "record", name = "", ...rest } = type;
  return "namespace" in type ? type : { type: kind, name, namespace, ...rest };
}

function namespaceOf(type: Json, enclosing: string): string {
  if (!isObject(type)) return enclosing;
  const { name, namespace } = type;
  if (typeof name === "string" && name.includes(".")) return name.slice(0, name.lastIndexOf("."));
  return typeof namespace === "string" ? namespace : enclosing;
}
