import { oncePer, oncePerPair } from "../../once.ts";
import { isNamed, isPrimitive, type AvroEnum, type AvroFixed, type AvroNamed, type AvroRecord } from "../schema.ts";
import type { AvroSchema, AvroUnion, RecordField } from "../schema.ts";

/**
 * The rule engine (see can-read.ts): a port of SchemaCompatibility from Avro's Java library 1.12, which the registries
 * of Confluent and Apicurio call. It reproduces Java's answer including types, locations, messages, their order and
 * quirks, so the messages here are Java's and must not be changed. test/java compares it with the original over
 * generated pairs.
 */

type IncompatibilityType =
  | "NAME_MISMATCH"
  | "FIXED_SIZE_MISMATCH"
  | "MISSING_ENUM_SYMBOLS"
  | "READER_FIELD_MISSING_DEFAULT_VALUE"
  | "TYPE_MISMATCH"
  | "MISSING_UNION_BRANCH";

export interface Incompatibility {
  readonly type: IncompatibilityType;
  /** Java's pointer. Numbers of fields count the reader's fields; numbers in unions count the writer's branches. */
  readonly location: string;
  readonly message: string;
}

export interface Compatibility {
  readonly compatible: boolean;
  readonly incompatibility: readonly Incompatibility[];
  /** The AvroRuntimeException that Java throws instead of an answer; Confluent counts that as incompatible. */
  readonly error?: string | undefined;
}

/** Incompatibilities by pair of nodes. A pair that is still being checked has none yet. */
interface Checking {
  readonly memo: Map<AvroSchema, Map<AvroSchema, readonly Incompatibility[]>>;
  error: string | undefined;
}

/** The last step and the steps before it. It is turned into text only if something is reported, which is rare. */
interface Path {
  readonly before: Path | undefined;
  readonly step: string | number;
}

const NONE: readonly Incompatibility[] = [];

/**
 * Checks whether `reader` can read all data of `writer`. Gives the same answer as Java's
 * checkReaderWriterCompatibility, including its quirk that a pair seen a second time is reported at the location where
 * it was first seen.
 */
export function checkCompatibility(reader: AvroSchema, writer: AvroSchema): Compatibility {
  return answers(reader, writer);
}

const answers = oncePerPair(checkPair);

function checkPair(reader: AvroSchema, writer: AvroSchema): Compatibility {
  const checking: Checking = { memo: new Map(), error: undefined };
  const incompatibility = check(checking, reader, writer, undefined);
  if (checking.error !== undefined) return { compatible: false, incompatibility: [], error: checking.error };
  return { compatible: incompatibility.length === 0, incompatibility };
}

/**
 * True if both sides have the same plain type, alone or in a union with null. Most fields are like that and need no
 * further check.
 */
export function isAlike(reader: AvroSchema, writer: AvroSchema): boolean {
  if (reader.kind !== "union" || writer.kind !== "union")
    return reader.kind === writer.kind && isPrimitive(reader.kind);
  const { branches: own } = reader;
  const { branches: written } = writer;
  if (own.length !== 2 || written.length !== 2) return false;
  const [one, other] = [own[0]?.kind ?? "", own[1]?.kind ?? ""];
  if (one !== written[0]?.kind || other !== written[1]?.kind) return false;
  return (one === "null" && isPrimitive(other)) || (other === "null" && isPrimitive(one));
}

function check(
  checking: Checking,
  reader: AvroSchema,
  writer: AvroSchema,
  path: Path | undefined,
): readonly Incompatibility[] {
  // An unnamed type appears in one place only, so a pair of unnamed types is checked only once.
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

function compare(
  checking: Checking,
  reader: AvroSchema,
  writer: AvroSchema,
  path: Path | undefined,
): readonly Incompatibility[] {
  if (writer.kind === "union") return checkBranches(checking, reader, writer, path);
  if (reader.kind === "union") {
    return reader.branches.some((branch) => takes(checking, branch, writer)) ? NONE : lacksBranch(writer, path);
  }
  if (reader.kind === "record" && writer.kind === "record") {
    return joined(checkNames(reader, writer, path), checkFields(checking, reader, writer, path));
  }
  if (reader.kind === "enum" && writer.kind === "enum") {
    return joined(checkNames(reader, writer, path), checkSymbols(reader, writer, path));
  }
  if (reader.kind === "fixed" && writer.kind === "fixed") {
    return joined(checkNames(reader, writer, path), checkSize(reader, writer, path));
  }
  if (reader.kind === "array" && writer.kind === "array") {
    return check(checking, reader.items, writer.items, { before: path, step: "items" });
  }
  if (reader.kind === "map" && writer.kind === "map") {
    return check(checking, reader.values, writer.values, { before: path, step: "values" });
  }
  return isPromotion(reader, writer) ? NONE : typeMismatch(reader, writer, path);
}

function checkBranches(
  checking: Checking,
  reader: AvroSchema,
  writer: AvroUnion,
  path: Path | undefined,
): readonly Incompatibility[] {
  let all = NONE;
  for (const [at, branch] of writer.branches.entries()) {
    const there = { before: path, step: at };
    if (reader.kind !== "union") all = joined(all, check(checking, reader, branch, there));
    else if (!takes(checking, reader, branch)) all = joined(all, lacksBranch(branch, there));
  }
  return all;
}

/** Returns only whether the reader accepts the writer's type; the reasons are not reported. */
function takes(checking: Checking, reader: AvroSchema, writer: AvroSchema): boolean {
  if (isPrimitive(reader.kind) && isPrimitive(writer.kind)) return isPromotion(reader, writer);
  return check(checking, reader, writer, undefined).length === 0;
}

function joined(ones: readonly Incompatibility[], others: readonly Incompatibility[]): readonly Incompatibility[] {
  return ones.length === 0 ? others : others.length === 0 ? ones : [...ones, ...others];
}

function checkFields(
  checking: Checking,
  reader: AvroRecord,
  writer: AvroRecord,
  path: Path | undefined,
): readonly Incompatibility[] {
  let all = NONE;
  const byName = fieldsByName(writer);
  for (const [at, field] of reader.fields.entries()) {
    const written = field.aliases.length === 0 ? byName.get(field.name)?.[0] : undefined;
    if (written !== undefined && isAlike(field.type, written.type)) continue;
    all = joined(all, checkField(checking, field, at, writer, { before: { before: path, step: "fields" }, step: at }));
  }
  return all;
}

function checkField(
  checking: Checking,
  field: RecordField,
  at: number,
  writer: AvroRecord,
  path: Path,
): readonly Incompatibility[] {
  const [written, second] = writtenFields(field, writer);
  if (second !== undefined) {
    const text = `${field.name} type:${field.type.kind.toUpperCase()} pos:${at}`;
    checking.error ??= `Reader record field ${text} matches multiple fields in writer record ${writer.fullName}`;
  }
  if (written !== undefined) return check(checking, field.type, written.type, { before: path, step: "type" });
  if (field.default !== undefined) return NONE;
  // A quirk of Java's: if an enum has a default, Java compares it with the writer's record.
  if (field.type.kind === "enum" && field.type.default !== undefined) {
    return check(checking, field.type, writer, { before: path, step: "type" });
  }
  return [incompatible("READER_FIELD_MISSING_DEFAULT_VALUE", path, field.name)];
}

/** The writer's fields that a reader's field matches by its name and its aliases. More than one is an error. */
export function writtenFields({ name, aliases }: RecordField, writer: AvroRecord): readonly RecordField[] {
  const byName = fieldsByName(writer);
  if (aliases.length === 0) return byName.get(name) ?? NO_FIELDS;
  return [name, ...aliases].flatMap((one) => byName.get(one) ?? NO_FIELDS);
}

const NO_FIELDS: readonly RecordField[] = [];

const fieldsByName = oncePer(
  ({ fields }: AvroRecord): ReadonlyMap<string, readonly RecordField[]> =>
    new Map(fields.map((field) => [field.name, [field]])),
);

/** The record's field with exactly this name, whatever its aliases. */
export function fieldNamed(record: AvroRecord, name: string): RecordField | undefined {
  return fieldsByName(record).get(name)?.[0];
}

/** True if the unqualified names are equal, or if an alias of the reader is the writer's full name. */
export function hasNameOf(reader: AvroNamed, writer: AvroNamed): boolean {
  return reader.name === writer.name || reader.aliases.includes(writer.fullName);
}

function checkNames(reader: AvroNamed, writer: AvroNamed, path: Path | undefined): readonly Incompatibility[] {
  if (hasNameOf(reader, writer)) return NONE;
  return [incompatible("NAME_MISMATCH", { before: path, step: "name" }, `expected: ${writer.fullName}`)];
}

/** The writer's symbols that the reader neither has nor maps to a default, sorted. */
export function missingSymbols(reader: AvroEnum, writer: AvroEnum): readonly string[] {
  if (reader.default !== undefined) return [];
  return writer.symbols.filter((symbol) => !reader.symbols.includes(symbol)).sort();
}

function checkSymbols(reader: AvroEnum, writer: AvroEnum, path: Path | undefined): readonly Incompatibility[] {
  const missing = missingSymbols(reader, writer);
  if (missing.length === 0) return NONE;
  return [incompatible("MISSING_ENUM_SYMBOLS", { before: path, step: "symbols" }, `[${missing.join(", ")}]`)];
}

function checkSize(reader: AvroFixed, writer: AvroFixed, path: Path | undefined): readonly Incompatibility[] {
  if (reader.size === writer.size) return NONE;
  return [
    incompatible(
      "FIXED_SIZE_MISMATCH",
      { before: path, step: "size" },
      `expected: ${writer.size}, found: ${reader.size}`,
    ),
  ];
}

const PROMOTIONS: Readonly<Record<string, readonly string[]>> = {
  long: ["int"],
  float: ["int", "long"],
  double: ["int", "long", "float"],
  bytes: ["string"],
  string: ["bytes"],
};

/**
 * True if both have the same unnamed type, or if the reader's type is a promotion of the writer's (specification,
 * "Schema Resolution").
 */
export function isPromotion(reader: AvroSchema, writer: AvroSchema): boolean {
  if (reader.kind === writer.kind) return !isNamed(reader);
  return PROMOTIONS[reader.kind]?.includes(writer.kind) ?? false;
}

function typeMismatch(reader: AvroSchema, writer: AvroSchema, path: Path | undefined): readonly Incompatibility[] {
  const [expected, found] = [reader.kind.toUpperCase(), writer.kind.toUpperCase()];
  return [incompatible("TYPE_MISMATCH", path, `reader type: ${expected} not compatible with writer type: ${found}`)];
}

function lacksBranch(branch: AvroSchema, path: Path | undefined): readonly Incompatibility[] {
  return [incompatible("MISSING_UNION_BRANCH", path, `reader union lacking writer type: ${branch.kind.toUpperCase()}`)];
}

function incompatible(type: IncompatibilityType, path: Path | undefined, message: string): Incompatibility {
  const steps: (string | number)[] = [];
  for (let at = path; at !== undefined; at = at.before) steps.push(at.step);
  return { type, location: `/${steps.toReversed().join("/")}`, message };
}
