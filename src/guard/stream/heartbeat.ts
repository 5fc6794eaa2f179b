import { describeError } from "../../errors.ts";
import { HEARTBEAT_SCHEMAS, heartbeatRecord } from "../../event/envelope/heartbeat.ts";
import type { SchemaId } from "../../table/shape.ts";
import { retrying } from "../retrying.ts";
import { beside, type Session } from "../session.ts";
import { createTopics, register } from "../start/capture-tables.ts";
import type { Json } from "../../json.ts";

const RETRY_MS = 5000;

/** Registers what heartbeats are written with, beside the stream. */
export function prepareHeartbeat(session: Session): void {
  const { heartbeat } = session.outside.settings;
  if (heartbeat === undefined) return;
  beside(session, async () => {
    await createTopics(session.outside, [heartbeat.topic]);
    const key = await registered(session, `${heartbeat.topic}-key`, HEARTBEAT_SCHEMAS.key);
    const value = await registered(session, `${heartbeat.topic}-value`, HEARTBEAT_SCHEMAS.value);
    session.heartbeat.ids = { key, value };
    session.wake.wake();
  });
}

async function registered({ outside, signal }: Session, subject: string, schema: Json): Promise<SchemaId> {
  const { now, sleep } = outside;
  const attempt = () => register(outside, subject, JSON.stringify(schema));
  return (await retrying(attempt, { now, sleep, signal, delaysMs: [RETRY_MS] })).id;
}

/** Puts a heartbeat into the batch when one is due, and runs heartbeat.action.query. */
export function beat(session: Session): void {
  const { outside, heartbeat, batch } = session;
  const wanted = outside.settings.heartbeat;
  const now = outside.now();
  if (wanted === undefined || heartbeat.ids === undefined || now < heartbeat.due) return;
  heartbeat.due = now + BigInt(wanted.intervalMs) * 1000n;
  const record = heartbeatRecord(heartbeat.ids, outside.settings.topicPrefix, Number(now / 1000n));
  batch.push({ topic: wanted.topic, partition: 0, ...record });
  if (wanted.query !== undefined && !heartbeat.busy) act(session, wanted.query);
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
