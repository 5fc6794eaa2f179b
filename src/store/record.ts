import { GuardError } from "../errors.ts";
import { ownValue } from "../json.ts";

/** One record of a connector's state topic: its version, how a value becomes records, and how a record is read back. */

export interface StateRecord {
  readonly key: string;
  /** null if the record is deleted. */
  readonly value: string | null;
}

/**
 * Version 1 belongs to 0.1.0, which stored sentences where reasons are stored now. Version 2 stored a table's
 * amendments, with the registry's answers and all verdicts, in the table's own record. A record keeps its version until
 * it is written again.
 */
const VERSION = 3;
const VERSIONS: ReadonlySet<unknown> = new Set([1, 2, VERSION]);
/**
 * The version of records with a parked table's counts. A version of Fieldgate that does not know them must not continue
 * as if nothing were parked.
 */
const PARKED_VERSION = 4;

export function record(key: string, value: object): StateRecord {
  return { key, value: textOfRecord(value) };
}

export function parkedRecord(topic: string, value: object | undefined): StateRecord {
  return {
    key: `parked/${topic}`,
    value: value === undefined ? null : JSON.stringify({ v: PARKED_VERSION, ...value }),
  };
}

function textOfRecord(value: object): string {
  return JSON.stringify({ v: VERSION, ...value });
}

/** A record's value, as written by any version of Fieldgate. */
export type RecordValue = Readonly<Record<string, unknown>>;

/** One record after reading. */
export interface Entry {
  readonly version: number;
  readonly value: RecordValue;
}

export type Entries = ReadonlyMap<string, Entry>;

export function entryOf(entries: Entries, key: string): Entry {
  const entry = entries.get(key);
  if (entry === undefined) throw new GuardError("state-invalid", `state record ${key} is missing`);
  return entry;
}

/**
 * The records that store one value. A value too large for one record is split; parts that are no longer needed are
 * deleted.
 */
export function recordsOf(key: string, before: object | undefined, after: object | undefined): readonly StateRecord[] {
  const [was, now] = [before, after].map((value) => value && textOfRecord(value));
  if (was === now) return [];
  return splitIntoParts(key, was, now);
}

export function readRecord(key: string, text: string): Entry {
  const invalid = (why: string) =>
    new GuardError("state-invalid", `state record ${key}: ${why}`, {
      next: "run a version of fieldgate that is not older than the one that wrote it",
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid("not JSON");
  }
  if (typeof value !== "object" || value === null) throw invalid("not an object");
  const { v, ...rest } = value as RecordValue; // an object, checked above
  const isKnown = key.startsWith("parked/") ? v === PARKED_VERSION : VERSIONS.has(v);
  if (typeof v !== "number" || !isKnown) {
    throw invalid(`version ${typeof v === "number" ? v : "missing"} is not known`);
  }
  return { version: v, value: rest };
}

export function textOf(kind: string, value: RecordValue, key: string): string {
  const text = value[key];
  if (typeof text !== "string") throw new GuardError("state-invalid", `state record ${kind}: ${key} is not a string`);
  return text;
}

/** Maximum length of one part in UTF-16 code units: at most 360 KB of UTF-8 JSON, well below Kafka's limit of 1 MiB. */
const PART_LENGTH = 120_000;

/**
 * The records that replace the text of a key with a new one; undefined stands for no text. A long text is split across
 * records `part/<n>/<key>`, and the key's own record holds their number. All of them are written in one transaction.
 */
function splitIntoParts(key: string, before: string | undefined, after: string | undefined): readonly StateRecord[] {
  const [was, now] = [before, after].map(partsOf);
  const count = now?.length ?? 0;
  const unused = Array.from({ length: Math.max(0, (was?.length ?? 0) - count) }, (_, index) => count + index);
  const head = count === 0 ? (after ?? null) : JSON.stringify({ v: 3, parts: count });
  return [
    ...(now ?? []).map((text, index) => ({ key: `part/${index}/${key}`, value: JSON.stringify({ v: 3, text }) })),
    ...unused.map((index) => ({ key: `part/${index}/${key}`, value: null })),
    { key, value: head },
  ];
}

function partsOf(text: string | undefined): readonly string[] {
  if (text === undefined || text.length <= PART_LENGTH) return [];
  const count = Math.ceil(text.length / PART_LENGTH);
  return Array.from({ length: count }, (_, index) => text.slice(index * PART_LENGTH, (index + 1) * PART_LENGTH));
}

const HEAD = /^\{"v":3,"parts":(\d+)\}$/;

/** The text of each key. @throws GuardError state-invalid, naming the key with a missing part */
export function joinParts(records: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  return [...records].flatMap(([key, text]) => {
    if (key.startsWith("part/")) return [];
    const count = HEAD.exec(text)?.[1];
    return [[key, count === undefined ? text : joined(records, key, Number(count))] as const];
  });
}

function joined(records: ReadonlyMap<string, string>, key: string, count: number): string {
  return Array.from({ length: count }, (_, index) => partOf(records, `part/${index}/${key}`)).join("");
}

function partOf(records: ReadonlyMap<string, string>, key: string): string {
  const part = records.get(key);
  if (part === undefined) throw new GuardError("state-invalid", `state record ${key} is missing`);
  return inForm(key, () => textOf("part", JSON.parse(part) as RecordValue, "text")); // `splitIntoParts` wrote it
}

/** The forms of a record's values that whatever reads it relies on. */
export type Form = "string" | "number" | "object" | "list";

/** Throws a TypeError, which `inForm` translates, if one of these values is missing or its form differs. */
export function needs(value: unknown, forms: Readonly<Record<string, Form>>): void {
  for (const [key, form] of Object.entries(forms)) {
    const one = ownValue(value as RecordValue, key); // any object can be read this way
    if ((Array.isArray(one) ? "list" : one === null ? "null" : typeof one) !== form) {
      throw new TypeError(`${key} is not a ${form}`);
    }
  }
}

/** @throws GuardError state-invalid, naming the record, if it has a form that no version of Fieldgate writes */
export function inForm<T>(key: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof GuardError) throw error;
    throw new GuardError("state-invalid", `state record ${key} has a form that no version of Fieldgate writes`, {
      cause: error,
      next: "find out who else writes to the state topic; then start the connector again under a new name",
    });
  }
}
