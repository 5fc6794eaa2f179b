import { parseArgs } from "node:util";
import type { Addresses } from "../../local/environment.ts";
import { startStack } from "../../local/stack.ts";
import { type Random, random } from "../kill/random.ts";
import { type Batch, ENDED, type Fault, playBatch, type Played } from "./batch.ts";
import { drawStory, type Story } from "./story.ts";

const USAGE = `Plays random stories of DDL and rows beside the real service; what consumers have must be the tables all the same.
  npm run test:law                              100 stories, a new seed
  npm run test:law -- --stories 2000 --seed 42
  npm run test:law -- --seed 42 --shrink 0      shows the first difference of each story as it was drawn
FIELDGATE_STACK=env takes servers that are up; else a stack is started.`;

const AT_ONCE = 40;
const ROUNDS = 6;

async function main(seed: number, stories: number, toShrink: number): Promise<boolean> {
  const begun = performance.now();
  const draw = random(seed);
  await using stack = await startStack();
  let played = 0;
  let failed = 0;
  for (; played < stories; played += AT_ONCE) {
    const batch = drawBatch(draw, Math.min(AT_ONCE, stories - played));
    const results = await playApart(stack, batch, draw.fork());
    for (const result of results.filter(({ difference }) => difference !== undefined)) {
      failed += 1;
      report(seed, batch, failed > toShrink ? result : await shrink(stack, batch, result, draw.fork()));
    }
    console.log(`${played + batch.stories.length} stories, ${failed} with a difference`);
  }
  const seconds = Math.round((performance.now() - begun) / 1000);
  console.log(`${played} stories, ${failed} with a difference: ${seconds} s, seed ${seed}`);
  return failed === 0;
}

function drawBatch(draw: Random, count: number): Batch {
  return {
    stories: Array.from({ length: count }, () => drawStory(draw.fork(), ROUNDS)),
    trigger: draw.chance(0.5),
    faults: Array.from({ length: ROUNDS }, (): Fault => {
      return draw.pick(["none", "none", "none", "idle", "idle", "restart", "down", "down", "kill"] as const);
    }),
  };
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

/** Leaves steps out as long as a difference is left: all variants of one story are one batch. */
async function shrink(stack: Addresses, batch: Batch, worst: Played, chance: Random): Promise<Played> {
  let smallest = worst;
  for (;;) {
    const variants = withoutOneStep(smallest.story);
    if (variants.length === 0) return smallest;
    const results = await playBatch(stack, { ...batch, stories: variants }, chance.fork());
    const [next] = results
      .filter(({ difference }) => difference !== undefined)
      .toSorted((left, right) => left.statements.length - right.statements.length);
    if (next === undefined) return smallest;
    smallest = next;
  }
}

function withoutOneStep(story: Story): readonly Story[] {
  return story.rounds.flatMap((steps, round) =>
    steps.map((left) => ({
      ...story,
      rounds: story.rounds.with(
        round,
        steps.filter((step) => step !== left),
      ),
    })),
  );
}

function report(seed: number, { trigger, faults }: Batch, { story, statements, difference }: Played): void {
  console.error(`\nseed ${seed}, policy ${story.policy}, trigger ${trigger}, service ${faults.join(" ")}`);
  for (const statement of statements) console.error(`  ${statement}`);
  console.error(`  -> ${difference}`);
}

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    stories: { type: "string" },
    shrink: { type: "string" },
    help: { type: "boolean" },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const stories = Number(values.stories ?? 100);
const toShrink = Number(values.shrink ?? 3);
if (values.help === true) console.log(USAGE);
else if (!Number.isInteger(seed) || !Number.isInteger(stories) || stories < 1) {
  console.error(USAGE);
  process.exitCode = 1;
} else if (!(await main(seed, stories, toShrink))) process.exitCode = 1;
