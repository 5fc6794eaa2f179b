import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../stack/until.ts";
import { CheckFailed, mustBeNone } from "./check.ts";
import { bringTo, KEPT } from "./drive.ts";
import { type Phase, phasesOf } from "./phase.ts";
import { lsnOf } from "./state.ts";
import type { World } from "./world.ts";

/** A kill outside the wanted phase does not count; this is how many in a row are allowed. */
const TRIES = 20;
/** Roughly the time from the start of the process to the fence. */
const STARTING_MS = 2500;

/** If the service ends by itself, the run ends. */
export function watchService(world: World): void {
  let code: number | null | undefined;
  void world.service.exited.then((value) => (code = value));
  world.state.watch = () => {
    if (code !== undefined) throw new CheckFailed(`the service ended by itself with ${code}`, []);
  };
}

/** Kills until one kill hit this phase; calls `count` for each. */
export async function killIn(world: World, phase: Phase, count: (died: Phase) => void): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    await bringTo(world, phase);
    const died = await killAndRestart(world);
    await world.checks.verify();
    const { changes, reads } = world.checks.compared;
    console.log(`killed in ${[...died].join(", ").padEnd(30)} ${changes} changes, ${reads} reads compared so far`);
    const [other] = died;
    if (!died.has(phase) && other !== undefined) count(other);
    if (!died.has(phase)) continue;
    count(phase);
    return;
  }
  throw new Error(`none of ${TRIES} kills hit phase ${phase}`);
}

/** Kills the service at a random time between its start and shortly after its fence. */
export async function killStarting(world: World): Promise<void> {
  await sleep(world.random.between(0, STARTING_MS));
  await stopService(world);
  world.service = await world.start();
  watchService(world);
  console.log("killed while starting");
}

/** Returns the phases in which the service died, and checks that it had not acknowledged more than it had committed. */
async function killAndRestart(world: World): Promise<ReadonlySet<Phase>> {
  const { state, acknowledged } = world;
  const altered = new Map(world.altered);
  await stopService(world);
  await slotIsFree(world);
  const confirmed = await acknowledged.now();
  const sessions = state.found.length;
  world.service = await world.start();
  watchService(world);
  await state.until(() => state.found.length > sessions, "the service has fenced");
  const left = state.found[sessions];
  if (left?.position === undefined) throw new Error("the service died before its first position");
  const committed = lsnOf(left.position.endLsn);
  const beyond = confirmed <= committed ? [] : [`${confirmed}, committed is ${committed}`];
  mustBeNone("acknowledged beyond the committed state", beyond);
  const [before] = state.positions.slice(-1);
  await state.until(() => state.positions.at(-1) !== before, "the service has resumed");
  return phasesOf(left, altered, KEPT);
}

/** Kills with SIGKILL. */
export async function stopService(world: World): Promise<void> {
  world.state.watch = () => {};
  world.service.kill("SIGKILL");
  await world.service.exited;
  await world.service[Symbol.asyncDispose]();
}

async function slotIsFree(world: World): Promise<void> {
  const sql = "select 1 from pg_replication_slots where slot_name = $1 and not active";
  await until(async () => (await world.database.query(sql, [world.prefix])).length > 0, "the slot is free");
}
