import { schemaHash } from "../../avro/hash.ts";
import { comingSchema, isOfRows } from "../../gate/amendment/candidate.ts";
import { isKeyGone, rowFields } from "../../gate/watch/observed.ts";
import type { TableState } from "../../gate/state.ts";
import { withheldOf } from "../../gate/update.ts";
import type { Registered as Version } from "../../registry/client.ts";
import { isLookedAt, look as lookAt } from "./catalog-read.ts";
import { retrying } from "../retrying.ts";
import { beside, type Registered, type Session } from "../session.ts";
import { hashOf, versionWith } from "./versions.ts";

const TICK_MS = 500;
/** A subject is looked at this soon after its table was seen to change, then after twice as long each time … */
const FIRST_MS = 1000;
/** … up to this while something is expected, and else. */
const WAITING_MS = 30_000;
const RESTING_MS = 300_000;
/** After a registry that did not answer. */
const SILENT_MS = 4000;

/** What is known of one subject. Milliseconds of the session's clock. */
interface Subject {
  /** Another since: it has changed. */
  readonly table: TableState;
  readonly delay: number;
  readonly due: number;
}

/**
 * Looks beside the stream at what Debezium has registered, one subject after the other. A version that is not the
 * shape's is an input, with the table read after it; a registry that does not answer is asked again.
 */
export function observeBeside(session: Session): void {
  const { outside, signal } = session;
  const subjects = new Map<string, Subject>();
  const strange = new Set<string>();
  /** By topic: in which versions what was not found. */
  const searched = new Map<string, string>();
  let silent = false;
  const lookAtDue = async (): Promise<void> => {
    for (const [topic, table] of session.state.tables) {
      if (!isDue(session, subjects, table)) continue;
      try {
        await observe(session, table, strange, searched);
        if (silent) outside.log.info("the registry answers again: the schemas that Debezium registers are followed");
        silent = false;
      } finally {
        // Even if it failed: one subject that cannot be read keeps no other waiting.
        subjects.set(topic, later(session, subjects.get(topic), table));
      }
    }
  };
  beside(session, async () => {
    for (;;) {
      await retrying(lookAtDue, {
        now: outside.now,
        sleep: outside.sleep,
        signal,
        delaysMs: [SILENT_MS],
        fateOf: (error) => error.fateWhileJudging,
        onRetry(error) {
          if (!silent) outside.log.warn(`the schemas that Debezium registers cannot be read: ${error.message}`);
          silent = true;
        },
      });
      await outside.sleep(TICK_MS, signal);
    }
  });
}

function now({ outside }: Session): number {
  return Number(outside.now() / 1000n);
}

function isDue(session: Session, subjects: ReadonlyMap<string, Subject>, table: TableState): boolean {
  const subject = subjects.get(table.shape.topic);
  if (isLookedAt(session, table.shape.table.oid)) return false;
  return subject === undefined || subject.table !== table || now(session) >= subject.due;
}

/** A table that has changed is looked at soon and often, one that rests seldom. */
function later(session: Session, before: Subject | undefined, table: TableState): Subject {
  const most = table.unpublished === true || withheldOf(table).length > 0 ? WAITING_MS : RESTING_MS;
  const delay = before?.table === table ? Math.min(before.delay * 2, most) : FIRST_MS;
  return { table, delay, due: now(session) + delay };
}

async function observe(
  session: Session,
  table: TableState,
  strange: Set<string>,
  searched: Map<string, string>,
): Promise<void> {
  const { registry, log, settings } = session.outside;
  const { topic, valueSchema, keySchema } = table.shape;
  const value = await registry.latest(`${topic}-value`);
  if (value === undefined) return;
  if (rowFields(settings, value.text) === undefined) {
    if (!strange.has(topic)) log.warn(`subject ${topic}-value is no Debezium envelope: the table is not judged`);
    strange.add(topic);
    return;
  }
  // One that was followed before and is not the shape's any more: another was registered again since.
  const isNew = table.unpublished === true || !table.flowed.some(({ id }) => id === value.id);
  const keyWaits = withheldOf(table).some(({ kind }) => kind === "key");
  const key = isNew || keyWaits ? await registry.latest(`${topic}-key`) : undefined;
  const isKeyNew = key !== undefined && key.id !== keySchema?.id;
  const isGone = withheldOf(table).some(isKeyGone);
  const inRows = isNew ? value : await carrying(session, table, value, searched);
  if (inRows === undefined && !isKeyNew && !isGone) return;
  const registered: Registered = { value: schemaOf(inRows ?? valueSchema), key: key && schemaOf(key) };
  lookAt(session, table.shape.table.oid, registered);
}

function schemaOf({ id, text }: Pick<Version, "id" | "text">): Registered["value"] {
  return { id, text };
}

/**
 * The version that rows have although it is no new one: a column took the place of another of its name and type, or a
 * change was undone. Older versions are looked through once for each that is new.
 */
async function carrying(
  { outside: { registry, settings } }: Session,
  table: TableState,
  latest: Version,
  searched: Map<string, string>,
): Promise<Pick<Version, "id" | "text"> | undefined> {
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
