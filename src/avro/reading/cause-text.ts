import type { Finding } from "../../finding.ts";
import {
  isNamed,
  type AvroEnum,
  type AvroFixed,
  type AvroNamed,
  type AvroSchema,
  type AvroUnion,
  type RecordField,
} from "../schema.ts";

/**
 * The findings of the decoder engine and their texts. A finding is read by the team that owns the consumer, in its CI, so it
 * says "the reader" for the consumer's schema and "the events" for the writer's, and its remedy is something that this team
 * can do; `inDatabase` is what the owner of the column can do instead.
 */

/** One reason why a reader cannot read a writer's data, at the place where a person would look for it. */
export interface Cause {
  readonly rule:
    | "avro/name-mismatch"
    | "avro/fixed-size-mismatch"
    | "avro/missing-enum-symbols"
    | "avro/reader-field-missing-default"
    | "avro/type-mismatch"
    | "avro/missing-union-branch"
    | "avro/ambiguous-alias"
    | "avro/alias-not-applied"
    | "avro/unusable-default";
  /** The reader's field names from the root, with `[]` for an array's items and `{}` for a map's values. */
  readonly path: readonly string[];
  readonly certainty: Finding["certainty"];
  readonly effect: NonNullable<Finding["effect"]>;
  readonly effectStated?: Finding["effectStated"];
  readonly message: string;
  readonly remedy: string;
  /** What the column's owner could do instead, if the column is about to change. */
  readonly inDatabase?: string | undefined;
}

const HERE = { path: [], certainty: "always", effect: "throws" } as const satisfies Partial<Cause>;

const KEEP_TYPE = "keep the column's type";

export function otherName(reader: AvroNamed, writer: AvroNamed): Cause {
  const alias = `add the alias "${writer.fullName}" to "${reader.fullName}" in the reader's schema`;
  return {
    ...HERE,
    rule: "avro/name-mismatch",
    message: `the reader's ${reader.kind} is named "${reader.fullName}", but in the events it is "${writer.fullName}"`,
    remedy: alias,
  };
}

export function lacksDefault({ name, type }: RecordField): Cause {
  return {
    ...HERE,
    rule: "avro/reader-field-missing-default",
    message: `the reader needs "${name}" (${typeText(type)}) and has no default for it, but the events do not have it`,
    remedy: `give "${name}" a default in the reader's schema, or remove it there`,
    inDatabase: "keep the column",
  };
}

export function lacksSymbols(reader: AvroEnum, writer: AvroEnum, missing: readonly string[]): Cause {
  return {
    ...HERE,
    rule: "avro/missing-enum-symbols",
    certainty: missing.length === writer.symbols.length ? "always" : "on-some-data",
    message: `the reader's enum "${reader.fullName}" has ${reader.symbols.join(", ")}, but the events also have ${missing.join(", ")}`,
    remedy: `add the symbols to "${reader.fullName}" in the reader's schema, or give the enum a default`,
  };
}

export function otherSize(reader: AvroFixed, writer: AvroFixed): Cause {
  return {
    ...HERE,
    rule: "avro/fixed-size-mismatch",
    message: `the reader's "${reader.fullName}" has ${reader.size} bytes, but in the events it has ${writer.size}`,
    remedy: `change the reader's size to ${writer.size}`,
  };
}

export function otherType(reader: AvroSchema, writer: AvroSchema): Cause {
  return {
    ...HERE,
    rule: "avro/type-mismatch",
    message: `the reader expects ${typeText(reader)}, but the events have ${typeText(writer)}`,
    remedy: `change the reader's type to ${typeText(writer)}`,
    inDatabase: KEEP_TYPE,
  };
}

export function lacksBranch(reader: AvroUnion, writer: AvroSchema): Cause {
  return {
    ...HERE,
    rule: "avro/missing-union-branch",
    message: `the reader expects ${typeText(reader)}, but the events have ${typeText(writer)}`,
    remedy: `add ${typeText(writer)} to the reader's union`,
    inDatabase: KEEP_TYPE,
  };
}

/**
 * Reports a failure of whole branches once, for the union, not per branch. `byBranch` has the causes in the order of
 * the writer's branches.
 */
export function cannotRead(
  reader: AvroSchema,
  writer: AvroUnion,
  byBranch: readonly (readonly Cause[])[],
): readonly Cause[] {
  const isHere = ({ rule, path }: Cause): boolean =>
    path.length === 0 && (rule === "avro/type-mismatch" || rule === "avro/missing-union-branch");
  const [first] = byBranch.flat().filter(isHere);
  if (first === undefined) return byBranch.flat();
  const unread = writer.branches.filter((_, at) => byBranch[at]?.some(isHere));
  const message = `the reader expects ${typeText(reader)}, but the events have ${typeText(writer)}`;
  const forUnion = { ...first, message, ...remedyFor(reader, writer, unread) };
  return byBranch.flat().flatMap((cause) => (cause === first ? [forUnion] : isHere(cause) ? [] : [cause]));
}

function remedyFor(reader: AvroSchema, writer: AvroUnion, unread: readonly AvroSchema[]): Partial<Cause> {
  if (unread.every(({ kind }) => kind === "null")) {
    return { remedy: "change the reader's type to a union with null", inDatabase: "keep the column NOT NULL" };
  }
  if (reader.kind !== "union") return { remedy: `change the reader's type to ${typeText(writer)}` };
  return { remedy: `add ${unread.map(typeText).join(" and ")} to the reader's union` };
}

/**
 * `written` lists the matching fields. It is empty if the clashing aliases do not belong to a field that both sides
 * have.
 */
export function ambiguousAlias(name: string, written: readonly string[]): Cause {
  const which = written.length === 0 ? "" : `: ${written.join(", ")}`;
  return {
    ...HERE,
    rule: "avro/ambiguous-alias",
    message: `because of the reader's aliases, "${name}" matches several fields of the events${which}`,
    remedy: `remove the alias of "${name}" that is no longer needed`,
  };
}

/** The default of this field in the events' schema no longer fits its type once the reader's aliases are applied. */
export function renamedInDefault(name: string): Cause {
  return {
    ...HERE,
    rule: "avro/unusable-default",
    effectStated: true,
    message: `the reader's aliases rename fields that the default of "${name}" in the events' schema uses, and decoders then reject it`,
    remedy: `remove the aliases inside the type of "${name}", or its default in the events' schema`,
  };
}

/** An alias with no effect: Java's decoder applies a field's aliases only if both records have the same full name. */
export function idleAlias({ name, default: value }: RecordField, written: RecordField): Cause {
  return {
    ...HERE,
    effect: value === undefined ? "throws" : "reads-null-or-default",
    rule: "avro/alias-not-applied",
    message: `the reader's "${name}" matches the events' "${written.name}" only by an alias, which decoders apply only if both records have the same full name`,
    remedy: "give the reader's record the full name of the events' record, or add that name as an alias",
  };
}

/**
 * An alias takes precedence over a name: the written field is read into the reader's field `into` instead of this one.
 */
export function takenByAlias({ name, default: value }: RecordField, written: RecordField, into: string): Cause {
  return {
    ...HERE,
    effect: value === undefined ? "throws" : "reads-null-or-default",
    rule: "avro/ambiguous-alias",
    message: `the events' "${written.name}" is read into the reader's "${into}", which has it as an alias, so "${name}" gets nothing`,
    remedy: `remove the alias "${written.name}" of "${into}" in the reader's schema, or remove "${name}" there`,
  };
}

/** The default is valid in the schema, but Java's decoder cannot turn it into a value. */
export function unusableDefault({ name, type }: RecordField): Cause {
  return {
    ...HERE,
    rule: "avro/unusable-default",
    effectStated: true,
    message: `the events do not have "${name}", and decoders cannot make a value of ${typeText(type)} from its default`,
    remedy: `in the reader's union, move the branch that the default of "${name}" belongs to to the front`,
  };
}

/** A type in a few words, e.g. `null or long (timestamp-millis)`, `array of string`. */
export function typeText(schema: AvroSchema): string {
  if (schema.kind === "union") return schema.branches.map(typeText).join(" or ") || "nothing";
  if (schema.kind === "array") return `array of ${inner(schema.items)}`;
  if (schema.kind === "map") return `map of ${inner(schema.values)}`;
  return isNamed(schema) ? `${schema.kind} ${schema.fullName}` : `${schema.kind}${meaningOf(schema.props)}`;
}

function inner(schema: AvroSchema): string {
  return schema.kind === "union" ? `(${typeText(schema)})` : typeText(schema);
}

function meaningOf({ "connect.name": connect, logicalType: logical }: Readonly<Record<string, unknown>>): string {
  const meaning = typeof connect === "string" ? connect : logical;
  return typeof meaning === "string" ? ` (${meaning})` : "";
}
