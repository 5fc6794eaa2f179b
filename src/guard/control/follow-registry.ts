import { schemaHash } from "../../avro/hash.ts";
import { comingSchema, isOfRows } from "../../gate/amendment/candidate.ts";
import type { TableState } from "../../gate/state.ts";
import { withheldOf } from "../../gate/update.ts";
import { isKeyGone, rowFields } from "../../gate/watch/observed.ts";
import type { Registered } from "../../registry/client.ts";
import type { RegisteredSchema } from "../../table/shape.ts";
import { fateWhileJudging, retrying } from "../retrying.ts";
import { inBackground, type Parts, type Surroundings } from "../session.ts";
import { hashOf, versionWith } from "./ask-registry.ts";
import { unansweredOn } from "./unexpected.ts";
import { isReadPending, startCatalogRead } from "./catalog-read.ts";

/**
 * Follows the registry in watch mode, because it shows the schemas that Debezium publishes with. Each topic's subject
 * is read in the background, one after the other. A version that differs from the shape becomes an input, together with
 * the table, which is read after it. A subject is read soon after its table was seen to change, then at growing
 * intervals.
 */

const TICK_MS = 500;
/** The first pause after a table changed. Each later pause is twice as long, up to one of the two limits below. */
const FIRST_MS = 1000;
/** The longest pause while a change is expected. Otherwise it is RESTING_MS. */
const WAITING_MS = 30_000;
const RESTING_MS = 300_000;
/** The pause after the registry did not answer. */
const SILENT_MS = 4000;

/** When a subject is read next, in milliseconds of the session's clock. */
interface Schedule {
  /** The table when the subject was last read. A different object means that the table has changed. */
  readonly table: TableState;
  readonly delay: number;
  readonly due: number;
}

/** What is remembered about subjects between two reads. */
interface Memory {
  readonly schedules: Map<string, Schedule>;
  /** Topics whose schema is not an envelope. It is logged once for each. */
  readonly strange: Set<string>;
  /** By topic: the last search that found nothing, as `<newest version> <hash>`. */
  readonly searched: Map<string, string>;
}

export function followRegistry(session: Parts<"control" | "tape">): void {
  const { outside, signal, control } = session;
  const { now, sleep, log } = outside;
  const memory: Memory = { schedules: new Map(), strange: new Set(), searched: new Map() };
  const { schedules } = memory;
  let silent = false;
  const readDue = async (): Promise<void> => {
    for (const [topic, table] of control.state.tables) {
      if (!isDue(session, schedules.get(topic), table)) continue;
      try {
        await readSubject(session, table, memory).catch((error: unknown) => {
          throw unansweredOn(error);
        });
        if (silent) log.info("the registry answers again: Fieldgate follows the schemas that Debezium registers");
        silent = false;
      } finally {
        // Runs even after a failure, so that a subject that cannot be read does not delay the others.
        schedules.set(topic, nextSchedule(outside.now(), schedules.get(topic), table));
      }
    }
  };
  const onRetry = (error: Error): void => {
    if (!silent) log.warn(`the schemas that Debezium registers cannot be read: ${error.message}`);
    silent = true;
  };
  inBackground(session, async () => {
    for (;;) {
      await retrying(readDue, { now, sleep, signal, delaysMs: [SILENT_MS], fateOf: fateWhileJudging, onRetry });
      await sleep(TICK_MS, signal);
    }
  });
}

function isDue({ outside, control }: Parts<"control">, schedule: Schedule | undefined, table: TableState): boolean {
  if (isReadPending(control, table.shape.table.oid)) return false;
  return schedule?.table !== table || Number(outside.now() / 1000n) >= schedule.due;
}

/** A subject is read soon and often after its table has changed, and seldom while nothing changes. */
function nextSchedule(nowMicros: bigint, before: Schedule | undefined, table: TableState): Schedule {
  const most = table.unpublished === true || withheldOf(table).length > 0 ? WAITING_MS : RESTING_MS;
  const delay = before?.table === table ? Math.min(before.delay * 2, most) : FIRST_MS;
  return { table, delay, due: Number(nowMicros / 1000n) + delay };
}

async function readSubject(session: Parts<"control" | "tape">, table: TableState, memory: Memory): Promise<void> {
  const { registry, log, settings } = session.outside;
  const { topic, valueSchema, keySchema } = table.shape;
  const value = await registry.latest(`${topic}-value`);
  if (value === undefined) return;
  if (rowFields(settings, value.text) === undefined) {
    if (!memory.strange.has(topic))
      log.warn(`subject ${topic}-value is not a Debezium envelope: the table is not judged`);
    memory.strange.add(topic);
    return;
  }
  // A version that was published before is not new, even if the shape has an older one. In that case the older one was
  // registered again later.
  const isNew = table.unpublished === true || !table.flowed.some(({ id }) => id === value.id);
  const keyWaits = withheldOf(table).some(({ kind }) => kind === "key");
  const key = isNew || keyWaits ? await registry.latest(`${topic}-key`) : undefined;
  const isKeyNew = key !== undefined && key.id !== keySchema?.id;
  const isGone = withheldOf(table).some(isKeyGone);
  const inRows = isNew ? value : await schemaOfRows(session, table, value, memory.searched);
  if (inRows === undefined && !isKeyNew && !isGone) return;
  const schemas = { value: schemaOf(inRows ?? valueSchema), key: key && schemaOf(key) };
  startCatalogRead(session, table.shape.table.oid, schemas);
}

function schemaOf({ id, text }: RegisteredSchema): RegisteredSchema {
  return { id, text };
}

/**
 * The schema of the rows when its version is not new: a column replaced another one with the same name and type, or a
 * change was undone. Older versions are searched once per newest version.
 */
async function schemaOfRows(
  { outside: { registry, settings } }: Surroundings,
  table: TableState,
  latest: Registered,
  searched: Map<string, string>,
): Promise<RegisteredSchema | undefined> {
  const { topic, valueSchema } = table.shape;
  if (!withheldOf(table).some((one) => one.missed && isOfRows(one))) return undefined;
  const coming = comingSchema(settings, table);
  if (coming === undefined) return undefined;
  const hash = schemaHash(coming);
  if (hash === hashOf(valueSchema.text)) return valueSchema;
  const search = `${latest.version} ${hash}`;
  if (searched.get(topic) === search) return undefined;
  const found = await versionWith(registry, `${topic}-value`, hash);
  if (found === undefined) searched.set(topic, search);
  return found;
}
