import type { Client } from "pg";
import type { Row, Seen } from "./events.ts";
import type { TableRecord } from "./state.ts";
import { TABLES } from "./tables.ts";

const PLACEHOLDER = "__debezium_unavailable_value";

/** A table as rebuilt by a consumer that keeps the last row of each key. */
export interface Rebuilt {
  apply(event: Seen): void;
  /** Rows that differ from the source in the released columns. */
  differences(client: Client, state: TableRecord, schema: string): Promise<readonly string[]>;
}

interface Step {
  readonly event: Seen;
  row: Row | null | undefined;
}

/**
 * Keeps events per key and combines them only at the end: the d and the c of a changed key are in different partitions,
 * and a value that the c does not have must be taken from the d, which may be read later.
 */
export function rebuild(table: string): Rebuilt {
  const keys = new Map<string, Step[]>();
  return {
    apply(event) {
      const steps = keys.get(event.key) ?? [];
      steps.push({ event, row: undefined });
      keys.set(event.key, steps);
    },
    async differences(client, state, schema) {
      const names = state.shape.fields.map(({ name }) => name);
      const defaults = defaultsOf(schema);
      const theirs = await source(client, table, names);
      const ours = new Map<string, Row>();
      for (const [key, steps] of keys) {
        const row = rowAfter(keys, steps, steps.length - 1);
        if (row !== null) ours.set(key, row);
      }
      const all = new Set([...theirs.keys(), ...ours.keys()]);
      return [...all].flatMap((key) => {
        const difference = compare(theirs.get(key), ours.get(key), names, defaults);
        return difference === undefined ? [] : [`${table}/${key}: ${difference}${trail(keys.get(key) ?? [])}`];
      });
    },
  };
}

/** The row of the key after the event at `index`; null if there is none. */
function rowAfter(keys: ReadonlyMap<string, readonly Step[]>, steps: readonly Step[], index: number): Row | null {
  const step = steps[index];
  if (step === undefined) return null;
  if (step.row !== undefined) return step.row;
  const { event } = step;
  const before = event.oldKey === undefined ? rowAfter(keys, steps, index - 1) : movedFrom(keys, event);
  step.row = event.after === null ? null : filled(event.after, before);
  return step.row;
}

function movedFrom(keys: ReadonlyMap<string, readonly Step[]>, { oldKey, lsn, xid }: Seen): Row | null {
  const steps = keys.get(oldKey ?? "") ?? [];
  const index = steps.findIndex(({ event }) => event.op === "d" && event.lsn === lsn && event.xid === xid);
  return rowAfter(keys, steps, index - 1);
}

function filled(after: Row, before: Row | null): Row {
  if (!Object.values(after).includes(PLACEHOLDER)) return after;
  return Object.fromEntries(
    Object.entries(after).map(([name, value]) => [name, value === PLACEHOLDER ? before?.[name] : value]),
  );
}

/** A field that an event does not have yet has its default. */
function defaultsOf(schema: string): ReadonlyMap<string, unknown> {
  const { fields } = JSON.parse(schema) as {
    readonly fields: readonly {
      name: string;
      type: readonly { fields?: readonly { name: string; default?: unknown }[] }[];
    }[];
  }; // in an envelope, `before` and `after` are ["null", Value]
  const value = fields.find(({ name }) => name === "before")?.type.find((type) => type.fields !== undefined);
  return new Map((value?.fields ?? []).map((field) => [field.name, field.default ?? null]));
}

async function source(client: Client, table: string, names: readonly string[]): Promise<ReadonlyMap<string, Row>> {
  const key = TABLES.find(({ name }) => name === table)?.key ?? [];
  const columns = names.map((name) => `${name}::text as ${name}`).join(", ");
  const { rows } = await client.query<Row>(`select ${columns} from ${table}`);
  return new Map(rows.map((row) => [key.map((name) => String(row[name])).join("|"), row]));
}

function compare(
  theirs: Row | undefined,
  ours: Row | undefined,
  names: readonly string[],
  defaults: ReadonlyMap<string, unknown>,
): string | undefined {
  if (theirs === undefined) return "is in the events, not in the table";
  if (ours === undefined) return "is in the table, not in the events";
  for (const name of names) {
    const value = name in ours ? ours[name] : defaults.get(name);
    const text = textOf(value);
    if (text !== theirs[name]) return `${name} is ${short(text)} by the events, ${short(theirs[name])} in the table`;
  }
  return undefined;
}

/** The text to which PostgreSQL casts the value; there are only numbers, texts and booleans. */
function textOf(value: unknown): string | null {
  if (typeof value === "bigint" || typeof value === "number" || typeof value === "boolean") return value.toString();
  return typeof value === "string" ? value : value === null ? null : typeof value;
}

function short(value: unknown): string {
  const text = textOf(value) ?? "null";
  return text.length > 40 ? `${text.slice(0, 40)}… (${text.length})` : text;
}

function trail(steps: readonly Step[]): string {
  const last = steps.slice(-6).map(({ event }) => `${event.op}${event.n ?? ""}@${event.xid}/schema ${event.schemaId}`);
  return ` (its last events: ${last.join(", ")})`;
}
