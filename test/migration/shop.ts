import { known } from "../contract/known.ts";
import { readFileSync } from "node:fs";
import type { Client } from "pg";
import { captureFilter, entryList } from "../../src/capture/lists.ts";
import { parseSchemaText } from "../../src/avro/schema-text.ts";
import { checkLevel } from "../../src/avro/reading/level.ts";
import type { Contract } from "../../src/contract/contract.ts";
import { envelopeSchema, keySchema } from "../../src/event/envelope/schema.ts";
import { fieldOf } from "../../src/event/field.ts";
import { relationOf } from "../../src/gate/amendment/seen.ts";
import { decide } from "../../src/gate/decide.ts";
import { mayFlow } from "../../src/gate/decision/policy.ts";
import { policyOf, weigh } from "../../src/gate/decision/settle.ts";
import { NO_EVIDENCE } from "../../src/gate/evidence/evidence.ts";
import { unnamedOn } from "../../src/gate/evidence/readers.ts";
import type { Rules, State, TableState, When } from "../../src/gate/state.ts";
import { ASK_REGISTRY } from "../../src/guard/control/ask-registry.ts";
import { readTable, readTables } from "../../src/postgres/catalog.ts";
import type { Registry } from "../../src/registry/client.ts";
import type { Table } from "../../src/table/column.ts";
import { schemaId } from "../../src/table/shape.ts";
import { RULES as PLAIN } from "../gate/customers.ts";

/**
 * A database with several captured tables, and what a connector would make of a migration that really runs in it. A
 * plan is right if it says the same before the migration runs.
 */

export const SCHEMA = readFileSync(new URL("./shop.sql", import.meta.url), "utf8");

const NAMES = ["shop.orders", "public.customers", "public.Account", "public.audit", "public.codes", "public.events"];
const captured = NAMES.map((text) => {
  const [schema = "", name = ""] = text.split(".");
  return { schema, name };
});

function includeList() {
  const list = entryList([...NAMES, "public.next"].join(","));
  if (list.kind === "refused") throw new Error(list.why.join());
  return captureFilter({ tables: { kind: "include", entries: list.entries } });
}

export const RULES: Rules = { ...PLAIN, filter: includeList() };

const WHEN: When = { position: "0/0", time: "2026-01-01T00:00:00.000Z" };

export async function shopState(client: Client): Promise<State> {
  const tables = (await readTables(client, captured)).map(firstState);
  return {
    tables: new Map(tables.map((table) => [table.shape.topic, table])),
    jobs: new Map(),
    contracts: known(billing, search),
    outcomes: new Map(),
    evidence: NO_EVIDENCE,
  };
}

function firstState(table: Table): TableState {
  const topic = `inventory.${table.schema}.${table.name}`;
  const live = table.columns.filter((column) => !column.generated);
  const fields = live.flatMap((column) => {
    const mapped = fieldOf(column, RULES.modes);
    return mapped.kind === "field" ? [mapped.field] : [];
  });
  const key = table.key.flatMap((at) => fields.filter((field) => field.attnum === at));
  const valueSchema = { id: schemaId(1), text: JSON.stringify(envelopeSchema(topic, fields)) };
  const json = keySchema(topic, key);
  return {
    shape: {
      topic,
      table: { oid: table.oid, schema: table.schema, name: table.name },
      fields,
      key,
      valueSchema,
      keySchema: json === undefined ? undefined : { id: schemaId(2), text: JSON.stringify(json) },
    },
    known: live.map(({ attnum, name, type }) => ({ attnum, name, type })),
    assigned: table.maxAttnum,
    filenode: table.filenode,
    amendments: [],
    leftOut: [],
    doubt: false,
    flowed: [valueSchema],
  };
}

function contract(consumer: string, topic: string, more: Pick<Contract, "unknownFields" | "fields">): Contract {
  return { version: 1, environment: "default", consumer, topic, decodesWith: "writer", ...more };
}

const billing = contract("billing", "inventory.public.customers", {
  unknownFields: "reject",
  fields: ["id", "name", "email", "level", "balance", "active", "joined", "zip", "age"],
});
const search = contract("search", "inventory.public.customers", { unknownFields: "accept", fields: ["id", "name"] });

/** A registry at level BACKWARD, which has what the tables publish. */
export function shopRegistry({ tables }: State): Registry {
  const none = async () => undefined;
  return {
    latest: none,
    version: none,
    schemaById: none,
    versions: async () => [],
    level: async () => "BACKWARD",
    async check(subject, text) {
      const shape = tables.get(subject.replace(/-(value|key)$/, ""))?.shape;
      const old = subject.endsWith("-key") ? shape?.keySchema : shape?.valueSchema;
      if (old === undefined) return { kind: "compatible" };
      const checked = checkLevel("BACKWARD", [parseSchemaText(old.text)], parseSchemaText(text));
      if (checked.compatible) return { kind: "compatible" };
      return { kind: "incompatible", messages: checked.incompatibility.map(({ message }) => message) };
    },
    register: async () => {
      throw new Error("a plan registers nothing");
    },
  };
}

/** What is compared: the amendments as a plan shows them. */
export interface Shown {
  readonly topic: string;
  readonly field: string;
  readonly flows: boolean;
  readonly verdicts: readonly string[];
  readonly schema: string | null;
}

/** The captured tables as they are in the database now; undefined for one that was dropped. */
export async function tablesNow(client: Client, state: State): Promise<ReadonlyMap<string, Table | undefined>> {
  const now = new Map<string, Table | undefined>();
  for (const { shape } of state.tables.values()) now.set(shape.topic, (await readTable(client, shape.table.oid)).table);
  return now;
}

/** What the connector would make of these tables. */
export async function amendmentsOf(
  tables: ReadonlyMap<string, Table | undefined>,
  state: State,
): Promise<readonly Shown[]> {
  const registry = shopRegistry(state);
  const all: Shown[] = [];
  for (const [topic, table] of tables) {
    if (table === undefined) continue;
    const { state: next } = decide(RULES, state, { kind: "seen", topic, ...relationOf(table) }, WHEN);
    const after = next.tables.get(topic);
    for (const found of after?.amendments ?? []) {
      if (after === undefined) continue;
      const answer = found.unmapped === undefined ? await ASK_REGISTRY.guard(RULES, registry, after, found) : undefined;
      const asked = { ...found, answer };
      const verdicts = weigh(RULES, state, after, asked, WHEN);
      const unnamed = unnamedOn(RULES, state, topic);
      const decision = mayFlow(policyOf(RULES, topic), { ...asked, verdicts }, after.shape.key.length === 0, unnamed);
      all.push({
        topic,
        field: found.column?.name ?? found.name,
        flows: decision.kind === "flows",
        verdicts: verdicts.map(({ consumer, verdict }) => `${consumer}: ${verdict}`),
        schema: answer?.kind === "fits" ? answer.candidate.text : null,
      });
    }
  }
  return all;
}

/** The topics whose table was dropped, or whose name belongs to a different table now. */
export async function lostTables(
  client: Client,
  tables: ReadonlyMap<string, Table | undefined>,
  state: State,
): Promise<readonly string[]> {
  const { rows } = await client.query<{ readonly name: string; readonly oid: string }>(
    `SELECT n.nspname || '.' || c.relname AS name, c.oid::text AS oid
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname || '.' || c.relname = ANY ($1::text[])`,
    [NAMES],
  );
  const owners = new Map(rows.map(({ name, oid }) => [name, Number(oid)]));
  return [...state.tables.values()].flatMap(({ shape: { topic, table } }) => {
    const owner = owners.get(`${table.schema}.${table.name}`);
    return tables.get(topic) === undefined || (owner !== undefined && owner !== Number(table.oid)) ? [topic] : [];
  });
}
