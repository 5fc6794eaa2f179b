/** One change of one key. The old row of a delete may have only the key. */
export interface Entry {
  readonly op: "c" | "u" | "d" | "r";
  readonly n: string | undefined;
  readonly xid: number | undefined;
}

interface Key {
  readonly expected: Entry[];
  readonly seen: Entry[];
  expectedAt: number;
  seenAt: number;
  last: Entry | undefined;
}

/** Compares what changed with what was published, per key. */
export interface Sequences {
  expect(table: string, key: string, entry: Entry): void;
  see(table: string, key: string, entry: Entry): void;
  /** How many changes, and rows read in chunks, have been compared so far. */
  readonly compared: { changes: number; reads: number };
  /** The differences in what both sides have so far. */
  problems(): readonly string[];
  /** Changes without an event so far. */
  missing(): readonly string[];
}

/**
 * c, u and d must be the expected ones, each once and in order. r may appear at any time and any number of times, but
 * always has the row that results from the events before it.
 */
export function sequences(): Sequences {
  const keys = new Map<string, Key>();
  const dirty = new Set<string>();
  const compared = { changes: 0, reads: 0 };
  const keyOf = (table: string, key: string): Key => {
    const name = `${table}/${key}`;
    dirty.add(name);
    const known = keys.get(name) ?? { expected: [], seen: [], expectedAt: 0, seenAt: 0, last: undefined };
    keys.set(name, known);
    return known;
  };
  return {
    expect: (table, key, entry) => void keyOf(table, key).expected.push(entry),
    see: (table, key, entry) => void keyOf(table, key).seen.push(entry),
    compared,
    problems() {
      const all = [...dirty].flatMap((name) => {
        const key = keys.get(name);
        const problem = key && compare(key, compared);
        return problem === undefined ? [] : [`${name}: ${problem}`];
      });
      dirty.clear();
      return all;
    },
    missing: () =>
      [...keys].flatMap(([name, { expected, expectedAt }]) =>
        expectedAt < expected.length ? [`${name}: ${expected.slice(expectedAt).map(show).join(" ")}`] : [],
      ),
  };
}

function compare(key: Key, compared: Sequences["compared"]): string | undefined {
  for (; key.seenAt < key.seen.length; key.seenAt++) {
    const seen = key.seen[key.seenAt];
    const due = key.expected[key.expectedAt];
    if (seen?.op === "r") {
      compared.reads += 1;
      const stale = key.last !== undefined && (key.last.op === "d" || key.last.n !== seen.n);
      if (stale) return `${show(seen)} was read, but the events before it end with ${show(key.last)}${history(key)}`;
      continue;
    }
    if (due === undefined) return undefined;
    const same = seen?.op === due.op && (due.n === undefined || seen.n === due.n) && seen.xid === due.xid;
    if (!same) return `expected ${show(due)}, published was ${show(seen)}${history(key)}`;
    key.expectedAt += 1;
    key.last = due;
    compared.changes += 1;
  }
  return undefined;
}

function history(key: Key): string {
  const before = key.seen.slice(Math.max(0, key.seenAt - 4), key.seenAt + 4).map(show);
  const due = key.expected.slice(Math.max(0, key.expectedAt - 3), key.expectedAt + 4).map(show);
  return ` (published … ${before.join(" ")} …; changed … ${due.join(" ")} …)`;
}

function show(entry: Entry | undefined): string {
  if (entry === undefined) return "nothing";
  return `${entry.op}${entry.n ?? ""}${entry.xid === undefined ? "" : `@${entry.xid}`}`;
}
