/**
 * Which consumer groups were seen reading a topic, and when. Times are those of the polls, in milliseconds since 1970;
 * nothing here reads a clock. A group counts as absent only if the poll itself succeeded.
 */

/** One group on one topic, as a look found it. */
export interface SeenGroup {
  readonly group: string;
  /** Members subscribed to the topic now; undefined: the group's protocol hides them from us (KIP-848). */
  readonly members: number | undefined;
  /** Committed offsets on the topic, by partition. */
  readonly offsets: ReadonlyMap<number, bigint>;
  /** How many of the members announce that they read the topic with a schema of this fingerprint. */
  readonly readers: ReadonlyMap<string, number>;
}

export type GroupsSeen =
  /** All groups on all topics that were asked for; such a topic without any group is in it too. */
  | { readonly kind: "seen"; readonly byTopic: ReadonlyMap<string, readonly SeenGroup[]> }
  | { readonly kind: "unknown"; readonly why: string };

export type Look = GroupsSeen & { readonly at: number };

/** What is remembered of a group on a topic. */
export interface GroupEvidence {
  readonly group: string;
  /** When a look first found it. */
  readonly first: number;
  /** The last look that found members, or offsets that had moved; a group first seen with offsets counts from then. */
  readonly active: number | undefined;
  /** The last look that found its offsets moved. */
  readonly moved: number | undefined;
  /** As of the last look, like the rest. */
  readonly members: number | undefined;
  /** undefined: it has none on the topic (any more). Two numbers, so that a record stays small. */
  readonly committed: { readonly partitions: number; readonly sum: string } | undefined;
  readonly readers: Readonly<Record<string, number>>;
}

export interface TopicEvidence {
  /** The first look at this topic, and the last one that was possible. */
  readonly began: number;
  readonly at: number;
  /** By name: all that a contract names, and at most `MAX_OTHERS` others. */
  readonly groups: readonly GroupEvidence[];
  /** How many others there were beyond that, none more alive than those; absent: none. */
  readonly more?: number | undefined;
  /** By consumer: since which look its contract is there. */
  readonly contracts: Readonly<Record<string, number>>;
}

/** What a connector knows of the readers of its topics. */
export interface Evidence {
  /** By topic, as of the last look that was possible. */
  readonly topics: ReadonlyMap<string, TopicEvidence>;
  /** The same as the state topic has it: of a while ago, in all that decides the same. */
  readonly recorded: ReadonlyMap<string, TopicEvidence>;
  /** The last look of this process; `why`: it was not possible. undefined: none yet. */
  readonly look: { readonly at: number; readonly why: string | undefined } | undefined;
}

export const NO_EVIDENCE: Evidence = { topics: new Map(), recorded: new Map(), look: undefined };

/** So many groups of a topic are remembered beside those that contracts name, the most alive ones. */
const MAX_OTHERS = 500;

/** What only grows older is written so often at most. */
const RECORD_MS = 300_000;

/** As a restart finds it: what was recorded, and no look yet. */
export function recalled(recorded: Evidence["recorded"]): Evidence {
  return { topics: recorded, recorded, look: undefined };
}

/**
 * What is known after a look. `consumers`: whose contracts are on which topic. A group that is gone is remembered for
 * `keepMs` after it was active last. `named`: the groups that contracts on a topic name, which are all remembered.
 */
export function looked(
  before: Evidence,
  look: Look,
  consumers: ReadonlyMap<string, readonly string[]>,
  keepMs: number,
  named: (topic: string) => ReadonlySet<string> = () => NONE,
): Evidence {
  const { at } = look;
  if (look.kind === "unknown") return { ...before, look: { at, why: look.why } };
  const topics = new Map(before.topics);
  const news = new Map<string, TopicEvidence>();
  for (const [topic, names] of consumers) {
    const groups = look.byTopic.get(topic);
    if (groups === undefined) continue;
    const now = seeTopic(before.topics.get(topic), groups, names, at, keepMs, named(topic));
    topics.set(topic, now);
    if (isNews(before.recorded.get(topic), now)) news.set(topic, now);
  }
  const recorded = news.size === 0 ? before.recorded : new Map([...before.recorded, ...news]);
  return { topics, recorded, look: { at, why: undefined } };
}

const NONE: ReadonlySet<string> = new Set();

function seeTopic(
  before: TopicEvidence | undefined,
  seen: readonly SeenGroup[],
  consumers: readonly string[],
  at: number,
  keepMs: number,
  named: ReadonlySet<string>,
): TopicEvidence {
  const known = new Map(before?.groups.map((one) => [one.group, one]));
  const here = seen.map((one) => seeGroup(known.get(one.group), one, at));
  for (const { group } of seen) known.delete(group);
  const gone = [...known.values()].filter(({ active, first }) => at - (active ?? first) <= keepMs);
  const all = [...here, ...gone.map((one) => ({ ...one, members: 0, committed: undefined, readers: {} }))];
  const others = all.filter(({ group }) => !named.has(group)).sort(byLife);
  const kept = [...all.filter(({ group }) => named.has(group)), ...others.slice(0, MAX_OTHERS)];
  return {
    began: before?.began ?? at,
    at,
    groups: kept.sort((a, b) => (a.group < b.group ? -1 : 1)),
    ...(others.length > MAX_OTHERS ? { more: others.length - MAX_OTHERS } : {}),
    contracts: Object.fromEntries(consumers.map((name) => [name, before?.contracts[name] ?? at])),
  };
}

/** Groups with members first, then the others by their last sign of life; by name among equals. */
function byLife(a: GroupEvidence, b: GroupEvidence): number {
  const members = Number((b.members ?? 0) > 0) - Number((a.members ?? 0) > 0);
  const active = (b.moved ?? b.active ?? b.first) - (a.moved ?? a.active ?? a.first);
  return members || active || (a.group < b.group ? -1 : 1);
}

function seeGroup(before: GroupEvidence | undefined, seen: SeenGroup, at: number): GroupEvidence {
  const { group, members, offsets, readers } = seen;
  const committed = offsets.size === 0 ? undefined : { partitions: offsets.size, sum: String(sum(offsets.values())) };
  const moves = committed !== undefined && hasMoved(before?.committed, committed);
  const isActive = moves || (members ?? 0) > 0;
  return {
    group,
    first: before?.first ?? at,
    active: isActive ? at : before?.active,
    moved: moves ? at : before?.moved,
    members,
    committed,
    readers: Object.fromEntries(readers),
  };
}

/** Offsets that Kafka forgot make the sum another too: fewer partitions are no move. */
function hasMoved(before: GroupEvidence["committed"], now: NonNullable<GroupEvidence["committed"]>): boolean {
  return before === undefined || (now.partitions >= before.partitions && now.sum !== before.sum);
}

function sum(offsets: Iterable<bigint>): bigint {
  let total = 0n;
  for (const offset of offsets) total += offset;
  return total;
}

/** Is it worth a record: another thing to decide on, or the same grown too old? */
function isNews(before: TopicEvidence | undefined, now: TopicEvidence): boolean {
  if (before === undefined || gist(before) !== gist(now)) return true;
  return now.at - before.at >= RECORD_MS && JSON.stringify(before.groups) !== JSON.stringify(now.groups);
}

function gist({ groups, more, contracts }: TopicEvidence): string {
  const all = groups.map(({ group, members, committed, readers }) => [
    group,
    (members ?? 0) > 0,
    committed !== undefined,
    Object.keys(readers).sort(),
  ]);
  return JSON.stringify([all, more !== undefined, Object.keys(contracts).sort()]);
}
