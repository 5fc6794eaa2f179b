import { ownValue } from "../../json.ts";

/**
 * Which consumer groups were seen reading a topic, and when. Times are those of the polls, in milliseconds since 1970;
 * nothing here reads a clock. A group counts as absent only if the poll itself succeeded.
 */

/** One group on one topic, according to one poll. */
export interface SeenGroup {
  readonly group: string;
  /** Members now subscribed to the topic. undefined if Kafka does not show what they read: it may be this topic. */
  readonly members: number | undefined;
  /** Committed offsets on the topic, by partition. */
  readonly offsets: ReadonlyMap<number, bigint>;
  /** By schema fingerprint: how many members announce that they read the topic with that schema. */
  readonly readers: ReadonlyMap<string, number>;
}

export type GroupsSeen =
  /** All groups of the topics that were polled. Topics without any group are included. */
  | {
      readonly kind: "seen";
      readonly byTopic: ReadonlyMap<string, readonly SeenGroup[]>;
      /** Groups whose members were joining or leaving, so that Kafka did not show what they read. */
      readonly forming?: ReadonlySet<string> | undefined;
    }
  | { readonly kind: "unknown"; readonly why: string };

/** The result of one poll and the time when it started. */
export type GroupPoll = GroupsSeen & { readonly at: number };

/** What is remembered about a group on a topic. */
export interface GroupEvidence {
  readonly group: string;
  /** When a poll found it for the first time. */
  readonly first: number;
  /**
   * The last poll that found members, or offsets that had moved. A group that already has offsets when it is first seen
   * counts as active at that time.
   */
  readonly active: number | undefined;
  /** The last poll that found that its offsets had moved. */
  readonly moved: number | undefined;
  /** Members at the last poll. The fields below are from the last poll too. */
  readonly members: number | undefined;
  /** Its committed offsets on the topic, if any. Two numbers instead of all offsets keep the record small. */
  readonly committed: { readonly partitions: number; readonly sum: string } | undefined;
  readonly readers: Readonly<Record<string, number>>;
}

export interface TopicEvidence {
  /** The first successful poll of this topic, and the last one. */
  readonly began: number;
  readonly at: number;
  /** Sorted by name: all groups that a contract names, and at most `MAX_OTHERS` others. */
  readonly groups: readonly GroupEvidence[];
  /**
   * How many further groups there were; each was last active no later than those in `groups`. undefined if there are
   * none.
   */
  readonly more?: number | undefined;
  /** By consumer: the first poll after its contract was published. */
  readonly contracts: Readonly<Record<string, number>>;
}

/** What a connector knows about the consumer groups that read its topics. */
export interface Evidence {
  /** By topic, from the last successful poll. */
  readonly topics: ReadonlyMap<string, TopicEvidence>;
  /** The part stored in the state topic. It may be older, but it leads to the same decisions. */
  readonly recorded: ReadonlyMap<string, TopicEvidence>;
  /** The last poll of this process, and why it failed if it did; undefined before the first poll. */
  readonly lastPoll: { readonly at: number; readonly why: string | undefined } | undefined;
}

export const NO_EVIDENCE: Evidence = { topics: new Map(), recorded: new Map(), lastPoll: undefined };

/**
 * How many groups of a topic are remembered besides those that contracts name. The most recently active ones are kept.
 */
const MAX_OTHERS = 500;

/** The shortest time between two records that differ only in their times. */
const RECORD_MS = 300_000;

/** The evidence after a restart: the recorded part only, until the first poll. */
export function recalled(recorded: Evidence["recorded"]): Evidence {
  return { topics: recorded, recorded, lastPoll: undefined };
}

/**
 * Adds a poll to the evidence. `consumers` lists the consumers with a contract, by topic. A group that disappears is
 * remembered for `keepMs` after it was last active. `named` returns the groups that contracts on a topic name; all of
 * them are remembered.
 */
export function addPoll(
  before: Evidence,
  poll: GroupPoll,
  consumers: ReadonlyMap<string, readonly string[]>,
  keepMs: number,
  named: (topic: string) => ReadonlySet<string> = () => NONE,
): Evidence {
  const { at } = poll;
  if (poll.kind === "unknown") return { ...before, lastPoll: { at, why: poll.why } };
  const topics = new Map(before.topics);
  const news = new Map<string, TopicEvidence>();
  for (const [topic, names] of consumers) {
    const groups = poll.byTopic.get(topic);
    if (groups === undefined) continue;
    const seen = { groups, forming: poll.forming ?? NONE };
    const now = seeTopic(before.topics.get(topic), seen, names, at, keepMs, named(topic));
    topics.set(topic, now);
    if (isNews(before.recorded.get(topic), now)) news.set(topic, now);
  }
  const recorded = news.size === 0 ? before.recorded : new Map([...before.recorded, ...news]);
  return { topics, recorded, lastPoll: { at, why: undefined } };
}

const NONE: ReadonlySet<string> = new Set();

function seeTopic(
  before: TopicEvidence | undefined,
  { groups: seen, forming }: { readonly groups: readonly SeenGroup[]; readonly forming: ReadonlySet<string> },
  consumers: readonly string[],
  at: number,
  keepMs: number,
  named: ReadonlySet<string>,
): TopicEvidence {
  const known = new Map(before?.groups.map((one) => [one.group, one]));
  const here = seen.map((one) => seeGroup(known.get(one.group), one, at));
  for (const { group } of seen) known.delete(group);
  const gone = [...known.values()].filter(({ active, first }) => at - (active ?? first) <= keepMs);
  const all = [...here, ...gone.map((one) => withoutOffsets(one, forming.has(one.group)))];
  const others = all.filter(({ group }) => !named.has(group)).sort(byLife);
  const kept = [...all.filter(({ group }) => named.has(group)), ...others.slice(0, MAX_OTHERS)];
  return {
    began: before?.began ?? at,
    at,
    groups: kept.sort((a, b) => (a.group < b.group ? -1 : 1)),
    ...(others.length > MAX_OTHERS ? { more: others.length - MAX_OTHERS } : {}),
    contracts: Object.fromEntries(consumers.map((name) => [name, ownValue(before?.contracts, name) ?? at])),
  };
}

/** A known group that no longer has offsets: it has no members either, unless they could not be seen. */
function withoutOffsets(group: GroupEvidence, isForming: boolean): GroupEvidence {
  return { ...group, members: isForming ? undefined : 0, committed: undefined, readers: {} };
}

/** True if it has members, or may have some that Kafka does not show. */
function mayHaveMembers({ members }: GroupEvidence): boolean {
  return members === undefined || members > 0;
}

/** Orders groups with members first, then by their last activity, most recent first, then by name. */
function byLife(a: GroupEvidence, b: GroupEvidence): number {
  const members = Number(mayHaveMembers(b)) - Number(mayHaveMembers(a));
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

/** Fewer partitions do not count as a move, because Kafka may have expired some offsets, which also changes the sum. */
function hasMoved(before: GroupEvidence["committed"], now: NonNullable<GroupEvidence["committed"]>): boolean {
  return before === undefined || (now.partitions >= before.partitions && now.sum !== before.sum);
}

function sum(offsets: Iterable<bigint>): bigint {
  let total = 0n;
  for (const offset of offsets) total += offset;
  return total;
}

/** Whether to write a record, because a decision may change or because the last record is too old. */
function isNews(before: TopicEvidence | undefined, now: TopicEvidence): boolean {
  if (before === undefined || gist(before) !== gist(now)) return true;
  return now.at - before.at >= RECORD_MS && JSON.stringify(before.groups) !== JSON.stringify(now.groups);
}

function gist({ groups, more, contracts }: TopicEvidence): string {
  const all = groups.map(({ group, members, committed, readers }) => [
    group,
    members === undefined ? "hidden" : members > 0,
    committed !== undefined,
    Object.keys(readers).sort(),
  ]);
  return JSON.stringify([all, more !== undefined, Object.keys(contracts).sort()]);
}
