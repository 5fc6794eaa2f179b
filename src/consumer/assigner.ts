import kafkajs, { type PartitionAssigner } from "kafkajs"; // Node does not find AssignerProtocol as a named export
import { encodeAnnouncement } from "../contract/announcement.ts";
import { GuardError } from "../errors.ts";
import type { EventReader } from "./reader.ts";

/**
 * For `partitionAssigners` of a kafkajs consumer: kafkajs' round robin, which also announces this member's reader
 * schemas in its subscription. It keeps its name, so that members with and without announcements can share a group.
 * Readers without a schema of their own announce nothing. Throws `usage` if two readers of one topic have different
 * schemas.
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
        next: "use a separate consumer for the other reader: a consumer announces one schema per topic",
      });
    }
    byTopic.set(topic, fingerprint);
  }
  return byTopic;
}
