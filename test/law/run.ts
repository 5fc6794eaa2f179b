import { parseArgs } from "node:util";
import type { Addresses } from "../../local/environment.ts";
import { startStack } from "../../local/stack.ts";
import { type Random, random } from "../kill/random.ts";
import { type Batch, ENDED, type Fault, playBatch } from "./batch.ts";
import type { Trigger } from "./compare.ts";
import { type Played } from "./settle.ts";
import { drawStory, type Step, type Story } from "./story.ts";

const USAGE = `Plays random stories of DDL and rows beside the real service; what consumers have must be the tables all the same.
  npm run test:law                              100 stories, a new seed
  npm run test:law -- --stories 2000 --seed 42
  npm run test:law -- --stories 200 --first     ends after the first batch with a difference
  npm run test:law -- --seed 42 --from 3 --at-once 50 --stories 50   batch 3, as a longer run has played it
  npm run test:law -- --seed 42 --shrink 0      shows the first difference of each story as it was drawn
FIELDGATE_STACK=env takes servers that are up; else a stack is started.`;

const EXIT = { different: 1, unplayed: 2 };

/** A short run has several batches too: each has the trigger in another way. */
const AT_ONCE = 50;
const TRIGGERS = ["without", "with", "changing"] as const;

interface Options {
  readonly seed: number;
  readonly stories: number;
  /** Stories that are one batch. */
  readonly atOnce: number;
  /** The number of the first batch that is played: a batch can be played again by itself. */
  readonly from: number;
  readonly toShrink: number;
  /** The first batch with a difference is the last. */
  readonly first: boolean;
}

async function main({ seed, stories, atOnce, from, toShrink, first }: Options): Promise<Counts> {
  const begun = performance.now();
  console.log(`${stories} stories, seed ${seed}`);
  await using stack = await startStack();
  const counts: Counts = { played: 0, different: 0, unplayed: 0 };
  let number = from;
  const isOver = () => counts.played + counts.unplayed >= stories || (first && counts.different > 0);
  while (!isOver()) {
    const count = Math.min(atOnce, stories - counts.played - counts.unplayed);
    const draw = random(seed + number * 7919);
    const batch = drawBatch(draw, count, TRIGGERS[number % TRIGGERS.length] ?? "with");
    const where = `--seed ${seed} --from ${number} --at-once ${atOnce}`;
    number += 1;
    const results = await playApart(stack, batch, draw.fork()).catch((cause: unknown) => {
      console.error(`\n${where}: could not be played\n`, cause);
      return undefined;
    });
    if (results === undefined) counts.unplayed += count;
    else counts.played += count;
    for (const result of results?.filter(({ difference }) => difference !== undefined) ?? []) {
      counts.different += 1;
      report(where, batch, counts.different > toShrink ? result : await shrink(stack, batch, result, draw.fork()));
    }
    console.log(describe(counts));
  }
  const seconds = Math.round((performance.now() - begun) / 1000);
  console.log(`${describe(counts)}: ${seconds} s, seed ${seed}`);
  return counts;
}

/** Numbers of stories. One that could not be played shows nothing: neither a difference, nor that there is none. */
interface Counts {
  played: number;
  different: number;
  unplayed: number;
}

function describe({ played, different, unplayed }: Counts): string {
  const rest = unplayed === 0 ? "" : `, ${unplayed} more could not be played`;
  return `${played} stories, ${different} with a difference${rest}`;
}

function drawBatch(draw: Random, count: number, trigger: Trigger): Batch {
  const stop = draw.pick(["restart", "kill"] as const);
  const faults = draw.shuffle<Fault>(["none", "none", "idle", "down", "down", stop]);
  return { faults, trigger, stories: Array.from({ length: count }, () => drawStory(draw.fork(), faults.length)) };
}

/** A story that ends the service hides the others: then each half of the batch is played by itself. */
async function playApart(stack: Addresses, batch: Batch, chance: Random): Promise<readonly Played[]> {
  const results = await playBatch(stack, batch, chance.fork());
  const { stories } = batch;
  if (stories.length === 1 || results.some(({ difference }) => difference?.startsWith(ENDED) !== true)) return results;
  const middle = Math.ceil(stories.length / 2);
  const halves = [stories.slice(0, middle), stories.slice(middle)];
  const apart: Played[] = [];
  for (const half of halves) apart.push(...(await playApart(stack, { ...batch, stories: half }, chance)));
  return apart;
}

/** A story that is not small after so long is shown as it is. */
const SHRINK_MS = 240_000;

/** Leaves steps out as long as a difference is left: all variants of one story are one batch. */
async function shrink(stack: Addresses, batch: Batch, worst: Played, chance: Random): Promise<Played> {
  const until = performance.now() + SHRINK_MS;
  let smallest = worst;
  let superfluous: ReadonlySet<Step> = new Set();
  while (performance.now() < until) {
    const variants = [without(smallest.story, superfluous), ...withoutOneStep(smallest.story)];
    const results = await playBatch(stack, { ...batch, stories: variants }, chance.fork()).catch(() => []);
    const failed = results.filter(({ difference }) => difference !== undefined);
    const [next] = failed.toSorted((left, right) => left.statements.length - right.statements.length);
    if (next === undefined || next.statements.length >= smallest.statements.length) return smallest;
    // Each of these was left out alone; next they are left out together.
    const left = failed.flatMap(({ story }) =>
      stepsOf(smallest.story).filter((step) => !stepsOf(story).includes(step)),
    );
    superfluous = new Set(left);
    smallest = next;
  }
  return smallest;
}

function stepsOf({ rounds }: Story): readonly Step[] {
  return rounds.flat();
}

function withoutOneStep(story: Story): readonly Story[] {
  return stepsOf(story).map((step) => without(story, new Set([step])));
}

function without(story: Story, left: ReadonlySet<Step>): Story {
  return { ...story, rounds: story.rounds.map((steps) => steps.filter((step) => !left.has(step))) };
}

function report(where: string, { trigger, faults }: Batch, { story, statements, difference }: Played): void {
  console.error(`\n${where}, policy ${story.policy}, ${trigger} trigger, service ${faults.join(" ")}`);
  for (const statement of statements) console.error(`  ${statement}`);
  console.error(`  -> ${difference}`);
}

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    stories: { type: "string" },
    shrink: { type: "string" },
    first: { type: "boolean", default: false },
    from: { type: "string", default: "0" },
    "at-once": { type: "string" },
    help: { type: "boolean" },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const stories = Number(values.stories ?? 100);
const atOnce = Number(values["at-once"] ?? Math.min(AT_ONCE, Math.ceil(stories / TRIGGERS.length)));
const toShrink = Number(values.shrink ?? 3);
if (values.help === true) console.log(USAGE);
else if (!Number.isInteger(seed) || !Number.isInteger(stories) || stories < 1) {
  console.error(USAGE);
  process.exitCode = 1;
} else {
  const counts = await main({ seed, stories, atOnce, from: Number(values.from), toShrink, first: values.first });
  if (counts.different > 0) process.exitCode = EXIT.different;
  else if (counts.unplayed > 0) process.exitCode = EXIT.unplayed;
}
