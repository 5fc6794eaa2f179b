import { describeError } from "../../errors.ts";
import { HEARTBEAT_SCHEMAS, heartbeatRecord, heartbeatTopic } from "../../event/envelope/heartbeat.ts";
import type { SchemaId } from "../../table/shape.ts";
import type { Settings } from "../outside.ts";
import { retrying } from "../retrying.ts";
import { beside, type Session } from "../session.ts";
import { createTopics, register } from "../start/capture-tables.ts";
import type { Json } from "../../json.ts";

const RETRY_MS = 5000;

/** Registers what heartbeats are written with, beside the stream. */
export function prepareHeartbeat(session: Session): void {
  const { settings } = session.outside;
  if (settings["heartbeat.interval.ms"] === 0) return;
  const topic = topicOf(settings);
  beside(session, async () => {
    await createTopics(session.outside, [topic]);
    const key = await registered(session, `${topic}-key`, HEARTBEAT_SCHEMAS.key);
    const value = await registered(session, `${topic}-value`, HEARTBEAT_SCHEMAS.value);
    session.heartbeat.ids = { key, value };
    session.wake.wake();
  });
}

async function registered({ outside, signal }: Session, subject: string, schema: Json): Promise<SchemaId> {
  const { now, sleep } = outside;
  const attempt = () => register(outside, subject, JSON.stringify(schema));
  return (await retrying(attempt, { now, sleep, signal, delaysMs: [RETRY_MS] })).id;
}

function topicOf(settings: Settings): string {
  return heartbeatTopic(settings["topic.heartbeat.prefix"], settings["topic.prefix"]);
}

/** Puts a heartbeat into the batch when one is due, and runs heartbeat.action.query. */
export function beat(session: Session): void {
  const { outside, heartbeat, batch } = session;
  const { settings } = outside;
  const now = outside.now();
  if (heartbeat.ids === undefined || now < heartbeat.due) return;
  heartbeat.due = now + BigInt(settings["heartbeat.interval.ms"]) * 1000n;
  const record = heartbeatRecord(heartbeat.ids, settings["topic.prefix"], Number(now / 1000n));
  batch.push({ topic: topicOf(settings), partition: 0, ...record });
  const query = settings["heartbeat.action.query"];
  if (query !== undefined && !heartbeat.busy) act(session, query);
}

/** A query that fails is said and tried with the next heartbeat: the stream does not depend on it. */
function act(session: Session, query: string): void {
  const { heartbeat, source, outside } = session;
  heartbeat.busy = true;
  beside(session, async () => {
    await source
      .run(query)
      .catch((error: unknown) => outside.log.warn(`heartbeat.action.query: ${describeError(error)}`));
    heartbeat.busy = false;
  });
}
