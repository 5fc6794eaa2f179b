import { describeError } from "../../errors.ts";
import { HEARTBEAT_SCHEMAS, heartbeatRecord, heartbeatTopic } from "../../event/envelope/heartbeat.ts";
import type { Json } from "../../json.ts";
import type { SchemaId } from "../../table/shape.ts";
import type { Settings } from "../outside.ts";
import { retrying } from "../retrying.ts";
import { inBackground, type Parts, type Surroundings } from "../session.ts";
import { createTopics, register } from "../start/capture-tables.ts";

const RETRY_MS = 5000;

/** Creates the heartbeat's topic and registers its schemas, in the background. */
export function prepareHeartbeat(session: Parts<"heartbeat">): void {
  const { outside, waker } = session;
  if (outside.settings["heartbeat.interval.ms"] === 0) return;
  const topic = topicOf(outside.settings);
  inBackground(session, async () => {
    await createTopics(outside, [topic]);
    const key = await registered(session, `${topic}-key`, HEARTBEAT_SCHEMAS.key);
    const value = await registered(session, `${topic}-value`, HEARTBEAT_SCHEMAS.value);
    session.heartbeat.ids = { key, value };
    waker.wake();
  });
}

function topicOf(settings: Settings): string {
  return heartbeatTopic(settings["topic.heartbeat.prefix"], settings["topic.prefix"]);
}

async function registered({ outside, signal }: Surroundings, subject: string, schema: Json): Promise<SchemaId> {
  const { now, sleep } = outside;
  const attempt = () => register(outside, subject, JSON.stringify(schema));
  return (await retrying(attempt, { now, sleep, signal, delaysMs: [RETRY_MS] })).id;
}

/** Adds a heartbeat to the batch when one is due, and runs heartbeat.action.query. */
export function beat(session: Parts<"heartbeat" | "batch">): void {
  const { outside, heartbeat, batch } = session;
  const { settings } = outside;
  const now = outside.now();
  if (heartbeat.ids === undefined || now < heartbeat.due) return;
  heartbeat.due = now + BigInt(settings["heartbeat.interval.ms"]) * 1000n;
  const record = heartbeatRecord(heartbeat.ids, settings["topic.prefix"], Number(now / 1000n));
  batch.records.push({ topic: topicOf(settings), partition: 0, ...record });
  const query = settings["heartbeat.action.query"];
  if (query !== undefined && !heartbeat.busy) runQuery(session, query);
}

/** A query that fails is logged and runs again with the next heartbeat, because the stream does not depend on it. */
function runQuery(session: Parts<"heartbeat">, query: string): void {
  const { heartbeat, source, outside } = session;
  heartbeat.busy = true;
  inBackground(session, async () => {
    await source
      .run(query)
      .catch((error: unknown) => outside.log.warn(`heartbeat.action.query: ${describeError(error)}`));
    heartbeat.busy = false;
  });
}
