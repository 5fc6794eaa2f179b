import type { ChunkJob } from "../../chunk/job.ts";
import { GuardError } from "../../errors.ts";
import { topicName } from "../../event/envelope/names.ts";
import { repairJob } from "../../gate/amendment/backfill.ts";
import type { TableState } from "../../gate/state.ts";
import type { TopicDescription } from "../../kafka/topics.ts";
import { isoTime } from "../../wal/lsn.ts";
import type { Outside } from "../outside.ts";
import { fullName } from "../../table/quote.ts";
import { warnPeople } from "../warn-people.ts";

/** Checks that run before a connector writes to its topics. They compare its file, its state and the topics. */

type Described = ReadonlyMap<string, TopicDescription>;

/**
 * A compacted topic accepts no record without a key, so it can hold neither rows of a table without a key nor
 * truncations.
 * @throws GuardError config-invalid with every such topic
 */
export function refuseCompacted(
  { settings, delivery }: Pick<Outside, "settings" | "delivery">,
  topics: ReadonlyMap<string, { readonly keyless: boolean }>,
  described: Described,
): void {
  const unfit = unfitFor({ settings, delivery }, topics, described);
  if (unfit.length === 0) return;
  throw new GuardError("config-invalid", unfitText(unfit), { next: UNFIT_NEXT });
}

/** The same where the connector has run already: only the tables whose next record has no key stop. */
export function reportCompacted(
  outside: Pick<Outside, "settings" | "delivery" | "log" | "notice">,
  topics: ReadonlyMap<string, { readonly keyless: boolean }>,
  described: Described,
): void {
  const unfit = unfitFor(outside, topics, described);
  if (unfit.length === 0) return;
  const what = unfitText(unfit);
  warnPeople(outside, { id: `compacted/${unfit.join()}`, about: "topics", what, next: UNFIT_NEXT });
}

const UNFIT_NEXT =
  "add t to skipped.operations, give the table a key or leave it out, or set the topic's cleanup.policy to delete";

function unfitText(unfit: readonly string[]): string {
  return `a compacted topic accepts no record without a key: ${unfit.join(", ")}`;
}

function unfitFor(
  { settings, delivery }: Pick<Outside, "settings" | "delivery">,
  topics: ReadonlyMap<string, { readonly keyless: boolean }>,
  described: Described,
): readonly string[] {
  if (delivery === "none") return [];
  const forNew = settings["topic.creation.default.cleanup.policy"];
  const truncates = !settings["skipped.operations"].has("t");
  const unfit = [...topics].filter(([topic, { keyless }]) => {
    const policy = described.get(topic)?.cleanupPolicy ?? forNew ?? "";
    return policy.includes("compact") && (keyless || truncates);
  });
  return unfit.map(([topic, { keyless }]) => `${topic} (${keyless ? "its table has no key" : "truncations"})`);
}

/**
 * `emptied`: topics that exist and were made again by somebody else, without what was written to them.
 * Topics of the state that no longer exist are created again, without the events that they contained. This is logged,
 * and the returned jobs publish all their rows again.
 */
export function repairGoneTopics(
  outside: Pick<Outside, "log" | "notice" | "delivery" | "now">,
  tables: ReadonlyMap<string, TableState>,
  described: Described,
  emptied: ReadonlySet<string> = new Set(),
): readonly ChunkJob[] {
  if (outside.delivery === "none") return [];
  const gone = [...tables.values()].filter(({ shape }) => !described.has(shape.topic) || emptied.has(shape.topic));
  return gone.map(({ shape }) => {
    const job = repairJob(shape);
    const then = job.state === "refused" ? "its table has no key, so its rows cannot be" : "all its rows are";
    const made = described.has(shape.topic) ? "somebody has made the topic again" : "the topic is created again";
    const what = `topic ${shape.topic} and all its events are gone: ${made}, and ${then} published again`;
    const id = `gone/${shape.topic}/${isoTime(outside.now())}`;
    warnPeople(outside, { id, about: "rows-missing", what, next: undefined });
    return job;
  });
}

/**
 * Refuses a changed prefix. Captured tables would keep their topics, while their policies, the events' source.name,
 * heartbeats and new tables would follow the new prefix. In watch mode a changed route is only reported.
 * @throws GuardError config-invalid with the topics that the connector publishes to
 */
export function refuseOtherTopics(
  { settings, log, delivery }: Pick<Outside, "settings" | "log" | "delivery">,
  tables: ReadonlyMap<string, TableState>,
): void {
  const others: string[] = [];
  for (const [topic, table] of tables) {
    const listed = table.capturedAs ?? table.shape.table;
    const named = topicName(settings["topic.prefix"], listed.schema, listed.name);
    const now = settings.route?.(named) ?? named;
    if (now === topic) continue;
    if (delivery !== "none") others.push(topic);
    else {
      log.warn(
        `${fullName(listed)} stays on topic ${topic} although the file now says ${now}; to use the new topic, create a new connector`,
      );
    }
  }
  if (others.length === 0) return;
  const more = others.length > SHOWN_TOPICS ? ` and ${others.length - SHOWN_TOPICS} more` : "";
  throw new GuardError(
    "config-invalid",
    `topic.prefix is ${settings["topic.prefix"]}, and this connector publishes to ${others.slice(0, SHOWN_TOPICS).join(", ")}${more}`,
    { next: "set topic.prefix back, or use a new connector with a different name: its snapshot publishes every row" },
  );
}

const SHOWN_TOPICS = 20;
