import { LineCounter, parseDocument, type Document } from "yaml";
import { readJson } from "../avro/json.ts";
import { parseSchema } from "../avro/parse.ts";
import { nearestKey } from "../config/mistake.ts";
import { describeError } from "../errors.ts";
import type { Json } from "../table/shape.ts";
import type { Contract } from "./contract.ts";
import { contractFileSchema, EXAMPLES, type ContractFile, type Ignore } from "./file-schema.ts";
import { contractError, type Mistake } from "./mistake.ts";
import { offsetOf, pathText, valueAt, type Path } from "./place.ts";

type Issue = NonNullable<ReturnType<typeof contractFileSchema.safeParse>["error"]>["issues"][number];

/** A text being read: takes what is wrong, with the path of keys where. */
interface Reading {
  readonly raw: unknown;
  readonly add: (path: Path, reason: string, example?: string) => void;
}

/** Where something stands in a file; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What a `fieldgate.yaml` says, each with its place. */
export interface ContractText {
  /** At its topic. */
  readonly contracts: readonly { readonly contract: Contract; readonly place: Place }[];
  /** `topic` and `field` left out: any. */
  readonly ignored: readonly (Ignore & { readonly place: Place })[];
}

/** The contracts alone, see readContractText. */
export function parseContractFile(
  text: string,
  readFile: (path: string) => string,
  file = "fieldgate.yaml",
): readonly Contract[] {
  return readContractText(text, readFile, file).contracts.map(({ contract }) => contract);
}

/**
 * Reads `fieldgate.yaml`: one contract for each topic, with its schema file inlined. `readFile` gets the path as
 * written and may throw. Throws `contract-invalid` with every mistake at once, each with file, line and column.
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
  const syntax = document.errors.map((error) => ({ place: place(error.pos[0]), key: "YAML:", reason: error.message }));
  if (syntax.length > 0) throw contractError(syntax);
  const mistakes: (Mistake & { readonly offset: number })[] = [];
  const reading: Reading = {
    raw: valuesOf(document, file),
    add: (path, reason, example) => {
      const offset = offsetOf(document, path);
      mistakes.push({ offset, place: place(offset), key: pathText(path), reason, example });
    },
  };
  const parsed = contractFileSchema.safeParse(reading.raw);
  for (const issue of parsed.error?.issues ?? []) addIssue(reading, issue);
  const schemas = readSchemas(reading, readFile);
  addTwice(reading);
  if (!parsed.success || mistakes.length > 0) throw contractError(mistakes.sort((a, b) => a.offset - b.offset));
  const { topics, ignore = [] } = parsed.data;
  return {
    contracts: topics.map((topic, at) => ({
      contract: contractOf(parsed.data, topic, schemas.get(at)),
      place: placeOf(offsetOf(document, ["topics", at, "topic"])),
    })),
    ignored: ignore.map((one, at) => ({ ...one, place: placeOf(offsetOf(document, ["ignore", at])) })),
  };
}

/** An alias without its anchor, or too many of them, is found only here. */
function valuesOf(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw contractError([{ place: `${file}:1:1`, key: "YAML:", reason: describeError(error) }]);
  }
}

function contractOf(
  { version, consumer, owner, environment }: ContractFile,
  topic: ContractFile["topics"][number],
  schema: Json | undefined,
): Contract {
  const { fields, ignores, groups, runtime } = topic;
  return {
    version,
    environment,
    consumer,
    ...(owner === undefined ? {} : { owner }),
    topic: topic.topic,
    decodesWith: topic["decodes-with"],
    unknownFields: topic["unknown-fields"],
    ...(schema === undefined ? {} : { schema }),
    ...(fields === undefined ? {} : { fields }),
    ...(ignores === undefined ? {} : { ignores }),
    ...(groups === undefined ? {} : { groups }),
    ...(runtime === undefined ? {} : { runtime }),
  };
}

/** What zod found, in a person's words. */
function addIssue({ raw, add }: Reading, issue: Issue): void {
  const { path } = issue;
  const example = EXAMPLES[String(path.findLast((key) => typeof key === "string"))];
  if (issue.code === "unrecognized_keys") {
    const known = path.length === 0 ? FILE_KEYS : path[0] === "ignore" ? IGNORE_KEYS : TOPIC_KEYS;
    for (const key of issue.keys) addUnknownKey(add, [...path, key], nearestKey(key, known), known);
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

const FILE_KEYS = Object.keys(contractFileSchema.shape);
const IGNORE_KEYS = ["rule", "topic", "field", "reason", "until"];
const TOPIC_KEYS = Object.keys(contractFileSchema.shape.topics.element.shape);
const KINDS: Readonly<Record<string, string>> = { string: "a text", array: "a list", object: "a map of keys" };

function addUnknownKey(add: Reading["add"], path: Path, near: string | undefined, known: readonly string[]): void {
  const hint = near === undefined ? ` (known are ${known.join(", ")})` : ` (did you mean ${near}?)`;
  add(path, `is not a known key${hint}`, near === undefined ? undefined : EXAMPLES[near]);
}

/** The schemas by the topic's number, and what is wrong about them. */
function readSchemas({ raw, add }: Reading, readFile: (path: string) => string): ReadonlyMap<number, Json> {
  const schemas = new Map<number, Json>();
  for (const [at, topic] of topicsOf(raw).entries()) {
    const path = valueAt(topic, ["schema"]);
    const decodesWith = valueAt(topic, ["decodes-with"]);
    const there = ["topics", at, "schema"];
    if (decodesWith === "reader" && path === undefined) {
      add(there, "is missing: decodes-with: reader needs the reader's schema", EXAMPLES["schema"]);
    }
    if (decodesWith === "writer" && path !== undefined) {
      add(there, "goes with decodes-with: reader; with writer, list the columns in fields", EXAMPLES["fields"]);
    }
    if (decodesWith !== "reader" || typeof path !== "string") continue;
    try {
      const { json, numberText } = readJson(readFile(path));
      parseSchema(json, numberText);
      schemas.set(at, json);
    } catch (error) {
      add(there, `${path} cannot be used: ${describeError(error)}`);
    }
  }
  return schemas;
}

function addTwice({ raw, add }: Reading): void {
  const seen = new Set<unknown>();
  for (const [at, topic] of topicsOf(raw).entries()) {
    const name = valueAt(topic, ["topic"]);
    if (name !== undefined && seen.has(name)) add(["topics", at, "topic"], "is listed twice");
    seen.add(name);
  }
}

function topicsOf(raw: unknown): readonly unknown[] {
  const topics = valueAt(raw, ["topics"]);
  return Array.isArray(topics) ? topics : [];
}
