import { isNamed, type AvroEnum, type AvroFixed, type AvroNamed, type AvroRecord } from "./schema.ts";
import type { AvroSchema, RecordField } from "./schema.ts";

type IncompatibilityType =
  | "NAME_MISMATCH"
  | "FIXED_SIZE_MISMATCH"
  | "MISSING_ENUM_SYMBOLS"
  | "READER_FIELD_MISSING_DEFAULT_VALUE"
  | "TYPE_MISMATCH"
  | "MISSING_UNION_BRANCH";

export interface Incompatibility {
  readonly type: IncompatibilityType;
  /** Java's pointer: field numbers count the reader's fields, union numbers the writer's branches. */
  readonly location: string;
  readonly message: string;
}

export interface Compatibility {
  readonly compatible: boolean;
  readonly incompatibility: readonly Incompatibility[];
  /** Where Java throws an AvroRuntimeException instead of a result; Confluent counts that as incompatible. */
  readonly error?: string | undefined;
}

/** Incompatibilities by pair of nodes. A pair being checked has none yet. */
interface Checking {
  readonly memo: Map<AvroSchema, Map<AvroSchema, readonly Incompatibility[]>>;
  error: string | undefined;
}

type Path = readonly string[];
const NONE: readonly Incompatibility[] = [];

/**
 * Can `reader` read all data of `writer`? Same verdict, types, locations, messages and order as Avro Java 1.12's
 * SchemaCompatibility.checkReaderWriterCompatibility, which Confluent's and Apicurio's registries call: also where
 * a pair met again keeps the location of its first meeting.
 */
export function checkCompatibility(reader: AvroSchema, writer: AvroSchema): Compatibility {
  const checking: Checking = { memo: new Map(), error: undefined };
  const incompatibility = check(checking, reader, writer, []);
  if (checking.error !== undefined) return { compatible: false, incompatibility: [], error: checking.error };
  return { compatible: incompatibility.length === 0, incompatibility };
}

function check(checking: Checking, reader: AvroSchema, writer: AvroSchema, path: Path): readonly Incompatibility[] {
  // A type without a name stands in one place only, so two of them meet once.
  if (!isNamed(reader) && !isNamed(writer)) return compare(checking, reader, writer, path);
  const met = checking.memo.get(reader) ?? new Map<AvroSchema, readonly Incompatibility[]>();
  checking.memo.set(reader, met);
  const known = met.get(writer);
  if (known !== undefined) return known;
  met.set(writer, NONE);
  const result = compare(checking, reader, writer, path);
  met.set(writer, result);
  return result;
}

function compare(checking: Checking, reader: AvroSchema, writer: AvroSchema, path: Path): readonly Incompatibility[] {
  if (writer.kind === "union") {
    return writer.branches.flatMap((branch, at) => {
      const there = [...path, String(at)];
      if (reader.kind !== "union") return check(checking, reader, branch, there);
      return check(checking, reader, branch, []).length === 0 ? [] : lacksBranch(branch, there);
    });
  }
  if (reader.kind === "union") {
    const some = reader.branches.some((branch) => check(checking, branch, writer, []).length === 0);
    return some ? NONE : lacksBranch(writer, path);
  }
  if (reader.kind === "record" && writer.kind === "record") {
    return [...checkNames(reader, writer, path), ...checkFields(checking, reader, writer, path)];
  }
  if (reader.kind === "enum" && writer.kind === "enum") {
    return [...checkNames(reader, writer, path), ...checkSymbols(reader, writer, path)];
  }
  if (reader.kind === "fixed" && writer.kind === "fixed") {
    return [...checkNames(reader, writer, path), ...checkSize(reader, writer, path)];
  }
  if (reader.kind === "array" && writer.kind === "array") {
    return check(checking, reader.items, writer.items, [...path, "items"]);
  }
  if (reader.kind === "map" && writer.kind === "map") {
    return check(checking, reader.values, writer.values, [...path, "values"]);
  }
  return isPromotion(reader, writer) ? NONE : typeMismatch(reader, writer, path);
}

function checkFields(
  checking: Checking,
  reader: AvroRecord,
  writer: AvroRecord,
  path: Path,
): readonly Incompatibility[] {
  return reader.fields.flatMap((field, at) => {
    const there = [...path, "fields", String(at)];
    const [written, second] = writtenFields(field, writer);
    if (second !== undefined) {
      const text = `${field.name} type:${field.type.kind.toUpperCase()} pos:${at}`;
      checking.error ??= `Reader record field ${text} matches multiple fields in writer record ${writer.fullName}`;
    }
    if (written !== undefined) return check(checking, field.type, written.type, [...there, "type"]);
    if (field.default !== undefined) return [];
    // Java's quirk: an enum with a default of its own is compared with the writer's record
    if (field.type.kind === "enum" && field.type.default !== undefined) {
      return check(checking, field.type, writer, [...there, "type"]);
    }
    return [incompatible("READER_FIELD_MISSING_DEFAULT_VALUE", there, field.name)];
  });
}

/** The writer's fields a reader's field may stand for, by its name and by its aliases. More than one is an error. */
export function writtenFields(field: RecordField, writer: AvroRecord): readonly RecordField[] {
  const byName = fieldsByName(writer);
  return [field.name, ...field.aliases].flatMap((name) => byName.get(name) ?? []);
}

const indexes = new WeakMap<AvroRecord, ReadonlyMap<string, RecordField>>();

function fieldsByName(record: AvroRecord): ReadonlyMap<string, RecordField> {
  const known = indexes.get(record) ?? new Map(record.fields.map((field) => [field.name, field]));
  indexes.set(record, known);
  return known;
}

/** Unqualified names are equal, or an alias of the reader is the writer's full name. */
export function hasNameOf(reader: AvroNamed, writer: AvroNamed): boolean {
  return reader.name === writer.name || reader.aliases.includes(writer.fullName);
}

function checkNames(reader: AvroNamed, writer: AvroNamed, path: Path): readonly Incompatibility[] {
  if (hasNameOf(reader, writer)) return NONE;
  return [incompatible("NAME_MISMATCH", [...path, "name"], `expected: ${writer.fullName}`)];
}

/** Symbols of the writer that the reader neither has nor maps to a default of its own, sorted. */
export function missingSymbols(reader: AvroEnum, writer: AvroEnum): readonly string[] {
  if (reader.default !== undefined) return [];
  return writer.symbols.filter((symbol) => !reader.symbols.includes(symbol)).sort();
}

function checkSymbols(reader: AvroEnum, writer: AvroEnum, path: Path): readonly Incompatibility[] {
  const missing = missingSymbols(reader, writer);
  if (missing.length === 0) return NONE;
  return [incompatible("MISSING_ENUM_SYMBOLS", [...path, "symbols"], `[${missing.join(", ")}]`)];
}

function checkSize(reader: AvroFixed, writer: AvroFixed, path: Path): readonly Incompatibility[] {
  if (reader.size === writer.size) return NONE;
  return [incompatible("FIXED_SIZE_MISMATCH", [...path, "size"], `expected: ${writer.size}, found: ${reader.size}`)];
}

const PROMOTIONS: Readonly<Record<string, readonly string[]>> = {
  long: ["int"],
  float: ["int", "long"],
  double: ["int", "long", "float"],
  bytes: ["string"],
  string: ["bytes"],
};

/** The same unnamed type, or one the reader takes for it (the specification's Schema Resolution). */
export function isPromotion(reader: AvroSchema, writer: AvroSchema): boolean {
  if (reader.kind === writer.kind) return !isNamed(reader);
  return PROMOTIONS[reader.kind]?.includes(writer.kind) ?? false;
}

function typeMismatch(reader: AvroSchema, writer: AvroSchema, path: Path): readonly Incompatibility[] {
  const [expected, found] = [reader.kind.toUpperCase(), writer.kind.toUpperCase()];
  return [incompatible("TYPE_MISMATCH", path, `reader type: ${expected} not compatible with writer type: ${found}`)];
}

function lacksBranch(branch: AvroSchema, path: Path): readonly Incompatibility[] {
  return [incompatible("MISSING_UNION_BRANCH", path, `reader union lacking writer type: ${branch.kind.toUpperCase()}`)];
}

function incompatible(type: IncompatibilityType, path: Path, message: string): Incompatibility {
  return { type, location: `/${path.join("/")}`, message };
}
