/**
 * Finds the branch of a reader's union that Java's decoder takes; a port of Avro 1.12's Resolver. It differs from the
 * rule, which only asks whether some branch can read the data.
 */
import { readFields, type Renaming } from "./alias.ts";
import { isPromotion } from "./compatibility.ts";
import { isNamed, type AvroNamed, type AvroRecord, type AvroSchema, type AvroUnion } from "../schema.ts";

/** Compares unqualified names, as the decoder does for `enum` and `fixed` types outside unions. */
export function isReadAs(renaming: Renaming, reader: AvroNamed, writer: AvroNamed): boolean {
  return simple(renaming.typeName(writer)) === reader.name;
}

function simple(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf(".") + 1);
}

/** The pairs of records being compared, which are assumed to match. */
type Entered = Map<AvroRecord, Set<AvroRecord>>;

/**
 * The branch that the decoder takes for a written type. Its first choice is a branch of the same kind, and for a named
 * type with the same full name. Its second choice is a record that accepts the written fields: the last one with the
 * same unqualified name, or else the first. Its third choice is a promotion. The branch may still fail to read the
 * data.
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
      const written = readFields(renaming, writer).get(field.name);
      return written === undefined || isTried(renaming, field.type, written.type, entered);
    })
  );
}

/** True if every field of the reader gets a value, even if only from its default. */
function hasFields(renaming: Renaming, reader: AvroRecord, writer: AvroRecord): boolean {
  return reader.fields.every(
    ({ name, default: value }) => value !== undefined || readFields(renaming, writer).get(name) !== undefined,
  );
}

/**
 * True if the decoder would start to read this type. It looks no deeper before it chooses a record as a union's branch.
 */
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

/**
 * True if two unions have the same branches in the same order, ignoring namespaces. Each branch is then read with its
 * counterpart.
 */
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
