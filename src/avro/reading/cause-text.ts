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

/** One reason why a reader cannot read a writer's data, where a person would look for it. */
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
  /** The reader's field names from the root, `[]` for an array's items and `{}` for a map's values. */
  readonly path: readonly string[];
  readonly certainty: Finding["certainty"];
  readonly effect: NonNullable<Finding["effect"]>;
  readonly message: string;
  readonly remedy: string;
  /** Of a column that would change: what its owner could do instead. */
  readonly inDatabase?: string | undefined;
}

const HERE = { path: [], certainty: "always", effect: "throws" } as const satisfies Partial<Cause>;

const KEEP_TYPE = "keep the column's type";

export function otherName(reader: AvroNamed, writer: AvroNamed): Cause {
  const alias = `add the alias "${writer.fullName}" to "${reader.fullName}" in the reader's schema`;
  return {
    ...HERE,
    rule: "avro/name-mismatch",
    message: `the reader's ${reader.kind} is named "${reader.fullName}", the events' "${writer.fullName}"`,
    remedy: alias,
  };
}

export function lacksDefault({ name, type }: RecordField): Cause {
  return {
    ...HERE,
    rule: "avro/reader-field-missing-default",
    message: `the reader needs "${name}" (${typeText(type)}) and gives it no default, and the events do not have it`,
    remedy: `give "${name}" a default in the reader's schema, or drop it there`,
    inDatabase: "keep the column",
  };
}

export function lacksSymbols(reader: AvroEnum, writer: AvroEnum, missing: readonly string[]): Cause {
  return {
    ...HERE,
    rule: "avro/missing-enum-symbols",
    certainty: missing.length === writer.symbols.length ? "always" : "on-some-data",
    message: `the reader's enum "${reader.fullName}" has ${reader.symbols.join(", ")}, the events also ${missing.join(", ")}`,
    remedy: `add the symbols to "${reader.fullName}" in the reader's schema, or give the enum a default`,
  };
}

export function otherSize(reader: AvroFixed, writer: AvroFixed): Cause {
  return {
    ...HERE,
    rule: "avro/fixed-size-mismatch",
    message: `the reader's "${reader.fullName}" has ${reader.size} bytes, the events' ${writer.size}`,
    remedy: `make the reader's size ${writer.size}`,
  };
}

export function otherType(reader: AvroSchema, writer: AvroSchema): Cause {
  return {
    ...HERE,
    rule: "avro/type-mismatch",
    message: `the reader takes ${typeText(reader)}, the events have ${typeText(writer)}`,
    remedy: `make the reader's type ${typeText(writer)}`,
    inDatabase: KEEP_TYPE,
  };
}

export function lacksBranch(reader: AvroUnion, writer: AvroSchema): Cause {
  return {
    ...HERE,
    rule: "avro/missing-union-branch",
    message: `the reader takes ${typeText(reader)}, the events have ${typeText(writer)}`,
    remedy: `add ${typeText(writer)} to the reader's union`,
    inDatabase: KEEP_TYPE,
  };
}

/** By branch of the writer's: causes that are about a branch itself are told once, with the whole union. */
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
  const message = `the reader takes ${typeText(reader)}, the events have ${typeText(writer)}`;
  const told = { ...first, message, ...remedyFor(reader, writer, unread) };
  return byBranch.flat().flatMap((cause) => (cause === first ? [told] : isHere(cause) ? [] : [cause]));
}

function remedyFor(reader: AvroSchema, writer: AvroUnion, unread: readonly AvroSchema[]): Partial<Cause> {
  if (unread.every(({ kind }) => kind === "null")) {
    return { remedy: "make the reader's type a union with null", inDatabase: "keep the column NOT NULL" };
  }
  if (reader.kind !== "union") return { remedy: `make the reader's type ${typeText(writer)}` };
  return { remedy: `add ${unread.map(typeText).join(" and ")} to the reader's union` };
}

/** `written` may be empty where the aliases that clash are elsewhere than at a field both sides have. */
export function ambiguousAlias(name: string, written: readonly string[]): Cause {
  const which = written.length === 0 ? "" : `: ${written.join(", ")}`;
  return {
    ...HERE,
    rule: "avro/ambiguous-alias",
    message: `by the reader's aliases "${name}" stands for several names of the events${which}`,
    remedy: `drop the alias of "${name}" that is no longer needed`,
  };
}

/** The events' own default for this field no longer fits its type once the aliases are applied. */
export function renamedInDefault(name: string): Cause {
  return {
    ...HERE,
    rule: "avro/unusable-default",
    message: `the reader's aliases rename what the events' default of "${name}" is made of, and decoders then refuse it`,
    remedy: `drop the aliases inside the type of "${name}", or its default in the events' schema`,
  };
}

/** Java's decoder applies a field's aliases only in a record of the same full name. */
export function idleAlias({ name, default: value }: RecordField, written: RecordField): Cause {
  return {
    ...HERE,
    effect: value === undefined ? "throws" : "reads-null-or-default",
    rule: "avro/alias-not-applied",
    message: `the reader's "${name}" is the events' "${written.name}" by an alias, which decoders apply only when both records have the same full name`,
    remedy: "give the reader's record the full name of the events' record, or that name as an alias",
  };
}

/** An alias beats the name: the written field goes to the reader's field `into`, and this one gets none. */
export function takenByAlias({ name, default: value }: RecordField, written: RecordField, into: string): Cause {
  return {
    ...HERE,
    effect: value === undefined ? "throws" : "reads-null-or-default",
    rule: "avro/ambiguous-alias",
    message: `the events' "${written.name}" goes to the reader's "${into}", which has it as an alias, and "${name}" gets nothing`,
    remedy: `drop the alias "${written.name}" of "${into}" in the reader's schema, or drop "${name}" there`,
  };
}

/** Parses as a default, and Java's decoder cannot make a value of it. */
export function unusableDefault({ name, type }: RecordField): Cause {
  return {
    ...HERE,
    rule: "avro/unusable-default",
    message: `the events do not have "${name}", and decoders cannot make its default a value of ${typeText(type)}`,
    remedy: `put the branch that "${name}" has its default from first in the reader's union`,
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
