import { LineCounter, parseDocument, type Document } from "yaml";
import { describeError } from "../errors.ts";
import { ADDS_WITH_ROW, type AddedField, type Contract, schemaMistakes } from "./contract.ts";
import { contractFileSchema, EXAMPLES, SEVERITY_EXAMPLES, type ContractFile, type Ignore } from "./file-schema.ts";
import { contractError, type Mistake, nearestName } from "../mistake.ts";
import { offsetOfUnresolvedAlias, offsetOf, pathText, valueAt, type Path } from "./place.ts";
import { readSchemaFile } from "./schema-file.ts";
import { type SeverityChange, whyNotChangeable } from "./severity.ts";
import { isTooDeep, type Json, ownValue, TOO_DEEP } from "../json.ts";

type Issue = NonNullable<ReturnType<typeof contractFileSchema.safeParse>["error"]>["issues"][number];

/**
 * Reads `fieldgate.yaml`. People write this file, so all its mistakes are reported at once, each with file, line,
 * column and, where possible, an example or the key that was probably meant. zod finds most of them; conditions that
 * involve several keys are checked here on the raw values, even if zod has found something.
 */

/** The text being read, and a function that adds a mistake at a path of keys. */
interface Reading {
  readonly raw: unknown;
  readonly add: (path: Path, reason: string, example?: string) => void;
}

/** A place in a file. Line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const ONE_DOCUMENT = "a second document starts here, but a file may have only one";

/** The content of a `fieldgate.yaml`, with the place of each entry. */
export interface ContractText {
  /** Each contract, with the place of its topic in the file. */
  readonly contracts: readonly { readonly contract: Contract; readonly place: Place }[];
  /** An entry without `topic` or `field` applies to all of them. */
  readonly ignored: readonly (Ignore & { readonly place: Place })[];
  /** All entries. Each contract also contains those that apply to it. */
  readonly severity: readonly (SeverityChange & { readonly place: Place })[];
}

/** Like readContractText, but returns only the contracts. */
export function parseContractFile(
  text: string,
  readFile: (path: string) => string,
  file = "fieldgate.yaml",
): readonly Contract[] {
  return readContractText(text, readFile, file).contracts.map(({ contract }) => contract);
}

/**
 * Reads `fieldgate.yaml`: one contract for each topic, with its schema file inlined. `readFile` is given the path as
 * written, and may throw. Throws `contract-invalid` with every mistake at once, each with file, line and column.
 */
export function readContractText(text: string, readFile: (path: string) => string, file: string): ContractText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const place = (offset: number): string => {
    const { line, column } = placeOf(offset);
    return `${file}:${line}:${column}`;
  };
  // The parser reports every unclosed bracket at the end of the text, so one error per place is enough. Thousands of
  // nested lists overflow its stack.
  const errors = new Map(document.errors.map((error) => [error.pos[0], error]));
  const deep = document.errors.find(({ message }) => message.includes("call stack"));
  const syntax = (deep === undefined ? [...errors.values()] : [deep]).map((error) => ({
    place: place(error.pos[0]),
    key: "YAML:",
    reason: error === deep ? TOO_DEEP : error.code === "MULTIPLE_DOCS" ? ONE_DOCUMENT : error.message,
  }));
  if (syntax.length > 0) throw contractError(syntax);
  const mistakes: (Mistake & { readonly offset: number })[] = [];
  const reading: Reading = {
    raw: valuesOf(document, place),
    add: (path, reason, example) => {
      const offset = offsetOf(document, path);
      mistakes.push({ offset, place: place(offset), key: pathText(path), reason, example });
    },
  };
  const parsed = contractFileSchema.safeParse(reading.raw);
  for (const issue of parsed.error?.issues ?? []) addIssue(reading, issue);
  const schemas = readSchemas(reading, readFile);
  addRepeatedTopics(reading);
  if (parsed.success) addMistakesOfAdds(reading, parsed.data);
  addMistakesOfSeverity(reading);
  if (!parsed.success || mistakes.length > 0) throw contractError(mistakes.sort((a, b) => a.offset - b.offset));
  const { topics, ignore = [], severity = [] } = parsed.data;
  return {
    contracts: topics.map((topic, at) => ({
      contract: contractOf(parsed.data, topic, schemas.get(at)),
      place: placeOf(offsetOf(document, ["topics", at, "topic"])),
    })),
    ignored: ignore.map((one, at) => ({ ...one, place: placeOf(offsetOf(document, ["ignore", at])) })),
    severity: severity.map((one, at) => ({ ...one, place: placeOf(offsetOf(document, ["severity", at])) })),
  };
}

/** The library reports an alias without an anchor, or too many aliases, only at this point. */
function valuesOf(document: Document, place: (offset: number) => string): unknown {
  try {
    const values: unknown = document.toJS();
    if (isTooDeep(values)) throw new RangeError(TOO_DEEP);
    return values;
  } catch (error) {
    throw contractError([
      { place: place(offsetOfUnresolvedAlias(document)), key: "YAML:", reason: describeError(error) },
    ]);
  }
}

function contractOf(
  { version, consumer, owner, environment, severity = [] }: ContractFile,
  topic: ContractFile["topics"][number],
  schema: Json | undefined,
): Contract {
  const { view, adds, fields, ignores, groups, runtime, longs } = topic;
  const changes = severity.flatMap(({ topic: only, ...change }) =>
    only === undefined || only === topic.topic ? [change] : [],
  );
  return {
    version,
    environment,
    consumer,
    ...(owner === undefined ? {} : { owner }),
    topic: topic.topic,
    decodesWith: topic["decodes-with"],
    unknownFields: topic["unknown-fields"],
    ...(schema === undefined ? {} : { schema }),
    ...(view === undefined ? {} : { view }),
    ...(adds === undefined ? {} : { adds: addedFields(adds) }),
    ...(fields === undefined ? {} : { fields }),
    ...(ignores === undefined ? {} : { ignores }),
    ...(groups === undefined ? {} : { groups }),
    ...(runtime === undefined ? {} : { runtime }),
    ...(longs === undefined ? {} : { longs }),
    ...(changes.length === 0 ? {} : { severity: changes }),
  };
}

const OPTIONAL_TEXT: Json = ["null", "string"];

/** The added fields with their types, from `[__op, { __ts_ms: long }]`. */
function addedFields(adds: NonNullable<ContractFile["topics"][number]["adds"]>): readonly AddedField[] {
  return adds.flatMap((added) =>
    typeof added === "string"
      ? [{ name: added, type: OPTIONAL_TEXT }]
      : Object.entries(added).map(([name, type]) => ({ name, type })),
  );
}

/** Adds a problem that zod found, worded for people. */
function addIssue({ raw, add }: Reading, issue: Issue): void {
  const { path } = issue;
  const named = String(path.findLast((key) => typeof key === "string"));
  const isSeverity = path[0] === "severity" && path.length > 1;
  const example = (isSeverity ? ownValue(SEVERITY_EXAMPLES, named) : undefined) ?? ownValue(EXAMPLES, named);
  if (issue.code === "unrecognized_keys") {
    const known = path.length === 0 ? FILE_KEYS : (ownValue(LIST_KEYS, String(path[0])) ?? TOPIC_KEYS);
    for (const key of issue.keys) addUnknownKey(add, [...path, key], nearestName(key, known), known);
  } else if (valueAt(raw, path) === undefined) {
    add(path, "is missing", example);
  } else if (issue.code === "invalid_value") {
    add(path, `must be ${issue.values.length > 1 ? "one of " : ""}${issue.values.map(String).join(", ")}`, example);
  } else if (issue.code === "invalid_type") {
    add(path, `must be ${KINDS[issue.expected] ?? issue.expected}`, example);
  } else {
    add(path, issue.message, example);
  }
}

/** `$schema` is for editors, so it is not suggested for a mistyped key. */
const FILE_KEYS = Object.keys(contractFileSchema.shape).filter((key) => key !== "$schema");
const LIST_KEYS: Readonly<Record<string, readonly string[]>> = {
  ignore: ["rule", "topic", "field", "reason", "until"],
  severity: ["rule", "topic", "field", "severity", "reason", "until"],
};
const TOPIC_KEYS = Object.keys(contractFileSchema.shape.topics.element.shape);
const KINDS: Readonly<Record<string, string>> = { string: "text", array: "a list", object: "a map of keys" };

function addUnknownKey(add: Reading["add"], path: Path, near: string | undefined, known: readonly string[]): void {
  const hint = near === undefined ? ` (known keys: ${known.join(", ")})` : ` (did you mean ${near}?)`;
  add(path, `is not a known key${hint}`, near === undefined ? undefined : EXAMPLES[near]);
}

/** Reads the schemas, by the topic's index, and adds the mistakes in them. */
function readSchemas({ raw, add }: Reading, readFile: (path: string) => string): ReadonlyMap<number, Json> {
  const schemas = new Map<number, Json>();
  for (const [at, topic] of topicsOf(raw).entries()) {
    const path = valueAt(topic, ["schema"]);
    const decodesWith = valueAt(topic, ["decodes-with"]);
    const place = ["topics", at, "schema"];
    if (decodesWith === "reader" && path === undefined) {
      add(place, "is missing: decodes-with: reader requires the reader's schema", EXAMPLES["schema"]);
    }
    if (decodesWith === "writer" && path !== undefined) {
      add(place, "requires decodes-with: reader; with writer, list the columns in fields", EXAMPLES["fields"]);
    }
    if (decodesWith !== "reader" || typeof path !== "string") continue;
    const read = readSchemaFile(path, readFile);
    if (read.kind === "schema") schemas.set(at, read.json);
    else add(place, read.reason);
  }
  return schemas;
}

function addMistakesOfAdds({ add }: Reading, { topics }: ContractFile): void {
  for (const [at, { view, adds = [] }] of topics.entries()) {
    const place = ["topics", at, "adds"];
    if (adds.length > 0 && view !== "row") add(place, ADDS_WITH_ROW, EXAMPLES["view"]);
    for (const [number, added] of adds.entries()) {
      for (const { type } of addedFields([added])) {
        for (const { reason } of schemaMistakes("", type)) add([...place, number], reason, EXAMPLES["adds"]);
      }
    }
  }
}

function addMistakesOfSeverity({ raw, add }: Reading): void {
  const topics = topicsOf(raw).map((topic) => valueAt(topic, ["topic"]));
  for (const [at, entry] of listAt(raw, "severity").entries()) {
    const [rule, topic] = [valueAt(entry, ["rule"]), valueAt(entry, ["topic"])];
    const reason = typeof rule === "string" && rule !== "" ? whyNotChangeable(rule) : undefined;
    if (reason !== undefined) add(["severity", at, "rule"], `${String(rule)} ${reason}`);
    if (typeof topic === "string" && !topics.includes(topic)) {
      add(["severity", at, "topic"], "is not one of this file's topics");
    }
  }
}

function addRepeatedTopics({ raw, add }: Reading): void {
  const seen = new Set<unknown>();
  for (const [at, topic] of topicsOf(raw).entries()) {
    const name = valueAt(topic, ["topic"]);
    if (name !== undefined && seen.has(name)) add(["topics", at, "topic"], "is listed twice");
    seen.add(name);
  }
}

function topicsOf(raw: unknown): readonly unknown[] {
  return listAt(raw, "topics");
}

function listAt(raw: unknown, key: string): readonly unknown[] {
  const list = valueAt(raw, [key]);
  return Array.isArray(list) ? list : [];
}
