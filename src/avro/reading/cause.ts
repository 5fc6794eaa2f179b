import type { Finding } from "../../finding.ts";
import { oncePerPair } from "../../once.ts";
import { readFields, type Renaming, renamingOf } from "./alias.ts";
import {
  ambiguousAlias,
  type Cause,
  cannotRead,
  idleAlias,
  lacksBranch,
  lacksDefault,
  lacksSymbols,
  otherName,
  otherSize,
  otherType,
  renamedInDefault,
  takenByAlias,
  unusableDefault,
} from "./cause-text.ts";
import { hasNameOf, isAlike, isPromotion, missingSymbols, writtenFields } from "./compatibility.ts";
import { chosenBranch, isEquivalent, isReadAs } from "./decoder.ts";
import { hasValue } from "./default-value.ts";
import {
  isNamed,
  type AvroNamed,
  type AvroRecord,
  type AvroSchema,
  type AvroUnion,
  type RecordField,
} from "../schema.ts";

/**
 * The decoder engine (see can-read.ts): what Java's ResolvingDecoder does with data, explained by field names. It walks the
 * pair as the decoder does. For a union it follows the branch that the decoder would take, or else the one that was
 * probably meant. Certainty is part of the answer: a cause may hold for every datum, for some data, or only by the rule.
 */

/**
 * Causes by pair of nodes, with paths relative to that pair. A pair that is still being explained has no causes yet.
 */
interface Explaining {
  readonly memo: Map<AvroSchema, Map<AvroSchema, readonly Cause[]>>;
  readonly renaming: Renaming;
}

const NONE: readonly Cause[] = [];

/** Cached, because a verdict asks for the causes of a pair, and so do the rules about the contract's runtime. */
export const explainCauses = oncePerPair(causesOf);

/**
 * Why `reader` cannot read data of `writer`, and how certain that is for Java's decoder. If every cause is `by-policy`,
 * it reads every datum; if a cause that throws is `always`, it reads none. There can be causes where the rule finds
 * nothing wrong, because the decoder does not do everything that the rule assumes.
 */
function causesOf(reader: AvroSchema, writer: AvroSchema): readonly Cause[] {
  const { renaming, clash } = renamingOf(reader, writer);
  const causes = explain({ memo: new Map(), renaming }, reader, writer);
  if (clash === undefined || causes.some((cause) => isAmbiguous(cause.rule) && throwsAlways(cause))) return causes;
  // Aliases are applied to the whole schema before any datum is read.
  const isThisClash = ({ rule, effect, path }: Cause) =>
    isAmbiguous(rule) && effect === "throws" && clash.kind === "twice" && path.at(-1) === clash.name;
  if (causes.some(isThisClash))
    return causes.map((cause) => (isThisClash(cause) ? { ...cause, certainty: "always" } : cause));
  return [clash.kind === "twice" ? ambiguousAlias(clash.name, []) : renamedInDefault(clash.name), ...causes];
}

function isAmbiguous(rule: Cause["rule"]): boolean {
  return rule === "avro/ambiguous-alias";
}

function explain(explaining: Explaining, reader: AvroSchema, writer: AvroSchema): readonly Cause[] {
  // An unnamed type appears in one place only, so a pair of unnamed types is compared only once.
  if (!isNamed(reader) && !isNamed(writer)) return compare(explaining, reader, writer);
  const met = explaining.memo.get(reader) ?? new Map<AvroSchema, readonly Cause[]>();
  explaining.memo.set(reader, met);
  const known = met.get(writer);
  if (known !== undefined) return known;
  met.set(writer, NONE);
  const causes = compare(explaining, reader, writer);
  met.set(writer, causes);
  return causes;
}

function compare(explaining: Explaining, reader: AvroSchema, writer: AvroSchema): readonly Cause[] {
  if (writer.kind === "union") return explainBranches(explaining, reader, writer);
  if (reader.kind === "union") return explainChoice(explaining, reader, writer);
  if (reader.kind === "record" && writer.kind === "record") {
    return [...explainName(explaining, reader, writer), ...explainFields(explaining, reader, writer)];
  }
  if (reader.kind === "enum" && writer.kind === "enum") {
    const missing = missingSymbols(reader, writer);
    const names = explainName(explaining, reader, writer);
    return missing.length === 0 ? names : [...names, lacksSymbols(reader, writer, missing)];
  }
  if (reader.kind === "fixed" && writer.kind === "fixed") {
    const names = explainName(explaining, reader, writer);
    return reader.size === writer.size ? names : [...names, otherSize(reader, writer)];
  }
  if (reader.kind === "array" && writer.kind === "array") {
    return onSomeData(under("[]", explain(explaining, reader.items, writer.items)));
  }
  if (reader.kind === "map" && writer.kind === "map") {
    return onSomeData(under("{}", explain(explaining, reader.values, writer.values)));
  }
  return isPromotion(reader, writer) ? NONE : [otherType(reader, writer)];
}

/** If only some branches of a union fail, the causes concern only data of those branches. */
function explainBranches(explaining: Explaining, reader: AvroSchema, writer: AvroUnion): readonly Cause[] {
  if (reader.kind === "union" && isEquivalent(explaining.renaming, reader, writer)) {
    return writer.branches.flatMap((branch, at) => explain(explaining, reader.branches[at] ?? reader, branch));
  }
  const byBranch = writer.branches.map((branch) => explain(explaining, reader, branch));
  const causes = cannotRead(reader, writer, byBranch);
  return byBranch.every((branch) => branch.some(throwsAlways)) ? causes : onSomeData(causes);
}

function throwsAlways({ effect, certainty }: Cause): boolean {
  return effect === "throws" && certainty === "always";
}

/** A default that cannot become a value fails before any datum is read, so its cause stays certain. */
function onSomeData(causes: readonly Cause[]): readonly Cause[] {
  return causes.map((cause) =>
    cause.certainty === "always" && cause.rule !== "avro/unusable-default"
      ? { ...cause, certainty: "on-some-data" }
      : cause,
  );
}

function explainChoice(explaining: Explaining, reader: AvroUnion, writer: AvroSchema): readonly Cause[] {
  const chosen = chosenBranch(explaining.renaming, reader, writer);
  if (chosen !== undefined && !isNamed(writer)) return explain(explaining, chosen, writer);
  const tried = reader.branches.map((branch) => ({ branch, causes: explain(explaining, branch, writer) }));
  const isAllowed = tried.some(({ causes }) => causes.length === 0);
  if (chosen === undefined) {
    const causes = meantIn(tried, writer);
    return causes.some(throwsAlways) ? causes : [lacksBranch(reader, writer), ...causes];
  }
  const isExact = isNamed(chosen) && isNamed(writer) && chosen.fullName === explaining.renaming.typeName(writer);
  const before = tried.slice(0, isExact ? reader.branches.indexOf(chosen) : undefined);
  const causes = [
    ...defaultsIn(before.filter(({ branch }) => branch !== chosen)),
    ...explain(explaining, chosen, writer),
  ];
  return isAllowed && causes.every(({ certainty }) => certainty === "by-policy") ? NONE : causes;
}

/** Before the decoder settles on a branch, it tries the other records and builds their defaults. */
function defaultsIn(tried: readonly Tried[]): readonly Cause[] {
  return tried.flatMap(({ causes }) => causes.filter(({ rule }) => rule === "avro/unusable-default"));
}

interface Tried {
  readonly branch: AvroSchema;
  readonly causes: readonly Cause[];
}

/**
 * The branch that was probably meant: among those of the writer's kind, the one with the same name, or else the first.
 */
function meantIn(tried: readonly Tried[], writer: AvroSchema): readonly Cause[] {
  const alike = tried.filter(({ branch }) => branch.kind === writer.kind);
  const meant =
    alike.find(({ branch }) => isNamed(branch) && isNamed(writer) && branch.fullName === writer.fullName) ??
    alike.find(({ branch }) => isNamed(branch) && isNamed(writer) && hasNameOf(branch, writer)) ??
    alike[0];
  return meant?.causes ?? NONE;
}

function explainFields(explaining: Explaining, reader: AvroRecord, writer: AvroRecord): readonly Cause[] {
  const causes: Cause[] = [];
  const read = readFields(explaining.renaming, writer);
  for (const field of reader.fields) {
    const from = field.aliases.length === 0 ? read.get(field.name) : undefined;
    if (from !== undefined && isAlike(field.type, from.type)) continue;
    causes.push(...under(field.name, explainField(explaining, field, writer)));
  }
  return causes;
}

function explainField(explaining: Explaining, field: RecordField, writer: AvroRecord): readonly Cause[] {
  const [written, ...more] = writtenFields(field, writer);
  // The rule also counts a field's own name among its aliases; show the other name to people.
  const second = more.find((one) => one !== written) ?? more[0];
  const read = readFields(explaining.renaming, writer).get(field.name);
  if (written !== undefined && second !== undefined) {
    const names = [written.name, second.name];
    const into = writer.fields.filter((one) => explaining.renaming.fieldName(writer, one) === field.name);
    const isApplied = written !== second && names.every((name) => into.some((one) => one.name === name));
    if (isApplied) return [ambiguousAlias(field.name, names)];
    return [
      { ...ambiguousAlias(field.name, names), ...POLICY_ONLY },
      ...explainValue(explaining, field, writer, read, written),
    ];
  }
  return explainValue(explaining, field, writer, read, written);
}

const POLICY_ONLY = { certainty: "by-policy", effect: "decodes" } as const satisfies Pick<
  Finding,
  "certainty" | "effect"
>;

function explainValue(
  explaining: Explaining,
  field: RecordField,
  writer: AvroRecord,
  read: RecordField | undefined,
  written: RecordField | undefined,
): readonly Cause[] {
  if (read !== undefined) return explain(explaining, field.type, read.type);
  if (written !== undefined) {
    const into = explaining.renaming.fieldName(writer, written);
    return [into === written.name ? idleAlias(field, written) : takenByAlias(field, written, into)];
  }
  if (field.default === undefined) return [lacksDefault(field)];
  return hasValue(field.type, field.default) ? NONE : [unusableDefault(field)];
}

function explainName({ renaming }: Explaining, reader: AvroNamed, writer: AvroNamed): readonly Cause[] {
  const isRead = reader.kind === "record" || isReadAs(renaming, reader, writer);
  if (!isRead) return [otherName(reader, writer)];
  return hasNameOf(reader, writer) ? NONE : [{ ...otherName(reader, writer), ...POLICY_ONLY }];
}

function under(step: string, causes: readonly Cause[]): readonly Cause[] {
  return causes.length === 0 ? NONE : causes.map((cause) => ({ ...cause, path: [step, ...cause.path] }));
}
