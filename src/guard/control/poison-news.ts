import { dueReport } from "../../alert/poison.ts";
import { GuardError } from "../../errors.ts";
import { poisonCount, type PoisonedChange } from "../../gate/poison.ts";
import type { PoisonWay } from "../../gate/poison-way.ts";
import { isoTime, parseLsn } from "../../wal/lsn.ts";
import { describePoison } from "../../words/poison.ts";
import { type Parts, type PoisonWork, post } from "../session.ts";
import { apply } from "./apply.ts";

/**
 * What is known of the changes that no event can carry: how many the batch has, which one waits for an operator, what
 * to report, and the topic of the dead letters.
 */

export function noPoison(): PoisonWork {
  return {
    handled: new Map(),
    unreported: new Set(),
    reporting: new Set(),
    stuck: new Set(),
    wanted: false,
    refused: undefined,
  };
}

/** At the start of a session: what the last one has left. */
export function resumePoison({ control }: Parts<"control">): void {
  for (const [topic, { poison }] of control.state.tables) {
    if (poison === undefined) continue;
    control.poison.unreported.add(topic);
    if (poison.stuck !== undefined) control.poison.stuck.add(topic);
  }
}

/** One more in the batch. They are counted together, since every row of a table may be one. */
export function noteHandled({ handled }: PoisonWork, topic: string, last: Omit<PoisonedChange, "time">): void {
  const before = handled.get(topic)?.counts ?? { null: 0, "dead-letter": 0 };
  handled.set(topic, { counts: { ...before, [last.way]: before[last.way] + 1 }, last });
}

/** Right before a commit: the state has the changes that are in the batch. */
export function countPoison(session: Parts<"control" | "tape">): void {
  const { handled, unreported } = session.control.poison;
  for (const [topic, { counts, last }] of handled) {
    apply(session, { kind: "poisoned", topic, counts, last });
    unreported.add(topic);
  }
  handled.clear();
}

/** The change that waited no longer does; `way`: what became of it. */
export function passStuck(session: Parts<"control" | "tape">, topic: string, way: PoisonWay | undefined): void {
  session.control.poison.stuck.delete(topic);
  apply(session, { kind: "row-passed", topic, way });
}

const IN_LOG = "log ";

/** Names a change of the log: its transaction's commit, and its place in that. */
export function nameInLog(commitLsn: string, index: number): string {
  return `${IN_LOG}${commitLsn} ${index}`;
}

/** A change that waited and fits by now was published without another word; its command is answered. */
export function passPublished(session: Parts<"control" | "tape">): void {
  const { control, tape } = session;
  for (const topic of control.poison.stuck) {
    const at = control.state.tables.get(topic)?.poison?.stuck?.at;
    if (at?.startsWith(IN_LOG) === false) continue;
    const commitLsn = parseLsn(at?.slice(IN_LOG.length).split(" ")[0] ?? "");
    if (commitLsn === undefined || tape.position.endLsn > commitLsn) passStuck(session, topic, undefined);
  }
}

/** After the commit that counts them: reports them to people, at growing intervals. */
export function reportPoison(session: Parts<"control">): void {
  const { control, outside } = session;
  const { unreported, reporting } = control.poison;
  for (const topic of unreported) {
    const table = control.state.tables.get(topic);
    const reported = table?.poison && dueReport(table.poison, isoTime(outside.now()));
    if (table?.poison === undefined || table.poison.reported?.count === poisonCount(table.poison)) {
      unreported.delete(topic);
      continue;
    }
    if (reported === undefined || reporting.has(topic)) continue;
    const what = describePoison(table.shape.table, table.poison, outside.settings.deadLetterTopic);
    outside.log.warn(what);
    reporting.add(topic);
    void outside
      .notice({ id: `poison/${topic}/${reported.count}`, about: "no-event", severity: "warn", what, next: undefined })
      .then(() => {
        reporting.delete(topic);
        post(session, { input: { kind: "poison-reported", topic, reported } });
        return undefined;
      });
  }
}

/** How long after it was refused the topic is tried again, in microseconds. */
const REFUSED_MICROS = 60_000_000n;
const MIB = 1024 * 1024;
/** Kept until somebody deletes them, and larger than an event may be: that is what they may be letters about. */
const DEAD_LETTER_CONFIG = {
  "cleanup.policy": "delete",
  "retention.ms": "-1",
  "max.message.bytes": String(16 * MIB),
} as const;

/** Makes the topic of the dead letters if it does not exist. Where it cannot be used, poisoned changes wait meanwhile. */
export async function prepareDeadLetters({ outside, control, batch }: Parts<"control" | "batch">): Promise<void> {
  const { deadLetterTopic: name, "topic.creation.default.replication.factor": replication } = outside.settings;
  control.poison.wanted = false;
  try {
    await outside.sink.createTopics([{ name, partitions: 1, replication, config: DEAD_LETTER_CONFIG }]);
    const topic = (await outside.sink.describeTopics([name])).get(name);
    if (topic === undefined)
      throw new GuardError("topic-missing", `topic ${name} does not exist or cannot be described`);
    if (topic.cleanupPolicy.includes("compact")) {
      throw new GuardError("config-invalid", `topic ${name} is compacted, which would remove dead letters`, {
        next: `set cleanup.policy of ${name} to delete`,
      });
    }
    batch.maxBytes.set(name, topic.maxMessageBytes);
    batch.partitions.set(name, topic.partitions);
    batch.topics.described.set(name, topic);
    control.poison.refused = undefined;
  } catch (error) {
    if (!(error instanceof GuardError) || error.fate !== "stop") throw error;
    control.poison.refused = { error, again: outside.now() + REFUSED_MICROS };
  }
}
