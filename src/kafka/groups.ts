/**
 * The consumer groups that read a topic, as far as Kafka shows them. A consumer that assigns its own partitions and
 * commits nothing cannot be seen. Each type of group has a request of its own that shows its members; a group that
 * cannot be described is reported as one whose members are hidden, because it may read any topic.
 */
import kafkajs, { type Admin } from "kafkajs"; // Node finds no named export AssignerProtocol
import { decodeAnnouncement } from "../contract/announcement.ts";
import type { GroupsSeen, SeenGroup } from "../gate/evidence/evidence.ts";
import type { KafkaClient } from "./client.ts";
import { type Cluster, withCluster } from "./cluster.ts";
import { kafkaError } from "./errors.ts";
import {
  describeConsumerGroup,
  type Described,
  describeShareGroup,
  describeShareOffsets,
  describeStreamsGroup,
  GROUP_NOT_FOUND,
  type ListedGroup,
  listGroups,
  type Request,
} from "./group-requests.ts";

const GROUPS_AT_ONCE = 16;

/**
 * A group that is used only to check our rights. A broker silently omits the groups that we may not describe, so an
 * incomplete list would look complete. Describing a group that does not exist answers "dead" if we may describe all
 * groups (`*`), and is refused otherwise.
 */
const UNUSED_GROUP = "no-group-has-this-name";

/**
 * For each topic, the groups that have members subscribed to it or committed offsets on it, and the groups that cannot be described. Groups named `fieldgate.*` are ours and are left out. A failed poll is returned as a value, never thrown.
 */
export async function liveGroups(kafka: KafkaClient, topics: readonly string[]): Promise<GroupsSeen> {
  try {
    return await withCluster(kafka, "list consumer groups", (cluster) => readGroups(cluster, topics));
  } catch (error) {
    return { kind: "unknown", why: kafkaError(error, "list consumer groups").message };
  }
}

/** `liveGroups` over a connection that is open. */
export async function readGroups(cluster: Cluster, topics: readonly string[]): Promise<GroupsSeen> {
  const listed = (await listEvery(cluster)).filter(({ group }) => !group.startsWith("fieldgate."));
  await cluster.admin.describeGroups([UNUSED_GROUP]);
  const polled: Polled[] = [];
  for (let at = 0; at < listed.length; at += GROUPS_AT_ONCE) {
    polled.push(
      ...(await Promise.all(listed.slice(at, at + GROUPS_AT_ONCE).map((group) => pollGroup(cluster, group)))),
    );
  }
  const byTopic = new Map(topics.map((topic) => [topic, polled.flatMap((one) => groupOn(topic, one) ?? [])]));
  const forming = polled.flatMap(({ group, members }) => (members === "forming" ? [group] : []));
  return { kind: "seen", byTopic, forming: new Set(forming) };
}

/** The groups of every broker. Brokers before Kafka 3.8 do not say of which type a group is. */
async function listEvery({ admin, brokers, errorOf }: Cluster): Promise<readonly ListedGroup[]> {
  const all = await brokers();
  if (!all.every((broker) => broker.supports(listGroups))) {
    const { groups } = await admin.listGroups();
    return groups.map(({ groupId, protocolType }) => ({ group: groupId, protocol: protocolType, type: undefined }));
  }
  const answers = await Promise.all(all.map((broker) => broker.send(listGroups)));
  return answers.flatMap(({ error, groups }) => {
    if (error !== 0) throw errorOf(error);
    return groups;
  });
}

interface Member {
  readonly topics: readonly string[];
  /** By topic, the fingerprint of the schema with which the member announces that it reads. */
  readonly readers: ReadonlyMap<string, string>;
}

type OffsetsByTopic = ReadonlyMap<string, ReadonlyMap<number, bigint>>;

interface Polled {
  readonly group: string;
  /**
   * `hidden`: no request shows what the members read. `forming`: members are joining or leaving at this moment, and a
   * classic group does not show what they read until that is over.
   */
  readonly members: readonly Member[] | "hidden" | "forming";
  readonly offsets: OffsetsByTopic;
}

async function pollGroup(cluster: Cluster, listed: ListedGroup): Promise<Polled> {
  const { group, type, protocol } = listed;
  const { admin } = cluster;
  switch (type ?? (protocol === "share" ? "share" : "classic")) {
    case "classic":
      return { group, members: await classicMembers(cluster, listed), offsets: await offsetsOf(admin, group) };
    case "consumer": {
      const members = await describe(cluster, describeConsumerGroup(group), group);
      // Its last member of the new protocol may just have left: then it is a classic group, or gone.
      const now = members === "not-found" ? await classicMembers(cluster, listed) : members;
      return { group, members: now, offsets: await offsetsOf(admin, group) };
    }
    case "streams":
      return {
        group,
        members: orNone(await describe(cluster, describeStreamsGroup(group), group)),
        offsets: await offsetsOf(admin, group),
      };
    case "share": {
      const members = orNone(await describe(cluster, describeShareGroup(group), group));
      const offsets = await shareOffsets(cluster, group);
      return {
        group,
        members: offsets === "hidden" ? "hidden" : members,
        offsets: offsets === "hidden" ? NO_OFFSETS : offsets,
      };
    }
    default:
      return { group, members: "hidden", offsets: NO_OFFSETS };
  }
}

const NO_OFFSETS: OffsetsByTopic = new Map();

/** A group that was listed and is not found any longer has no members. */
function orNone<T>(members: readonly T[] | "hidden" | "not-found"): readonly T[] | "hidden" {
  return members === "not-found" ? [] : members;
}

/** Kafka's error TOPIC_AUTHORIZATION_FAILED: the group also reads a topic that we may not describe. */
const TOPIC_REFUSED = 29;

async function describe(
  cluster: Cluster,
  request: Request<Described>,
  group: string,
): Promise<readonly Member[] | "hidden" | "not-found"> {
  const coordinator = await cluster.coordinatorOf(group);
  if (!coordinator.supports(request)) return "hidden";
  const { error, members } = await coordinator.send(request);
  if (error === GROUP_NOT_FOUND) return "not-found";
  if (error === TOPIC_REFUSED) return "hidden";
  if (error !== 0) throw cluster.errorOf(error);
  return members.map((topics) => ({ topics, readers: NO_READERS }));
}

/** Only kafkajs' own protocol carries announcements. */
const NO_READERS: Member["readers"] = new Map();

async function shareOffsets(cluster: Cluster, group: string): Promise<OffsetsByTopic | "hidden"> {
  const coordinator = await cluster.coordinatorOf(group);
  const request = describeShareOffsets(group);
  if (!coordinator.supports(request)) return "hidden";
  const { error, byTopic } = await coordinator.send(request);
  if (error === GROUP_NOT_FOUND) return NO_OFFSETS;
  if (error !== 0) throw cluster.errorOf(error);
  return byTopic;
}

async function classicMembers(cluster: Cluster, { group, type }: ListedGroup): Promise<Polled["members"]> {
  const { groups } = await cluster.admin.describeGroups([group]);
  const [described] = groups;
  if (described === undefined) return "hidden";
  const { state, protocolType, members } = described;
  if (state === "Dead") {
    // It was deleted after it was listed, or else, if its type is not known, it is one that this request does not show.
    return type === undefined ? orNone(await describe(cluster, describeConsumerGroup(group), group)) : [];
  }
  // A group of Connect workers, for example, whose members subscribe to nothing.
  if (protocolType !== "consumer") return [];
  if (state.endsWith("Rebalance") && members.length > 0) return "forming";
  const read = members.map(({ memberMetadata }) => memberOf(memberMetadata));
  const known = read.filter((member) => member !== undefined);
  return known.length === read.length ? known : "hidden";
}

/** undefined if the group is known not to read the topic. */
function groupOn(topic: string, { group, members, offsets }: Polled): SeenGroup | undefined {
  const here = offsets.get(topic) ?? new Map<number, bigint>();
  if (members === "hidden") return { group, members: undefined, offsets: here, readers: new Map() };
  if (members === "forming") {
    // One that commits its offsets has committed some on each topic that it reads, unless it has just begun to.
    const mayRead = here.size > 0 || offsets.size === 0;
    return mayRead ? { group, members: undefined, offsets: here, readers: new Map() } : undefined;
  }
  const subscribed = members.filter(({ topics }) => topics.includes(topic));
  if (subscribed.length === 0 && here.size === 0) return undefined;
  const readers = new Map<string, number>();
  for (const { readers: announced } of subscribed) {
    const fingerprint = announced.get(topic);
    if (fingerprint !== undefined) readers.set(fingerprint, (readers.get(fingerprint) ?? 0) + 1);
  }
  return { group, members: subscribed.length, offsets: here, readers };
}

/** undefined if what the member says about itself cannot be read. */
function memberOf(metadata: Buffer): Member | undefined {
  try {
    const decoded = kafkajs.AssignerProtocol.MemberMetadata.decode(metadata);
    if (decoded === null) return undefined;
    return { topics: decoded.topics, readers: decodeAnnouncement(decoded.userData) ?? NO_READERS };
  } catch {
    return undefined;
  }
}

/**
 * A group's committed offsets by topic and partition. Asks for all topics, because kafkajs fails if asked for a deleted
 * one.
 */
async function offsetsOf(admin: Admin, groupId: string): Promise<Map<string, Map<number, bigint>>> {
  const answer = await admin.fetchOffsets({ groupId });
  return new Map(
    answer.map(({ topic, partitions }) => {
      const committed = partitions.filter(({ offset }) => BigInt(offset) >= 0n);
      return [topic, new Map(committed.map(({ partition, offset }) => [partition, BigInt(offset)]))];
    }),
  );
}
