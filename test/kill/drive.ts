import { setTimeout as sleep } from "node:timers/promises";
import { amendments, isReleasing, type Phase, phasesOf } from "./phase.ts";
import type { State } from "./state.ts";
import { type Added, addColumn, type Kind, TABLES, valueOf } from "./tables.ts";
import type { World } from "./world.ts";

/** The column that is never released. */
export const KEPT = "hush";
const DOCUMENTS = "documents";
/** New columns of this table flow at once. */
const OBSERVED = "accounts";
const KINDS: readonly Kind[] = ["text", "big", "defaulted", "volatile", "number"];

/** Brings the service into the phase, and returns when the state topic shows that it is in it. */
export async function bringTo(world: World, phase: Phase): Promise<void> {
  const { state, random } = world;
  const during = (predicate: (now: State) => boolean, what: string, deadline?: number) =>
    state.until(predicate, what, deadline);
  if (phase !== "snapshot") await during((now) => !isRunning(now, "snapshot"), "the snapshots are done", 180_000);
  switch (phase) {
    case "snapshot":
      await during((now) => isRunning(now, "snapshot"), "a snapshot runs");
      await sleep(random.between(0, 400));
      return;
    case "steady":
      await settle(world);
      await sleep(random.between(0, 200));
      return;
    case "large": {
      const index = random.between(1000, 15_000);
      const [done] = await Promise.allSettled([
        during((now) => (now.position?.tx?.index ?? 0) >= index, `a large transaction is at ${index}`),
        world.workload.largeTransaction(),
      ]);
      if (done.status === "rejected") throw done.reason;
      return;
    }
    case "ddl":
      await addColumns(world, "any");
      await sleep(random.between(0, 40));
      return;
    case "withheld":
      if (waiting(world.state.now()).length === 0) await addColumns(world, "withholding");
      await during((now) => waiting(now).some(({ alerted }) => alerted !== undefined), "a column is withheld");
      await sleep(random.between(0, 300));
      return;
    case "release": {
      if (waiting(world.state.now()).length === 0) await addColumns(world, "withholding");
      const releasing = during((now) => amendments(now, KEPT).some(isReleasing), "a release is in progress");
      await Promise.all([releasing, releaseUntil(world, () => amendments(state.now(), KEPT).some(isReleasing))]);
      return;
    }
    case "backfill": {
      const running = (now: State) => isRunning(now, "backfill");
      if (!running(state.now()) && waiting(state.now()).length === 0) await addColumns(world, "withholding");
      await Promise.all([during(running, "a backfill runs"), releaseUntil(world, () => running(state.now()))]);
      await sleep(random.between(0, 150));
      return;
    }
    default:
      phase satisfies never;
  }
}

function isRunning(state: State, kind: "snapshot" | "backfill"): boolean {
  return state.jobs.some((job) => job.kind === kind && job.state === "running");
}

function waiting(state: State) {
  return amendments(state, KEPT).filter(({ gate }) => gate.kind === "withheld");
}

/** Releases what is withheld and waits until nothing is in progress. */
export async function settle(world: World): Promise<void> {
  const settled = () => {
    const phases = phasesOf(world.state.now(), world.altered, KEPT);
    return phases.has("steady");
  };
  await Promise.all([world.state.until(settled, "everything is released", 120_000), releaseUntil(world, settled)]);
}

/** One or two columns of random kinds, in a table that withholds them or in any table. */
async function addColumns(world: World, where: "withholding" | "any"): Promise<void> {
  const { random } = world;
  const table = random.pick(TABLES.filter(({ name }) => where === "any" || name !== OBSERVED));
  const columns = Array.from({ length: random.between(1, 2) }, () => {
    world.added += 1;
    return { name: `c${world.added}`, kind: random.pick(KINDS) };
  });
  await add(world, table.name, columns);
}

/** Adds columns and a row that fills them, in one transaction. */
export async function add(world: World, table: string, columns: readonly Added[]): Promise<void> {
  const { ddl, workload, random, checks, altered } = world;
  const key = TABLES.find(({ name }) => name === table)?.key ?? [];
  for (const { name, kind } of columns) {
    if (kind !== "hush") checks.leaks.withhold(name);
    if (table === OBSERVED) checks.leaks.release(name);
  }
  const fixed = [...key.map((_, index) => (index === 0 ? String(100_000 + world.added) : "new")), "1"];
  const names = [...key, "n", ...columns.map(({ name }) => name)];
  const places = names.map((_, index) => `$${index + 1}`).join(", ");
  const values = [...fixed, ...columns.map((column) => valueOf(column, random))];
  await ddl.query("begin");
  for (const column of columns) await ddl.query(addColumn(table, column));
  await ddl.query(`insert into ${table} (${names.join(", ")}) values (${places})`, values);
  await ddl.query("commit");
  const { rows } = await ddl.query<{ last: number }>(
    "select max(attnum)::int as last from pg_attribute where attrelid = $1::regclass and not attisdropped",
    [table],
  );
  altered.set(table, rows[0]?.last ?? 0);
  workload.columns.set(table, [...(workload.columns.get(table) ?? []), ...columns]);
}

/** Repeats a release that the service refuses because it has just started or has not judged yet. */
async function releaseUntil(world: World, done: () => boolean): Promise<void> {
  for (; !done(); await sleep(100)) {
    const open = waiting(world.state.now()).filter(
      ({ alerted, order }) => alerted !== undefined && order === undefined,
    );
    const documents = open.filter(({ id }) => id.includes(`.${DOCUMENTS}/`));
    const others = open.filter((amendment) => !documents.includes(amendment));
    await Promise.all([
      others.length === 0 ? undefined : release(world, others),
      documents.length === 0 ? undefined : readDocuments(world, documents),
    ]).catch(() => {}); // the service has not started yet
  }
}

type Open = ReturnType<typeof waiting>;

async function release(world: World, open: Open): Promise<void> {
  for (const { column } of open) world.checks.leaks.release(column.name);
  const ids = open.map(({ id }) => id);
  await world.service.send("POST", "/v1/commands", { actor: "test", kind: "release", ids });
}

/** The only consumer of documents lists its fields, which at first are those of the first shape. */
export async function readDocuments(world: World, open: Open): Promise<void> {
  for (const { column } of open) world.checks.leaks.release(column.name);
  const table = world.state.now().tables.find(({ shape }) => shape.table.name === DOCUMENTS);
  const fields = [...(table?.shape.fields ?? []), ...open.map(({ column }) => column)].map(({ name }) => name);
  await world.service.publishContract({
    consumer: "archive",
    topic: `${world.prefix}.public.${DOCUMENTS}`,
    decodesWith: "writer",
    unknownFields: "reject",
    fields,
  });
}
