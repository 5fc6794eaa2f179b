/**
 * How Java's decoder applies the reader's aliases: Schema.applyAliases of Avro 1.12. It renames the whole writer's schema
 * before it reads any data, so aliases that clash anywhere stop everything.
 */
import { oncePer } from "../../once.ts";
import { repeated } from "../attributes.ts";
import { isValidDefault } from "../default.ts";
import { sameDefinition } from "./redefinition.ts";
import { isNamed, type AvroNamed, type AvroRecord, type AvroSchema, type RecordField } from "../schema.ts";

/** The writer's names as the decoder sees them, with the reader's aliases applied. */
export interface Renaming {
  readonly typeName: (writer: AvroNamed) => string;
  readonly fieldName: (record: AvroRecord, field: RecordField) => string;
}

/** Leaves all names as they are written. */
const UNCHANGED: Renaming = { typeName: ({ fullName }) => fullName, fieldName: (_, { name }) => name };

/**
 * Applies the reader's aliases twice, as Java's decoder does, but stops once the writer's schema equals the reader's. Field
 * aliases apply only if both records have the same full name.
 */
export function renamingOf(
  reader: AvroSchema,
  writer: AvroSchema,
): { readonly renaming: Renaming; readonly clash?: Clash } {
  const { types, fields } = aliasesOf(reader);
  if ((types.size === 0 && fields.size === 0) || sameDefinition(reader, writer)) return { renaming: UNCHANGED };
  const renameType = (name: string): string => types.get(name) ?? name;
  const renameField = (record: string, name: string): string => fields.get(record)?.get(name) ?? name;
  const once: Renaming = {
    typeName: ({ fullName }) => renameType(fullName),
    fieldName: (record, { name }) => renameField(renameType(record.fullName), name),
  };
  const applied = renamed(once, writer);
  const clash = clashOf(applied);
  if (clash !== undefined) return { renaming: once, clash };
  if (sameDefinition(reader, applied)) return { renaming: once };
  const twice: Renaming = {
    typeName: (named) => renameType(once.typeName(named)),
    fieldName: (record, field) => renameField(twice.typeName(record), once.fieldName(record, field)),
  };
  const second = clashOf(renamed(twice, writer));
  return { renaming: twice, ...(second === undefined ? {} : { clash: second }) };
}

interface Aliases {
  /** Full names, by alias. */
  readonly types: ReadonlyMap<string, string>;
  /** Field names, by record and alias. */
  readonly fields: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** Cached, since one reader is compared with many writers. */
const aliasesOf = oncePer(aliasesIn);

function aliasesIn(reader: AvroSchema): Aliases {
  const types = new Map<string, string>();
  const fields = new Map<string, Map<string, string>>();
  for (const named of namedIn(reader)) {
    // Unlike the compatibility rule, the decoder matches `.Y`, an alias in the null namespace.
    for (const alias of named.aliases) types.set(alias.replace(/^\./, ""), named.fullName);
    if (named.kind !== "record") continue;
    for (const { name, aliases: others } of named.fields) {
      for (const alias of others) entryOf(fields, named.fullName).set(alias, name);
    }
  }
  return { types, fields };
}

/** The writer's schema with its types and fields renamed. */
function renamed(renaming: Renaming, writer: AvroSchema): AvroSchema {
  const done = new Map<AvroSchema, AvroSchema>();
  const copy = (schema: AvroSchema): AvroSchema => {
    if (schema.kind === "array") return { ...schema, items: copy(schema.items) };
    if (schema.kind === "map") return { ...schema, values: copy(schema.values) };
    if (schema.kind === "union") return { ...schema, branches: schema.branches.map(copy) };
    if (!isNamed(schema)) return schema;
    const known = done.get(schema);
    if (known !== undefined) return known;
    const fullName = renaming.typeName(schema);
    if (schema.kind !== "record") return { ...schema, fullName };
    const fields: RecordField[] = [];
    const record = { ...schema, fullName, fields };
    done.set(schema, record);
    for (const field of schema.fields) {
      fields.push({ ...field, name: renaming.fieldName(schema, field), type: copy(field.type) });
    }
    return record;
  };
  return copy(writer);
}

function entryOf(fields: Map<string, Map<string, string>>, record: string): Map<string, string> {
  const known = fields.get(record) ?? new Map<string, string>();
  fields.set(record, known);
  return known;
}

function namedIn(root: AvroSchema): ReadonlySet<AvroNamed> {
  const found = new Set<AvroNamed>();
  visit(root, (schema) => {
    if (!isNamed(schema)) return true;
    const isNew = !found.has(schema);
    found.add(schema);
    return isNew;
  });
  return found;
}

/** Visits depth first. A type for which `enter` returns false is skipped with everything inside it. */
function visit(schema: AvroSchema, enter: (schema: AvroSchema) => boolean): void {
  if (!enter(schema)) return;
  if (schema.kind === "array") visit(schema.items, enter);
  if (schema.kind === "map") visit(schema.values, enter);
  if (schema.kind === "union") for (const branch of schema.branches) visit(branch, enter);
  if (schema.kind === "record") for (const { type } of schema.fields) visit(type, enter);
}

/** A clash that the aliases cause in the writer's schema. The decoder then reads nothing at all. */
interface Clash {
  /** `twice`: two fields or two branches have this name. `default`: this field's default names fields that were renamed. */
  readonly kind: "twice" | "default";
  readonly name: string;
}

function clashOf(applied: AvroSchema): Clash | undefined {
  let clash: Clash | undefined;
  const entered = new Set<AvroSchema>();
  visit(applied, (schema) => {
    if (clash !== undefined || entered.has(schema)) return false;
    entered.add(schema);
    clash = clashIn(schema);
    return true;
  });
  return clash;
}

function clashIn(schema: AvroSchema): Clash | undefined {
  const names =
    schema.kind === "record" ? schema.fields : schema.kind === "union" ? schema.branches.filter(isNamed) : [];
  const twice = repeated(names.map((one) => ("fullName" in one ? one.fullName : one.name)));
  if (twice !== undefined) return { kind: "twice", name: twice };
  if (schema.kind !== "record") return undefined;
  const unfit = schema.fields.find((field) => !keepsDefault(field));
  return unfit === undefined ? undefined : { kind: "default", name: unfit.name };
}

/** Only the default of a record can name fields. */
function keepsDefault({ type, default: value }: RecordField): boolean {
  if (typeof value !== "object" || value === null) return true;
  return isValidDefault(type, { default: value }, "default", {
    numberText: () => undefined,
    fields: (record) => record.fields,
  });
}

const readFieldsBy = oncePer((renaming: Renaming) =>
  oncePer(
    (writer: AvroRecord): ReadonlyMap<string, RecordField> =>
      new Map(writer.fields.map((field) => [renaming.fieldName(writer, field), field])),
  ),
);

/** The writer's fields, by the name of the reader's field that the decoder reads each into. */
export function readFields(renaming: Renaming, writer: AvroRecord): ReadonlyMap<string, RecordField> {
  return readFieldsBy(renaming)(writer);
}
