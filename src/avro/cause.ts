import type { Finding } from "../finding.ts";
import { hasNameOf, isPromotion, missingSymbols, writtenFields } from "./compatibility.ts";
import { isNamed, type AvroNamed, type AvroRecord, type AvroSchema, type AvroUnion } from "./schema.ts";

/** One reason why a reader cannot read a writer's data, where a person would look for it. */
export interface Cause {
  readonly rule:
    | "avro/name-mismatch"
    | "avro/fixed-size-mismatch"
    | "avro/missing-enum-symbols"
    | "avro/reader-field-missing-default"
    | "avro/type-mismatch"
    | "avro/missing-union-branch"
    | "avro/ambiguous-alias";
  /** The reader's field names from the root, `[]` for an array's items and `{}` for a map's values. */
  readonly path: readonly string[];
  readonly certainty: Finding["certainty"];
  readonly message: string;
  readonly remedy: string;
}

/** Causes by pair of nodes, each path from that pair on. A pair being explained has none yet. */
type Memo = Map<AvroSchema, Map<AvroSchema, readonly Cause[]>>;

const NONE: readonly Cause[] = [];

/**
 * Why `reader` cannot read data of `writer`, by names. Where Java's answer stops at a union, this goes on into the
 * branch that was meant: of the same name, else one that decodes, else of the same kind. A record's name alone is
 * `by-policy`: the rule forbids it, Java's decoder reads it.
 */
export function explainCauses(reader: AvroSchema, writer: AvroSchema): readonly Cause[] {
  return explain(new Map(), reader, writer);
}

function explain(memo: Memo, reader: AvroSchema, writer: AvroSchema): readonly Cause[] {
  const met = memo.get(reader) ?? new Map<AvroSchema, readonly Cause[]>();
  memo.set(reader, met);
  const known = met.get(writer);
  if (known !== undefined) return known;
  met.set(writer, NONE);
  const causes = compare(memo, reader, writer);
  met.set(writer, causes);
  return causes;
}

function compare(memo: Memo, reader: AvroSchema, writer: AvroSchema): readonly Cause[] {
  if (writer.kind === "union") return explainBranches(memo, reader, writer);
  if (reader.kind === "union") return explainChoice(memo, reader, writer);
  if (reader.kind === "record" && writer.kind === "record") {
    return [...explainName(reader, writer), ...explainFields(memo, reader, writer)];
  }
  if (reader.kind === "enum" && writer.kind === "enum") {
    const missing = missingSymbols(reader, writer);
    return missing.length === 0
      ? explainName(reader, writer)
      : [...explainName(reader, writer), lacksSymbols(reader.fullName, missing)];
  }
  if (reader.kind === "fixed" && writer.kind === "fixed") {
    return reader.size === writer.size
      ? explainName(reader, writer)
      : [...explainName(reader, writer), otherSize(reader.size, writer.size)];
  }
  if (reader.kind === "array" && writer.kind === "array") return under("[]", explain(memo, reader.items, writer.items));
  if (reader.kind === "map" && writer.kind === "map") return under("{}", explain(memo, reader.values, writer.values));
  return isPromotion(reader, writer) ? NONE : [otherType(reader, writer)];
}

/** Causes of some of a union's branches concern only the data that takes them; null beside them does not count. */
function explainBranches(memo: Memo, reader: AvroSchema, writer: AvroUnion): readonly Cause[] {
  const byBranch = writer.branches.map((branch) => explain(memo, reader, branch));
  const whole = writer.branches.every((branch, at) => branch.kind === "null" || byBranch[at]?.length !== 0);
  const nullRefused = writer.branches.some((branch, at) => branch.kind === "null" && byBranch[at]?.length !== 0);
  const causes = byBranch.flat();
  if (whole && !nullRefused) return causes;
  return causes.map((cause) => (cause.certainty === "always" ? { ...cause, certainty: "on-some-data" } : cause));
}

function explainChoice(memo: Memo, reader: AvroUnion, writer: AvroSchema): readonly Cause[] {
  const tried = reader.branches.map((branch) => ({ branch, causes: explain(memo, branch, writer) }));
  if (tried.some(({ causes }) => causes.length === 0)) return NONE;
  const alike = tried.filter(({ branch }) => branch.kind === writer.kind);
  const meant =
    alike.find(({ branch }) => isNamed(branch) && isNamed(writer) && branch.fullName === writer.fullName) ??
    alike.find(({ branch }) => isNamed(branch) && isNamed(writer) && hasNameOf(branch, writer)) ??
    alike.find(({ causes }) => causes.every((cause) => cause.certainty === "by-policy")) ??
    alike[0];
  return meant?.causes ?? [lacksBranch(reader, writer)];
}

function explainFields(memo: Memo, reader: AvroRecord, writer: AvroRecord): readonly Cause[] {
  return reader.fields.flatMap((field) => {
    const [written, second] = writtenFields(field, writer);
    if (written !== undefined && second !== undefined) {
      return under(field.name, [ambiguousAlias(field.name, [written.name, second.name])]);
    }
    if (written !== undefined) return under(field.name, explain(memo, field.type, written.type));
    return field.default === undefined ? under(field.name, [lacksDefault(field.name)]) : [];
  });
}

function under(step: string, causes: readonly Cause[]): readonly Cause[] {
  return causes.map((cause) => ({ ...cause, path: [step, ...cause.path] }));
}

function explainName(reader: AvroNamed, writer: AvroNamed): readonly Cause[] {
  if (hasNameOf(reader, writer)) return NONE;
  return [
    {
      rule: "avro/name-mismatch",
      path: [],
      certainty: reader.kind === "record" ? "by-policy" : "always",
      message: `the reader's ${reader.kind} is named "${reader.fullName}", the events' "${writer.fullName}"`,
      remedy: `add the alias "${writer.fullName}" to "${reader.fullName}" in the reader's schema`,
    },
  ];
}

function lacksDefault(name: string): Cause {
  return {
    rule: "avro/reader-field-missing-default",
    path: [],
    certainty: "always",
    message: `the reader needs "${name}", which the events do not have, and gives it no default`,
    remedy: `give "${name}" a default in the reader's schema, or drop it there`,
  };
}

function lacksSymbols(name: string, missing: readonly string[]): Cause {
  return {
    rule: "avro/missing-enum-symbols",
    path: [],
    certainty: "on-some-data",
    message: `the reader's enum "${name}" lacks ${missing.join(", ")}`,
    remedy: `add the symbols to "${name}" in the reader's schema, or give the enum a default`,
  };
}

function otherSize(reader: number, writer: number): Cause {
  return {
    rule: "avro/fixed-size-mismatch",
    path: [],
    certainty: "always",
    message: `the reader expects ${reader} bytes, the events have ${writer}`,
    remedy: `make the reader's size ${writer}`,
  };
}

function otherType(reader: AvroSchema, writer: AvroSchema): Cause {
  return {
    rule: "avro/type-mismatch",
    path: [],
    certainty: "always",
    message: `the reader expects ${describe(reader)}, the events have ${describe(writer)}`,
    remedy: `make the reader's type one that reads ${describe(writer)}`,
  };
}

function lacksBranch(reader: AvroUnion, writer: AvroSchema): Cause {
  return {
    rule: "avro/missing-union-branch",
    path: [],
    certainty: "always",
    message: `the reader's union of ${reader.branches.map(describe).join(", ") || "nothing"} lacks ${describe(writer)}`,
    remedy: `add ${describe(writer)} to the reader's union`,
  };
}

function ambiguousAlias(name: string, written: readonly string[]): Cause {
  return {
    rule: "avro/ambiguous-alias",
    path: [],
    certainty: "always",
    message: `the reader's "${name}" stands for several of the events' fields: ${written.join(", ")}`,
    remedy: `drop the alias of "${name}" that is no longer needed`,
  };
}

function describe(schema: AvroSchema): string {
  return isNamed(schema) ? `${schema.kind} ${schema.fullName}` : schema.kind;
}
