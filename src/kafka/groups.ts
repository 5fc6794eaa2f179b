/**
 * The consumer groups that read a topic, as far as Kafka shows them. A consumer that assigns its own partitions and
 * commits nothing cannot be seen.
 */
import kafkajs, { type Admin } from "kafkajs"; // Node finds no named export AssignerProtocol
import { decodeAnnouncement } from "../contract/announcement.ts";
import type { GroupsSeen, SeenGroup } from "../gate/evidence/evidence.ts";
import type { KafkaClient } from "./client.ts";
import { kafkaError } from "./errors.ts";
import { withAdmin } from "./topics.ts";

const GROUPS_AT_ONCE = 16;

/**
 * A group that is used only to check our rights. A broker silently omits the groups that we may not describe, so an
 * incomplete list would look complete. Describing a group that does not exist answers "dead" if we may describe all
 * groups (`*`), and is refused otherwise.
 */
const UNUSED_GROUP = "no-group-has-this-name";

/**
 * For each topic, the groups that have members subscribed to it or committed offsets on it. Groups named `fieldgate.*`
 * are ours and are left out. A failed poll is returned as a value, never thrown.
 */
export async function liveGroups(kafka: KafkaClient, topics: readonly string[]): Promise<GroupsSeen> {
  try {
    return await withAdmin(kafka, "list consumer groups", (admin) => readGroups(admin, topics));
  } catch (error) {
    return { kind: "unknown", why: kafkaError(error, "list consumer groups").message };
  }
}

async function readGroups(admin: Admin, topics: readonly string[]): Promise<GroupsSeen> {
  const { groups } = await admin.listGroups();
  const names = groups.map(({ groupId }) => groupId).filter((name) => !name.startsWith("fieldgate."));
  await describe(admin, [UNUSED_GROUP]);
  const byTopic = new Map<string, SeenGroup[]>(topics.map((topic) => [topic, []]));
  for (let at = 0; at < names.length; at += GROUPS_AT_ONCE) {
    const some = names.slice(at, at + GROUPS_AT_ONCE);
    const described = await describe(admin, some);
    const committed = await Promise.all(some.map((group) => offsetsOf(admin, group)));
    for (const [index, group] of some.entries()) {
      const members = described.get(group);
      const read = new Set([...(members ?? []).flatMap(({ topics: own }) => own), ...(committed[index]?.keys() ?? [])]);
      for (const topic of read) {
        const seen = byTopic.get(topic);
        if (seen === undefined) continue;
        const offsets = committed[index]?.get(topic) ?? new Map<number, bigint>();
        const found = groupOn(topic, group, members, offsets);
        if (found !== undefined) seen.push(found);
      }
    }
  }
  return { kind: "seen", byTopic };
}

interface Member {
  readonly topics: readonly string[];
  /** By topic, the fingerprint of the schema with which the member announces that it reads. */
  readonly readers: ReadonlyMap<string, string>;
}

function groupOn(
  topic: string,
  group: string,
  members: readonly Member[] | undefined,
  offsets: ReadonlyMap<number, bigint>,
): SeenGroup | undefined {
  const here = members?.filter(({ topics }) => topics.includes(topic));
  if ((here ?? []).length === 0 && offsets.size === 0) return undefined;
  const readers = new Map<string, number>();
  for (const { readers: announced } of here ?? []) {
    const fingerprint = announced.get(topic);
    if (fingerprint !== undefined) readers.set(fingerprint, (readers.get(fingerprint) ?? 0) + 1);
  }
  return { group, members: here?.length, offsets, readers };
}

/**
 * Members by group; undefined if Kafka lists the group but reports it as dead, which means that its protocol hides its
 * members.
 */
async function describe(admin: Admin, names: readonly string[]): Promise<Map<string, readonly Member[] | undefined>> {
  const { groups } = await admin.describeGroups([...names]);
  return new Map(
    groups.map(({ groupId, members, state }) => [
      groupId,
      state === "Dead" ? undefined : members.map(({ memberMetadata }) => memberOf(memberMetadata)),
    ]),
  );
}

function memberOf(metadata: Buffer): Member {
  const none = { topics: [], readers: new Map<string, string>() };
  if (metadata.length === 0) return none;
  try {
    const decoded = kafkajs.AssignerProtocol.MemberMetadata.decode(metadata);
    if (decoded === null) return none;
    return { topics: decoded.topics, readers: decodeAnnouncement(decoded.userData) ?? none.readers };
  } catch {
    return none; // The member uses a different protocol (a Connect worker), so its data is not a subscription.
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
