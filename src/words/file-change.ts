/**
 * The text about a changed key of the connector's file: what consumers get from this position on, and what they have
 * missed.
 */

export interface FileChangeText {
  /** `warn`: consumers may have to do something. */
  readonly severity: "warn" | "info";
  readonly what: string;
  readonly next: string | undefined;
}

/**
 * Describes the change. `was` and `now` are the key's values as text. The key is one of those that the state stores.
 */
export function describeFileChange(key: string, was: string, now: string): FileChangeText {
  const what = `${key} was ${shown(was)} and is now ${shown(now)}`;
  const text = key === "skipped.operations" ? operationsText(was, now) : TEXTS[key]?.(now);
  if (text === undefined) return { severity: "info", what, next: undefined };
  const { effect, next } = text;
  return { severity: "warn", what: `${what}: ${effect}`, next };
}

interface Consequence {
  readonly effect: string;
  readonly next?: string;
}

const MODE: Consequence = {
  effect: "fields that it would write differently do not change until they are released; each is an amendment",
  next: "fieldgate amendments",
};

const LISTS: Consequence = {
  effect:
    "changes of tables that are no longer listed are not published; tables that are listed again are published again",
};

const COLUMNS: Consequence = {
  effect: "fields that leave or join the events are amendments",
  next: "fieldgate amendments",
};

const TEXTS: Readonly<Partial<Record<string, (now: string) => Consequence>>> = {
  "decimal.handling.mode": () => MODE,
  "time.precision.mode": () => MODE,
  "interval.handling.mode": () => MODE,
  "binary.handling.mode": () => MODE,
  "hstore.handling.mode": () => MODE,
  "money.fraction.digits": () => MODE,
  "include.unknown.datatypes": () => MODE,
  "field.name.adjustment.mode": () => MODE,
  "schema.include.list": () => LISTS,
  "schema.exclude.list": () => LISTS,
  "table.include.list": () => LISTS,
  "table.exclude.list": () => LISTS,
  "column.include.list": () => COLUMNS,
  "column.exclude.list": () => COLUMNS,
  "tombstones.on.delete": (now) => ({
    effect:
      now === "true"
        ? "a tombstone follows each delete again; keys that were deleted without one remain in compacted topics"
        : "deletes are no longer followed by a tombstone, so compacted topics keep deleted keys",
  }),
  "snapshot.mode": (now) => ({ effect: SNAPSHOT[now] ?? "tables that are captured already are not read again" }),
  "publication.name": () => ({
    effect: "each table is published again, because nothing shows what the other publication has sent",
  }),
  "topic.heartbeat.prefix": () => ({ effect: "heartbeats go to a different topic" }),
  "fieldgate.environment": () => ({
    effect: "the contracts of that environment count from now on, and no others",
    next: "fieldgate coverage",
  }),
};

const SNAPSHOT: Readonly<Partial<Record<string, string>>> = {
  initial: "the rows of new tables are read, while those of tables that are captured already are not read again",
  no_data: "the rows that new tables have are not read; a snapshot that has begun is completed",
  initial_only: "the connector ends once its snapshots are done, and publishes no changes after that",
};

const OPERATIONS: Readonly<Partial<Record<string, string>>> = {
  c: "inserts",
  u: "updates",
  d: "deletes",
  t: "truncations",
};

function operationsText(was: string, now: string): Consequence {
  const [before, after] = [operationsOf(was), operationsOf(now)];
  const gone = after.filter((one) => !before.includes(one));
  const back = before.filter((one) => !after.includes(one));
  const parts = [
    ...(gone.length === 0 ? [] : [`${named(gone)} are no longer published, so consumers keep what they had`]),
    ...(back.length === 0
      ? []
      : [`${named(back)} are published again; those that were skipped before are in no event`]),
    ...(back.some((one) => one === "c" || one === "u") ? ["all rows of the tables are published again"] : []),
    ...(back.some((one) => one === "d" || one === "t")
      ? ["consumers keep rows that were deleted in the meantime"]
      : []),
  ];
  return { effect: parts.join("; ") };
}

/** True if rows that consumers lack after this change of skipped.operations can be published from the tables. */
export function isRepairedBy(was: string, now: string): boolean {
  const after = operationsOf(now);
  return operationsOf(was).some((one) => (one === "c" || one === "u") && !after.includes(one));
}

function operationsOf(text: string): readonly string[] {
  return text.split(",").filter((one) => Object.hasOwn(OPERATIONS, one));
}

function named(operations: readonly string[]): string {
  return operations.map((one) => OPERATIONS[one] ?? one).join(" and ");
}

const SHOWN = 200;

function shown(value: string): string {
  if (value === "") return "not set";
  return value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value;
}
