import {
  aliasTexts,
  parseDetails,
  ENUM_KEYS,
  fail,
  FIELD_KEYS,
  orderOf,
  parseName,
  propsOf,
  repeated,
  textOf,
  TYPE_KEYS,
} from "./attributes.ts";
import { isDoubleText, isValidDefault } from "./default.ts";
import { isName, qualify } from "./name.ts";
import { sameDefinition } from "./reading/redefinition.ts";
import {
  isNamed,
  isPrimitive,
  type AvroEnum,
  type AvroFixed,
  type AvroNamed,
  type AvroRecord,
  type AvroSchema,
  type RecordField,
} from "./schema.ts";
import { type Json, isArray, isObject, isTooDeep, type JsonObject, type NumberText, TOO_DEEP } from "../json.ts";

/**
 * Reads a schema's JSON into the graph of `AvroSchema`, as Avro's Java library does. A type may be used before it is
 * defined, so an unknown name gets a stand-in, which is replaced once everything has been read. Unions and defaults
 * depend on the final types, so they are checked again at that point.
 */

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A name that is used before its type is defined: `put` stores the type in its place. */
interface Awaited {
  readonly fullName: string;
  readonly place: string;
  readonly put: (schema: AvroSchema) => void;
}

interface Parsing {
  readonly numberText: NumberText;
  readonly named: Map<string, AvroNamed>;
  /** Stand-ins for types that are not defined yet. As in Java, they are records without fields. */
  readonly standIns: Map<AvroSchema, string>;
  readonly awaited: Awaited[];
}

/**
 * Reads a schema as Avro's Java library does since 1.12:
 * - a union's default may match any branch, and a union may be empty;
 * - a type may be defined twice if the definitions are identical, may be used before its definition, and is looked up
 *   in the null namespace if its own namespace has no type of that name;
 * - names may contain any Unicode letter, and `error` is a record;
 * - `{"type": "Name"}` means that type (Java has rejected this since 1.12.2, but registries contain such schemas);
 * - logical types are kept as properties and not checked.
 *
 * Throws `schema-invalid` with the place as a JSON pointer. `numberText` comes from readJsonText; without it, `1.0`
 * cannot be distinguished from `1`.
 */
export function parseSchema(json: Json, numberText: NumberText = () => undefined): AvroSchema {
  if (isTooDeep(json)) return fail("", TOO_DEEP);
  const parsing: Parsing = { numberText, named: new Map(), standIns: new Map(), awaited: [] };
  const root = parseType(parsing, json, undefined, "");
  const awaitedRoot = parsing.standIns.get(root);
  if (awaitedRoot !== undefined) return fail("", `no type is named "${awaitedRoot}"`);
  if (parsing.awaited.length > 0) {
    for (const { fullName, place, put } of parsing.awaited) {
      put(parsing.named.get(fullName) ?? fail(place, `no type is named "${fullName}"`));
    }
    checkAgain(parsing, root);
  }
  return isNamed(root) ? (parsing.named.get(root.fullName) ?? root) : root;
}

function parseType(parsing: Parsing, json: Json, namespace: string | undefined, place: string): AvroSchema {
  if (typeof json === "string") return findType(parsing, json, namespace);
  if (isArray(json)) return parseUnion(parsing, json, namespace, place);
  if (!isObject(json)) return fail(place, "expected a type: a name, an object or a list of types");
  const { type } = json;
  switch (type) {
    case "record":
    case "error":
      return parseRecord(parsing, json, namespace, place);
    case "enum":
      return define(parsing, parseEnum(json, namespace, place), place);
    case "fixed":
      return define(parsing, parseFixed(parsing, json, namespace, place), place);
    case "array": {
      const array = { kind: "array" as const, items: nothing, props: propsOf(json, TYPE_KEYS) };
      parseInto(parsing, json["items"], namespace, `${place}/items`, (items) => (array.items = items));
      return array;
    }
    case "map": {
      const map = { kind: "map" as const, values: nothing, props: propsOf(json, TYPE_KEYS) };
      parseInto(parsing, json["values"], namespace, `${place}/values`, (values) => (map.values = values));
      return map;
    }
    default:
      if (typeof type !== "string") return fail(place, '"type" must be the name of a type here');
      if (isPrimitive(type)) return { kind: type, props: propsOf(json, TYPE_KEYS) };
      return findType(parsing, type, namespace);
  }
}

const nothing: AvroSchema = { kind: "null", props: {} };

/**
 * Parses the type at `place` and stores it. A type that is not defined yet is stored once its definition has been read.
 */
function parseInto(
  parsing: Parsing,
  json: Json | undefined,
  namespace: string | undefined,
  place: string,
  put: (schema: AvroSchema) => void,
): void {
  if (json === undefined) return fail(place, "a type is missing here");
  const schema = parseType(parsing, json, namespace, place);
  put(schema);
  const fullName = parsing.standIns.get(schema);
  if (fullName !== undefined) parsing.awaited.push({ fullName, place, put });
}

function findType(parsing: Parsing, name: string, namespace: string | undefined): AvroSchema {
  if (isPrimitive(name)) return { kind: name, props: {} };
  const fullName = qualify(name, namespace);
  const found = parsing.named.get(fullName) ?? parsing.named.get(name);
  if (found !== undefined) return found;
  const standIn: AvroRecord = {
    kind: "record",
    name: "",
    namespace: undefined,
    fullName: `?${parsing.standIns.size}`,
    aliases: [],
    doc: undefined,
    props: {},
    fields: [],
  };
  parsing.standIns.set(standIn, fullName);
  return standIn;
}

/** A second definition of a type becomes a separate node; references use the first one. */
function define<T extends AvroNamed>(parsing: Parsing, schema: T, place: string): T {
  const parts = schema.fullName.split(".");
  const wrong = parts.find((part) => !isName(part));
  if (wrong !== undefined) fail(place, `"${wrong}" in "${schema.fullName}" is not a valid name`);
  const known = parsing.named.get(schema.fullName);
  if (known === undefined) parsing.named.set(schema.fullName, schema);
  else if (!sameDefinition(known, schema)) fail(place, `"${schema.fullName}" has two different definitions`);
  return schema;
}

function parseUnion(parsing: Parsing, json: readonly Json[], namespace: string | undefined, place: string): AvroSchema {
  const branches: AvroSchema[] = [];
  for (const [at, branch] of json.entries()) {
    parseInto(parsing, branch, namespace, `${place}/${at}`, (schema) => (branches[at] = schema));
  }
  checkUnion(branches, place);
  return { kind: "union", branches };
}

function checkUnion(branches: readonly AvroSchema[], place: string): void {
  const seen = new Set<string>();
  for (const branch of branches) {
    if (branch.kind === "union") fail(place, "a union may not contain a union directly");
    const name = isNamed(branch) ? branch.fullName : branch.kind;
    if (seen.has(name)) fail(place, `"${name}" is in the union twice`);
    seen.add(name);
  }
}

function parseRecord(parsing: Parsing, json: JsonObject, namespace: string | undefined, place: string): AvroRecord {
  const named = parseName(json, namespace, place);
  const list = json["fields"];
  if (!isArray(list)) return fail(place, `record "${named.fullName}" has no list of fields`);
  const fields = list.map((field, at) => parseField(parsing, field, named.namespace, `${place}/fields/${at}`));
  const twice = repeated(fields.map((field) => field.name));
  if (twice !== undefined) fail(place, `record "${named.fullName}" has two fields "${twice}"`);
  return define(parsing, { kind: "record", ...named, ...parseDetails(json, named, TYPE_KEYS, place), fields }, place);
}

function parseField(parsing: Parsing, json: Json, namespace: string | undefined, place: string): RecordField {
  const name = isObject(json) ? json["name"] : undefined;
  if (!isObject(json) || typeof name !== "string") return fail(place, "the field has no name");
  if (!isName(name)) return fail(place, `"${name}" is not a valid field name`);
  const field: Mutable<RecordField> = {
    name,
    type: nothing,
    default: json["default"],
    aliases: aliasTexts(json, place),
    order: orderOf(json, place),
    doc: textOf(json["doc"]),
    props: propsOf(json, FIELD_KEYS),
  };
  parseInto(parsing, json["type"], namespace, `${place}/type`, (type) => (field.type = type));
  checkDefault(field, json, { numberText: parsing.numberText, fields: (record) => record.fields }, place);
  return field;
}

function checkDefault(
  field: RecordField,
  json: JsonObject,
  context: Parameters<typeof isValidDefault>[3],
  place: string,
): void {
  const { default: value, type } = field;
  if (value === undefined) return;
  const asDouble = (type.kind === "float" || type.kind === "double") && typeof value === "string";
  if (asDouble ? isDoubleText(value) : isValidDefault(type, json, "default", context)) return;
  fail(`${place}/default`, `the default of field "${field.name}" does not fit its type (${type.kind})`);
}

function parseEnum(json: JsonObject, namespace: string | undefined, place: string): AvroEnum {
  const named = parseName(json, namespace, place);
  const list = json["symbols"];
  if (!isArray(list)) return fail(place, `enum "${named.fullName}" has no list of symbols`);
  const symbols = list.map((symbol, at) =>
    typeof symbol === "string" && isName(symbol)
      ? symbol
      : fail(`${place}/symbols/${at}`, "the symbol is not a valid name"),
  );
  const twice = repeated(symbols);
  if (twice !== undefined) fail(place, `enum "${named.fullName}" has "${twice}" twice`);
  const symbol = textOf(json["default"]);
  if (symbol !== undefined && !symbols.includes(symbol)) {
    fail(`${place}/default`, `"${symbol}" is not a symbol of enum "${named.fullName}"`);
  }
  return { kind: "enum", ...named, ...parseDetails(json, named, ENUM_KEYS, place), symbols, default: symbol };
}

const MAX_FIXED = 2 ** 31 - 9;

function parseFixed(parsing: Parsing, json: JsonObject, namespace: string | undefined, place: string): AvroFixed {
  const named = parseName(json, namespace, place);
  const { size } = json;
  const whole = /^-?\d+$/.test(parsing.numberText(json, "size") ?? "0");
  if (typeof size !== "number" || !whole || !Number.isInteger(size) || size < 0 || size > MAX_FIXED) {
    return fail(place, `fixed "${named.fullName}" needs a size: a whole number, 0 or more`);
  }
  return { kind: "fixed", ...named, ...parseDetails(json, named, TYPE_KEYS, place), size };
}

/**
 * Checks unions and defaults again once every name has its type, inner types first. Java does this when it copies the
 * schema, and rejects a default for a record that contains the very field that has the default.
 */
function checkAgain(parsing: Parsing, root: AvroSchema): void {
  const entered = new Set<AvroSchema>();
  const finished = new Set<AvroSchema>();
  const fields = (record: AvroRecord): AvroRecord["fields"] =>
    finished.has(record)
      ? record.fields
      : fail("", `record "${record.fullName}" contains a default for itself inside itself`);
  const context = { numberText: parsing.numberText, fields };
  const visit = (schema: AvroSchema): void => {
    if (entered.has(schema)) return;
    entered.add(schema);
    if (schema.kind === "array") visit(schema.items);
    if (schema.kind === "map") visit(schema.values);
    if (schema.kind === "union") {
      schema.branches.forEach(visit);
      checkUnion(schema.branches, "");
    }
    if (schema.kind === "record") {
      for (const field of schema.fields) visit(field.type);
      for (const field of schema.fields) checkDefault(field, { default: field.default ?? null }, context, "");
    }
    finished.add(schema);
  };
  visit(root);
}
