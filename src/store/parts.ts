import { GuardError } from "../errors.ts";

interface PartRecord {
  readonly key: string;
  /** null: deleted. */
  readonly value: string | null;
}

/** Of a record's text, in UTF-16 units: at most 360 KB as UTF-8 in JSON, so Kafka's 1 MiB is never near. */
const PART_LENGTH = 120_000;

/**
 * The records that replace one text of a key by another; undefined: none. A long text is in records of its own,
 * `part/<n>/<key>`, and the key's record says how many there are. All are written in one transaction.
 */
export function splitIntoParts(
  key: string,
  before: string | undefined,
  after: string | undefined,
): readonly PartRecord[] {
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

/** The text of each key. @throws GuardError state-invalid naming the key of which a part is missing */
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
  const record = records.get(key);
  if (record === undefined) throw new GuardError("state-invalid", `state record ${key} is missing`);
  return (JSON.parse(record) as { readonly text: string }).text; // `splitIntoParts` wrote it
}
