import { GuardError } from "../../errors.ts";
import type { TopicDescription } from "../../kafka/topics.ts";
import { inBackground, type Parts, type TopicLooks } from "../session.ts";

/**
 * Looks at the data topics now and then: does each one exist, with the settings that this session began with? A topic that
 * was deleted, compacted or made smaller is noticed here or when Kafka refuses a batch. Either way the session ends, and
 * the next one compares the topics with the state before it writes (start/check-topics.ts).
 */

/** So many looks at the tables are made for one at the topics. */
const EVERY = 15n;
/** Described at once: a description of thousands of topics would hold up the loop. */
const SLICE = 100;

export function firstTopicLooks(described: ReadonlyMap<string, TopicDescription>): TopicLooks {
  return { described: new Map(described), due: 0n, busy: false };
}

/** Starts a look if one is due and none is under way. A topic that has changed ends the session. */
export function lookAtTopics(session: Parts<"batch">): void {
  const { outside, batch } = session;
  const { topics } = batch;
  const every = BigInt(outside.settings["fieldgate.look.ms"]) * 1000n * EVERY;
  if (topics.due === 0n) topics.due = outside.now() + every;
  if (topics.busy || outside.delivery === "none" || outside.now() < topics.due) return;
  topics.busy = true;
  inBackground(session, async () => {
    const changed = await findChanged(session, [...topics.described.keys()]);
    if (changed !== undefined) throw changed;
    topics.due = outside.now() + every;
    topics.busy = false;
  });
}

/** What has changed about one of these topics since the session began; undefined if nothing has. */
export async function findChanged(
  { outside, batch }: Parts<"batch">,
  names: readonly string[],
): Promise<GuardError | undefined> {
  const { described } = batch.topics;
  for (let at = 0; at < names.length; at += SLICE) {
    const now = await outside.sink.describeTopics(names.slice(at, at + SLICE));
    for (const [name, topic] of now) {
      const before = described.get(name);
      const what = before === undefined ? undefined : changeOf(before, topic);
      if (what !== undefined) return new GuardError("topic-changed", `topic ${name} ${what}`, { next: NEXT });
    }
  }
  return undefined;
}

const NEXT = "nothing: the topics are compared with the state again, and what has to be done is reported";

function changeOf(before: TopicDescription, now: TopicDescription | undefined): string | undefined {
  if (now === undefined) return "is gone";
  if (now.partitions !== before.partitions) return `has ${now.partitions} partitions and had ${before.partitions}`;
  if (now.cleanupPolicy !== before.cleanupPolicy)
    return `has cleanup.policy ${now.cleanupPolicy} and had ${before.cleanupPolicy}`;
  if (now.maxMessageBytes !== before.maxMessageBytes)
    return `has max.message.bytes ${now.maxMessageBytes} and had ${before.maxMessageBytes}`;
  return undefined;
}
