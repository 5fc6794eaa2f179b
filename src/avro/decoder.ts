/**
 * What Java's decoder does where it differs from the rules of compatibility: Avro 1.12's Resolver, and
 * Schema.applyAliases before it.
 */
import { isPromotion } from "./compatibility.ts";
import { sameDefinition } from "./redefinition.ts";
import {
  isNamed,
  type AvroNamed,
  type AvroRecord,
  type AvroSchema,
  type AvroUnion,
  type RecordField,
} from "./schema.ts";

/** The writer's names as the decoder sees them: the reader's aliases are applied to the whole schema first. */
export interface Renaming {
  readonly typeName: (writer: AvroNamed) => string;
  readonly fieldName: (record: AvroRecord, field: RecordField) => string;
}

/**
 * By the reader's aliases; those of a field count only in a record of its own record's full name. None count where
 * the writer's schema is the reader's.
 */
export function renamingOf(reader: AvroSchema, writer: AvroSchema): Renaming {
  const types = new Map<string, string>();
  const fields = new Map<string, Map<string, string>>();
  for (const named of namedIn(reader)) {
    for (const alias of named.aliases) types.set(alias, named.fullName);
    if (named.kind !== "record") continue;
    for (const { name, aliases } of named.fields) {
      for (const alias of aliases) entryOf(fields, named.fullName).set(alias, name);
    }
  }
  if ((types.size > 0 || fields.size > 0) && sameDefinition(reader, writer)) {
    types.clear();
    fields.clear();
  }
  const typeName = ({ fullName }: AvroNamed): string => types.get(fullName) ?? fullName;
  const fieldName = (record: AvroRecord, { name }: RecordField): string =>
    fields.get(typeName(record))?.get(name) ?? name;
  return { typeName, fieldName };
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

/** Depth first; what `enter` does not want is left out with all inside it. */
function visit(schema: AvroSchema, enter: (schema: AvroSchema) => boolean): void {
  if (!enter(schema)) return;
  if (schema.kind === "array") visit(schema.items, enter);
  if (schema.kind === "map") visit(schema.values, enter);
  if (schema.kind === "union") for (const branch of schema.branches) visit(branch, enter);
  if (schema.kind === "record") for (const { type } of schema.fields) visit(type, enter);
}

/** A name that the reader's aliases give to two of the writer's fields or branches: then nothing is read at all. */
export function clashOf(renaming: Renaming, writer: AvroSchema): string | undefined {
  let clash: string | undefined;
  const entered = new Set<AvroSchema>();
  visit(writer, (schema) => {
    if (clash !== undefined || entered.has(schema)) return false;
    entered.add(schema);
    if (schema.kind === "record") clash = twiceIn(schema.fields.map((field) => renaming.fieldName(schema, field)));
    if (schema.kind === "union") clash = twiceIn(schema.branches.filter(isNamed).map(renaming.typeName));
    return true;
  });
  return clash;
}

function twiceIn(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}

const indexes = new WeakMap<Renaming, Map<AvroRecord, ReadonlyMap<string, RecordField>>>();

/** The writer's field that the decoder reads into a field of this name. */
export function readField(renaming: Renaming, writer: AvroRecord, name: string): RecordField | undefined {
  const index = indexes.get(renaming) ?? new Map<AvroRecord, ReadonlyMap<string, RecordField>>();
  indexes.set(renaming, index);
  const known = index.get(writer) ?? new Map(writer.fields.map((field) => [renaming.fieldName(writer, field), field]));
  index.set(writer, known);
  return known.get(name);
}

/** Unqualified, as the decoder compares enums and fixed outside of unions. */
export function isReadAs(renaming: Renaming, reader: AvroNamed, writer: AvroNamed): boolean {
  return simple(renaming.typeName(writer)) === reader.name;
}

function simple(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf(".") + 1);
}

/** Pairs of records under way: taken to match until they are known not to. */
type Entered = Map<AvroRecord, Set<AvroRecord>>;

/**
 * The branch the decoder reads a writer's type with: the same kind, for a named type the same full name; else a
 * record that takes its fields, the last of its unqualified name or the first; else a promotion. Whether that branch
 * then reads it is not asked.
 */
export function chosenBranch(
  renaming: Renaming,
  reader: AvroUnion,
  writer: AvroSchema,
  entered: Entered = new Map(),
): AvroSchema | undefined {
  const alike = reader.branches.filter((branch) => branch.kind === writer.kind);
  if (!isNamed(writer)) return alike[0] ?? reader.branches.find((branch) => isPromotion(branch, writer));
  const name = renaming.typeName(writer);
  const exact = alike.find((branch) => isNamed(branch) && branch.fullName === name);
  if (exact !== undefined || writer.kind !== "record") return exact;
  const matching = alike
    .filter((branch) => branch.kind === "record")
    .filter((branch) => takesFields(renaming, branch, writer, entered));
  return matching.findLast((branch) => branch.name === simple(name)) ?? matching[0];
}

function takesFields(renaming: Renaming, reader: AvroRecord, writer: AvroRecord, entered: Entered): boolean {
  const met = entered.get(reader) ?? new Set<AvroRecord>();
  entered.set(reader, met);
  if (met.has(writer)) return true;
  met.add(writer);
  return (
    hasFields(renaming, reader, writer) &&
    reader.fields.every((field) => {
      const written = readField(renaming, writer, field.name);
      return written === undefined || isTried(renaming, field.type, written.type, entered);
    })
  );
}

/** Has every field of the reader a value, be it its default. */
function hasFields(renaming: Renaming, reader: AvroRecord, writer: AvroRecord): boolean {
  return reader.fields.every(
    ({ name, default: value }) => value !== undefined || readField(renaming, writer, name) !== undefined,
  );
}

/** Does the decoder begin to read this type: it looks no deeper before it takes a record for a union's branch. */
function isTried(renaming: Renaming, reader: AvroSchema, writer: AvroSchema, entered: Entered): boolean {
  if (writer.kind === "union") return true;
  if (reader.kind === "union") return chosenBranch(renaming, reader, writer, entered) !== undefined;
  if (reader.kind === "record" && writer.kind === "record") return hasFields(renaming, reader, writer);
  if (reader.kind === "enum" && writer.kind === "enum") return isReadAs(renaming, reader, writer);
  if (reader.kind === "fixed" && writer.kind === "fixed") {
    return isReadAs(renaming, reader, writer) && reader.size === writer.size;
  }
  return isPromotion(reader, writer);
}

/** Two unions of the same branches in the same order, namespaces aside: each branch is read with its like. */
export function isEquivalent(renaming: Renaming, reader: AvroSchema, writer: AvroSchema): boolean {
  return equivalent(renaming, reader, writer, new Map());
}

function equivalent(renaming: Renaming, reader: AvroSchema, writer: AvroSchema, entered: Entered): boolean {
  const same = (one: AvroSchema, other: AvroSchema): boolean => equivalent(renaming, one, other, entered);
  if (isNamed(reader) && isNamed(writer) && !isReadAs(renaming, reader, writer)) return false;
  if (reader.kind === "union" && writer.kind === "union") {
    return isEveryPair(reader.branches, writer.branches, same);
  }
  if (reader.kind === "array" && writer.kind === "array") return same(reader.items, writer.items);
  if (reader.kind === "map" && writer.kind === "map") return same(reader.values, writer.values);
  if (reader.kind === "fixed" && writer.kind === "fixed") return reader.size === writer.size;
  if (reader.kind === "enum" && writer.kind === "enum") {
    return isEveryPair(reader.symbols, writer.symbols, (one, other) => one === other);
  }
  if (reader.kind !== "record" || writer.kind !== "record") return reader.kind === writer.kind;
  const met = entered.get(reader) ?? new Set<AvroRecord>();
  entered.set(reader, met);
  if (met.has(writer)) return true;
  met.add(writer);
  return isEveryPair(
    reader.fields,
    writer.fields,
    (one, other) => one.name === renaming.fieldName(writer, other) && same(one.type, other.type),
  );
}

function isEveryPair<T>(ones: readonly T[], others: readonly T[], holds: (one: T, other: T) => boolean): boolean {
  return (
    ones.length === others.length &&
    ones.every((one, at) => {
      const other = others[at];
      return other !== undefined && holds(one, other);
    })
  );
}
