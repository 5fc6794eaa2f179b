import { loadModule } from "libpg-query";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readDdlSteps } from "../../src/migration/read.ts";
import { readConstants, readPlanCatalog } from "../../src/postgres/plan-database.ts";
import { planMigration } from "../../src/service/plan.ts";
import type { PlanView } from "../../src/api/plan.ts";
import type { State } from "../../src/gate/state.ts";
import { type OwnSession, session } from "../postgres/follow.ts";
import { type Database, freshDatabase } from "../stack/database.ts";
import { type Case, CASES } from "./cases.ts";
import { amendmentsOf, lostTables, RULES, SCHEMA, type Shown, shopRegistry, shopState, tablesNow } from "./shop.ts";

let database: Database;
let client: OwnSession;
let state: State;
beforeAll(async () => {
  await loadModule();
  database = await freshDatabase();
  await database.query(SCHEMA);
  client = await session(database.address);
  state = await shopState(client);
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const openDatabase = async () => ({
  catalog: (asked: Parameters<typeof readPlanCatalog>[1]) => readPlanCatalog(client, asked),
  constants: (asked: Parameters<typeof readConstants>[1]) => readConstants(client, asked),
  [Symbol.asyncDispose]: async () => {},
});

function plan(sql: string): Promise<PlanView> {
  const steps = readDdlSteps([{ name: "-", text: sql }]);
  return planMigration(
    [{ name: "inventory", rules: RULES, registry: shopRegistry(state), state, openDatabase }],
    steps,
    0,
  );
}

function shown({ amendments }: PlanView): readonly Shown[] {
  return amendments.map(({ topic, field, flows, verdicts, schema }) => ({
    topic,
    field,
    flows,
    verdicts: verdicts.map(({ consumer, verdict }) => `${consumer}: ${verdict}`),
    schema,
  }));
}

/** Runs the migration, reads what became of the tables, and undoes it. */
async function really(sql: string) {
  await client.query("BEGIN; SET LOCAL search_path = public");
  try {
    await client.query(sql);
    await client.query("SET LOCAL search_path = pg_catalog");
    const tables = await tablesNow(client, state);
    return { amendments: await amendmentsOf(tables, state), lost: await lostTables(client, tables, state) };
  } finally {
    await client.query("ROLLBACK");
  }
}

function sorted(all: readonly Shown[]): readonly Shown[] {
  return all.toSorted((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
}

describe.each(Object.entries(CASES))("%s", (_, cases) => {
  test.each(cases.map((one): Case => (typeof one === "string" ? { sql: one } : one)))(
    "the plan says what the database does: $sql",
    async ({ sql, truth = sql, asks }) => {
      const planned = await plan(sql);
      const unknown = planned.notes.filter(({ kind }) => kind === "unknown");
      if (asks === undefined) expect(unknown).toStrictEqual([]);
      else expect(unknown).not.toStrictEqual([]);
      expect(unknown.some(({ stops }) => stops === true)).toBe(asks === "stops");
      const { amendments, lost } = await really(truth.replaceAll(/^COPY[^]*?^\\\.$/gm, ""));
      expect(lost.length > 0).toBe(asks === "stops");
      if (asks !== "unread") expect(sorted(shown(planned))).toStrictEqual(sorted(amendments));
    },
  );
});

test("row level security is reported only if it would bind the role", async () => {
  const enable = "ALTER TABLE customers ENABLE ROW LEVEL SECURITY";
  const reported = async (sql: string) =>
    (await plan(sql)).notes.map(({ kind, message }) => [
      kind,
      message.startsWith("row level security would hide rows"),
    ]);
  expect(await reported(`${enable}; ALTER TABLE customers FORCE ROW LEVEL SECURITY`)).toStrictEqual([]); // a superuser
  await client.query("BEGIN; CREATE ROLE plan_reader; SET LOCAL ROLE plan_reader");
  try {
    expect(await reported(enable)).toStrictEqual([["unknown", true]]);
    await client.query("RESET ROLE; ALTER TABLE public.customers OWNER TO plan_reader; SET LOCAL ROLE plan_reader");
    expect(await reported(enable)).toStrictEqual([]);
    expect(await reported(`${enable}; ALTER TABLE customers FORCE ROW LEVEL SECURITY`)).toStrictEqual([
      ["unknown", true],
    ]);
  } finally {
    await client.query("ROLLBACK");
  }
});

test("there are more than a hundred of them", () => {
  expect(Object.values(CASES).flat().length).toBeGreaterThan(100);
});
