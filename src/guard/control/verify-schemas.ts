import { describeError, GuardError } from "../../errors.ts";
import type { TableState } from "../../gate/state.ts";
import { askForEach } from "../../at-once.ts";
import { isSameJson } from "../../json.ts";
import type { RegisteredSchema, SchemaId, Shape } from "../../table/shape.ts";
import type { Outside } from "../outside.ts";
import { inBackground, type Parts } from "../session.ts";
import { register } from "../start/capture-tables.ts";
import { warnPeople } from "../warn-people.ts";

/**
 * Compares the published schemas with the registry, by id and text. A registry that was emptied, or restored from an
 * older copy, may not know their ids or may use them for other schemas. A schema that differs is registered again, and
 * events get the new id from then on. If the subject no longer accepts it, the connector stops and the error names the
 * topic. The comparison runs at the start, while the registry answers, and afterwards in the background.
 */

/** How long startup waits for a registry that does not answer. */
const START_MS = 10_000;
const ROUND_MS = 30_000;
const AGAIN_MS = 5000;

type Verifying = Pick<Outside, "registry" | "log">;

/** The tables whose schemas have new ids in the registry, with those ids. */
export async function verifySchemas(
  outside: Outside,
  tables: ReadonlyMap<string, TableState>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, TableState>> {
  if (outside.delivery === "none") return new Map();
  const late = outside.sleep(START_MS, signal).then(() => "late" as const);
  late.catch(() => undefined);
  try {
    const found = await Promise.race([verified(outside, [...tables.values()]), late]);
    if (found !== "late") {
      alertMoved(outside, found);
      return new Map(found.map((table) => [table.shape.topic, table]));
    }
    outside.log.warn("the registry is slow to answer: the published schemas are compared with it later");
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    outside.log.warn(`the published schemas are compared with the registry once it answers: ${describeError(error)}`);
  }
  return new Map();
}

/** Alerts people, because consumers can no longer decode the records that have the earlier ids. */
function alertMoved(outside: Pick<Outside, "log" | "notice">, moved: readonly TableState[]): void {
  const [first, ...others] = moved;
  if (first === undefined) return;
  const { topic, valueSchema } = first.shape;
  const topics = others.length === 0 ? topic : `${topic} and ${others.length} more topics`;
  warnPeople(outside, {
    id: `registry-changed/${topic}/${valueSchema.id}`,
    about: "registry",
    what: `the registry no longer had the schemas of ${topics} under their ids; they were registered again, and new events have the new ids`,
    next: "restore the registry's earlier content if consumers still have to read older records: those have the earlier ids",
  });
}

/**
 * Compares for as long as the session lasts. If a schema has a new id, the session ends, and the next one starts with
 * that id.
 */
export function verifyInBackground(session: Parts<"control">): void {
  const { outside, control, signal } = session;
  if (outside.delivery === "none") return;
  inBackground(session, async () => {
    let wait = ROUND_MS;
    for (;;) {
      await outside.sleep(wait, signal);
      const moved = await movedOf(outside, [...control.state.tables.values()]);
      wait = moved === undefined ? AGAIN_MS : ROUND_MS;
      const topic = moved?.[0]?.shape.topic;
      if (topic === undefined) continue;
      throw new GuardError("registry-changed", `${topic}: the id of its schema in the registry has changed`, {
        next: "nothing: events are written with the new id",
      });
    }
  });
}

/** undefined if the registry does not answer. */
async function movedOf(outside: Outside, tables: readonly TableState[]): Promise<readonly TableState[] | undefined> {
  try {
    return await verified(outside, tables);
  } catch (error) {
    if (isUnanswered(error)) return undefined;
    throw error;
  }
}

function isUnanswered(error: unknown): boolean {
  return error instanceof GuardError && error.code === "registry-down";
}

async function verified(outside: Verifying, tables: readonly TableState[]): Promise<readonly TableState[]> {
  const after = await askForEach(tables, (table) => verifiedTable(outside, table));
  return after.filter((table, index) => table !== tables[index]);
}

async function verifiedTable(outside: Verifying, table: TableState): Promise<TableState> {
  const { shape } = table;
  const valueSchema = await verifiedSchema(outside, shape, `${shape.topic}-value`, shape.valueSchema);
  const { keySchema: key } = shape;
  const keySchema = key && (await verifiedSchema(outside, shape, `${shape.topic}-key`, key));
  if (valueSchema === shape.valueSchema && keySchema === key) return table;
  const flowed = table.flowed.filter(({ id }) => id !== valueSchema.id && id !== shape.valueSchema.id);
  return { ...table, shape: { ...shape, valueSchema, keySchema }, flowed: [...flowed, valueSchema] };
}

async function verifiedSchema(
  outside: Verifying,
  { topic }: Shape,
  subject: string,
  schema: RegisteredSchema,
): Promise<RegisteredSchema> {
  const found = await schemaById(outside, schema.id);
  if (found !== undefined && isSameJson(found, schema.text)) return schema;
  const now = await register(outside, subject, schema.text);
  if (now.id === schema.id) return schema;
  const why = found === undefined ? "does not know" : "has a different schema under";
  outside.log.warn(
    `${topic}: the registry ${why} id ${schema.id} of subject ${subject}; its schema was registered again and now has id ${now.id}`,
  );
  return now;
}

/** A registry user may be allowed to register but not to read by id. Then nothing is compared, and rows continue. */
async function schemaById({ registry }: Verifying, id: SchemaId): Promise<string | undefined> {
  try {
    return await registry.schemaById(id);
  } catch (error) {
    if (!(error instanceof GuardError) || error.code !== "registry-refused") throw error;
    throw new GuardError("registry-down", `schema ${id} cannot be read: ${error.text}`);
  }
}
