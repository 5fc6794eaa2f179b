import { repairJob } from "../../gate/amendment/backfill.ts";
import type { Stored } from "../../store/records.ts";
import type { TopicDescription } from "../../kafka/topics.ts";
import type { Outside } from "../outside.ts";

/**
 * Compares the number of each topic's partitions with the one that its keys are spread over. Added partitions are reported
 * and stay empty until an operator accepts them. A topic with fewer was made again, so all its rows are published again.
 */
export function followPartitions(
  { log, notice }: Pick<Outside, "log" | "notice">,
  stored: Stored,
  topics: ReadonlyMap<string, Pick<TopicDescription, "partitions">>,
): Stored {
  const tables = new Map(stored.tables);
  const jobs = new Map(stored.jobs);
  for (const [topic, table] of stored.tables) {
    const count = topics.get(topic)?.partitions;
    const { partitions, morePartitions, shape } = table;
    if (count === undefined || count === (morePartitions ?? partitions)) continue;
    if (partitions === undefined || count <= partitions) {
      tables.set(topic, { ...table, partitions: count, morePartitions: undefined });
      if (partitions === undefined || count === partitions) continue;
      jobs.set(`repair/${topic}`, repairJob(shape));
      log.warn(
        `topic ${topic} has ${count} partitions and had ${partitions}: it was made again, and so are its events`,
      );
      continue;
    }
    tables.set(topic, { ...table, morePartitions: count });
    const what = `topic ${topic} has ${count} partitions now; its keys stay in the first ${partitions}, where their readers expect them`;
    const next = `fieldgate release ${topic}/partitions --reason "…" uses all of them: later events of a key may then be in a different partition than earlier ones`;
    log.warn(`${what}; next: ${next}`);
    void notice({ id: `partitions/${topic}/${count}`, about: "topics", severity: "info", what, next });
  }
  const same = [...tables].every(([topic, table]) => table === stored.tables.get(topic));
  return same ? stored : { ...stored, tables, jobs };
}
