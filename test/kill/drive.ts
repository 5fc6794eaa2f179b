import { setTimeout as sleep } from "node:timers/promises";
import { amendments, isReleasing, type Phase, phasesOf } from "./phase.ts";
import type { State } from "./state.ts";
import { type Added, addColumn, type Kind, TABLES, valueOf } from "./tables.ts";
import type { World } from "./world.ts";

/** The column no one ever releases. */
export const KEPT = "hush";
const DOCUMENTS = "documents";
const KINDS: readonly Kind[] = ["text", "big", "defaulted", "volatile", "number"];

/** Brings the service into the phase and returns when it is in it, by the state topic. */
export async function bringTo(world: World, phase: Phase): Promise<void> {
  const { state, random } = world;
  const during = (predicate: (now: State) => boolean, what: string) => state.until(predicate, what);
  if (phase !== "snapshot") await during((now) => !isRunning(now, "snapshot"), "the snapshots are done");
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
      await addSomeColumn(world);
      await sleep(random.between(0, 40));
      return;
    case "withheld":
      if (waiting(world.state.now()).length === 0) await addSomeColumn(world);
      await during((now) => waiting(now).some(({ told }) => told !== undefined), "a column is withheld");
      await sleep(random.between(0, 300));
      return;
    case "release": {
      if (waiting(world.state.now()).length === 0) await addSomeColumn(world);
      const releasing = during((now) => amendments(now, KEPT).some(isReleasing), "a release is under way");
      await Promise.all([releasing, releaseUntil(world, () => amendments(state.now(), KEPT).some(isReleasing))]);
      return;
    }
    case "backfill": {
      const running = (now: State) => isRunning(now, "backfill");
      if (!running(state.now()) && waiting(state.now()).length === 0) await addSomeColumn(world);
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

/** Releases what is withheld and waits until nothing is under way. */
export async function settle(world: World): Promise<void> {
  const settled = () => {
    const phases = phasesOf(world.state.now(), world.altered, KEPT);
    return phases.has("steady");
  };
  await Promise.all([world.state.until(settled, "everything is released", 120_000), releaseUntil(world, settled)]);
}

/** A column with values, of a random kind in a random table, in one transaction with a row. */
async function addSomeColumn(world: World): Promise<void> {
  const { random } = world;
  const table = random.pick(TABLES);
  world.added += 1;
  await add(world, table.name, { name: `c${world.added}`, kind: random.pick(KINDS) });
}

export async function add(world: World, table: string, column: Added): Promise<void> {
  const { ddl, workload, random, checks, altered } = world;
  const key = TABLES.find(({ name }) => name === table)?.key ?? [];
  if (column.kind !== "hush") checks.leaks.withhold(column.name);
  const values = [...key.map((_, index) => (index === 0 ? String(100_000 + world.added) : "new")), "1"];
  const names = [...key, "n", column.name].join(", ");
  const places = [...values, ""].map((_, index) => `$${index + 1}`).join(", ");
  await ddl.query("begin");
  await ddl.query(addColumn(table, column));
  await ddl.query(`insert into ${table} (${names}) values (${places})`, [...values, valueOf(column, random)]);
  await ddl.query("commit");
  const { rows } = await ddl.query<{ last: number }>(
    "select max(attnum)::int as last from pg_attribute where attrelid = $1::regclass and not attisdropped",
    [table],
  );
  altered.set(table, rows[0]?.last ?? 0);
  workload.columns.set(table, [...(workload.columns.get(table) ?? []), column]);
}

/** What the service does not take now, because it has just started or has not judged yet, it is told again. */
async function releaseUntil(world: World, done: () => boolean): Promise<void> {
  for (; !done(); await sleep(100)) {
    const open = waiting(world.state.now()).filter(({ told, order }) => told !== undefined && order === undefined);
    const documents = open.filter(({ id }) => id.includes(`.${DOCUMENTS}/`));
    const others = open.filter((amendment) => !documents.includes(amendment));
    await Promise.all([
      others.length === 0 ? undefined : release(world, others),
      documents.length === 0 ? undefined : readDocuments(world, documents),
    ]).catch(() => {}); // it is not up yet
  }
}

type Open = ReturnType<typeof waiting>;

async function release(world: World, open: Open): Promise<void> {
  for (const { column } of open) world.checks.leaks.release(column.name);
  const ids = open.map(({ id }) => id);
  await world.service.send("POST", "/v1/commands", { actor: "test", kind: "release", ids });
}

/** The one consumer of documents names its fields; at first those of the first shape. */
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
