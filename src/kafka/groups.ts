/** Who reads a topic now, as far as Kafka can tell. A consumer that assigns itself and commits nothing is not seen. */
import kafkajs, { type Admin } from "kafkajs"; // Node finds no named export AssignerProtocol
import type { KafkaClient } from "./client.ts";
import { kafkaError } from "./errors.ts";
import { withAdmin } from "./topics.ts";

export interface SeenGroup {
  readonly group: string;
  /** Members subscribed to the topic now; 0 also when the group's protocol hides them (KIP-848, KIP-932). */
  readonly members: number;
  /** Committed offsets on the topic, by partition; whether they move is for the caller to compare. */
  readonly offsets: ReadonlyMap<number, bigint>;
}

export type GroupsSeen =
  | { readonly kind: "seen"; readonly byTopic: ReadonlyMap<string, readonly SeenGroup[]> }
  | { readonly kind: "unknown"; readonly why: string };

const GROUPS_AT_ONCE = 16;

/**
 * Per topic the groups with members subscribed to it or with offsets committed on it. Groups named
 * `fieldgate.*` are ours and left out. Not being able to look is a value, never an error.
 */
export async function liveGroups(kafka: KafkaClient, topics: readonly string[]): Promise<GroupsSeen> {
  try {
    return await withAdmin(kafka, "list consumer groups", (admin) => look(admin, topics));
  } catch (error) {
    return { kind: "unknown", why: kafkaError(error, "list consumer groups").message };
  }
}

async function look(admin: Admin, topics: readonly string[]): Promise<GroupsSeen> {
  const { groups } = await admin.listGroups();
  const names = groups.map(({ groupId }) => groupId).filter((name) => !name.startsWith("fieldgate."));
  const subscribed = await subscriptions(admin, names);
  const byTopic = new Map<string, SeenGroup[]>(topics.map((topic) => [topic, []]));
  for (let at = 0; at < names.length; at += GROUPS_AT_ONCE) {
    const some = names.slice(at, at + GROUPS_AT_ONCE);
    const committed = await Promise.all(some.map((group) => offsetsOf(admin, group)));
    for (const [index, group] of some.entries()) {
      for (const [topic, seen] of byTopic) {
        const members = (subscribed.get(group) ?? []).filter((of) => of.includes(topic)).length;
        const offsets = committed[index]?.get(topic) ?? new Map<number, bigint>();
        if (members > 0 || offsets.size > 0) seen.push({ group, members, offsets });
      }
    }
  }
  return { kind: "seen", byTopic };
}

/** By group, each member's topics. Groups of other protocols have none. */
async function subscriptions(admin: Admin, names: readonly string[]): Promise<Map<string, readonly string[][]>> {
  if (names.length === 0) return new Map();
  const { groups } = await admin.describeGroups([...names]);
  return new Map(
    groups.map(({ groupId, members }) => [
      groupId,
      members.map(({ memberMetadata }) => topicsOfMember(memberMetadata)),
    ]),
  );
}

function topicsOfMember(metadata: Buffer): string[] {
  if (metadata.length === 0) return [];
  try {
    return kafkajs.AssignerProtocol.MemberMetadata.decode(metadata)?.topics ?? [];
  } catch {
    return []; // a member of another protocol (Connect workers): not a subscription
  }
}

/** A group's committed offsets, by topic and partition: all topics, since kafkajs fails for one that is gone. */
async function offsetsOf(admin: Admin, groupId: string): Promise<Map<string, Map<number, bigint>>> {
  const answer = await admin.fetchOffsets({ groupId });
  return new Map(
    answer.map(({ topic, partitions }) => {
      const committed = partitions.filter(({ offset }) => BigInt(offset) >= 0n);
      return [topic, new Map(committed.map(({ partition, offset }) => [partition, BigInt(offset)]))];
    }),
  );
}
