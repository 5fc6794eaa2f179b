import { parseArgs } from "node:util";
import { startStack } from "../../local/stack.ts";
import { until } from "../stack/until.ts";
import { CheckFailed } from "./check.ts";
import { add, KEPT, readDocuments } from "./drive.ts";
import { checkAtTheEnd } from "./end.ts";
import { killIn, killStarting, watchService } from "./kill.ts";
import { type Phase, PHASES, schedule } from "./phase.ts";
import { random } from "./random.ts";
import { openWorld, type World } from "./world.ts";

const USAGE = `Kills the service (-9) again and again while others write, and checks that what it publishes is still correct.
  npm run test:kill                          30 kills, at least 3 in each phase, a new seed
  npm run test:kill -- --kills 6 --seed 42
FIELDGATE_STACK=env uses running servers; otherwise a stack is started.`;

type Counts = Map<Phase | "starting", number>;

async function main(seed: number, kills: number): Promise<boolean> {
  const begun = performance.now();
  const chance = random(seed);
  const plan = schedule(kills, chance);
  console.log(`seed ${seed}, ${kills} kills: ${plan.join(" ")}`);
  await using stack = await startStack();
  await using world = await openWorld(stack, chance);
  const counts: Counts = new Map([...PHASES, "starting" as const].map((phase) => [phase, 0]));
  let phase: Phase | undefined;
  try {
    await begin(world, counts);
    for (phase of plan) {
      if (phase !== "snapshot") world.pace.rate = 4000;
      await killIn(world, phase, (died) => count(counts, died));
      if (chance.chance(0.15)) {
        await killStarting(world);
        count(counts, "starting");
      }
    }
    phase = undefined;
    await checkAtTheEnd(world);
  } catch (error) {
    reportFailure(error, world, seed, phase);
    return false;
  }
  reportSuccess(world, counts, (performance.now() - begun) / 1000, seed);
  return true;
}

function count(counts: Counts, phase: Phase | "starting"): void {
  counts.set(phase, (counts.get(phase) ?? 0) + 1);
}

/**
 * The first start is killed too. Then two tables get a column that is never released: one of them has full old rows in
 * the log, the other has a contract.
 */
async function begin(world: World, counts: Counts): Promise<void> {
  watchService(world);
  await killStarting(world);
  count(counts, "starting");
  await world.state.until(({ position }) => position !== undefined, "the service has started");
  for (const table of ["lines", "documents"]) await add(world, table, [{ name: KEPT, kind: "hush" }]);
  await until(() => readDocuments(world, []).then(() => true), "the service accepts a contract");
}

function reportSuccess(world: World, counts: Counts, seconds: number, seed: number): void {
  const { changes, reads } = world.checks.compared;
  for (const [phase, times] of counts) console.log(`${phase.padEnd(10)}${String(times).padStart(4)} kills`);
  console.log(
    `${changes} changes and ${reads} reads compared, ${world.acknowledged.samples.count} samples of the slot`,
  );
  console.log(`every check passed: ${Math.round(seconds)} s, seed ${seed}`);
}

function reportFailure(error: unknown, world: World, seed: number, phase: Phase | undefined): void {
  console.error(
    `\nFAILED with seed ${seed}, ${phase === undefined ? "at the beginning or end" : `around a kill in ${phase}`}`,
  );
  console.error(error instanceof CheckFailed ? error.message : error);
  if (error instanceof CheckFailed) for (const detail of error.details) console.error(`  ${detail}`);
  const words = world.service.output().trim().split("\n").slice(-15);
  console.error(`the service's last output:\n${words.join("\n")}`);
}

const { values } = parseArgs({
  options: { seed: { type: "string" }, kills: { type: "string" }, help: { type: "boolean" } },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const kills = Number(values.kills ?? 30);
if (values.help === true) console.log(USAGE);
else if (!Number.isInteger(seed) || !Number.isInteger(kills) || kills < 1) {
  console.error(USAGE);
  process.exitCode = 1;
} else if (!(await main(seed, kills))) process.exitCode = 1;
