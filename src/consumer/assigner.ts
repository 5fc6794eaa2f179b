import kafkajs, { type PartitionAssigner } from "kafkajs"; // Node finds no named export AssignerProtocol
import { encodeAnnouncement } from "../contract/announcement.ts";
import { GuardError } from "../errors.ts";
import type { EventReader } from "./reader.ts";

/**
 * For `partitionAssigners` of a kafkajs consumer: kafkajs' own round robin under its own name, so that members with and
 * without it share one group, which also says in the group's subscription what this member's readers read with.
 * Readers without a schema of their own have nothing to say. Throws `usage` for two schemas of one topic.
 */
export function announcing(readers: readonly Pick<EventReader, "topic" | "fingerprint">[]): PartitionAssigner {
  const userData = encodeAnnouncement(fingerprints(readers));
  return (config) => {
    const roundRobin = kafkajs.PartitionAssigners.roundRobin(config);
    const { name, version } = roundRobin;
    const protocol = ({ topics }: { readonly topics: string[] }) => ({
      name,
      metadata: kafkajs.AssignerProtocol.MemberMetadata.encode({ version, topics, userData }),
    });
    return { ...roundRobin, protocol };
  };
}

function fingerprints(readers: readonly Pick<EventReader, "topic" | "fingerprint">[]): ReadonlyMap<string, string> {
  const byTopic = new Map<string, string>();
  for (const { topic, fingerprint } of readers) {
    if (fingerprint === undefined) continue;
    const other = byTopic.get(topic) ?? fingerprint;
    if (other !== fingerprint) {
      throw new GuardError("usage", `two readers of ${topic} have different schemas`, {
        next: "one consumer announces one schema for each topic: give the other reader a consumer of its own",
      });
    }
    byTopic.set(topic, fingerprint);
  }
  return byTopic;
}
