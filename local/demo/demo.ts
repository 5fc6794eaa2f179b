/**
 * `npm run demo` shows on real servers what Fieldgate does, and then keeps running until Ctrl-C. `npm run demo -- --once`
 * ends after the last step. It exits with 0 only if every step succeeded, and otherwise names the step that failed.
 */
import { parseArgs } from "node:util";
import { startStack } from "../stack.ts";
import { actContracts } from "./contracts.ts";
import { StepFailed, narrator } from "./narrator.ts";
import { actObserve, prologue } from "./observe.ts";
import { runOn } from "./run-on.ts";
import { type Stage, setStage } from "./stage.ts";
import { readTopic } from "./topic.ts";

const { values } = parseArgs({ options: { once: { type: "boolean", default: false } } });
const interrupt = new AbortController();
let staged = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
process.exitCode = await main().catch(exitOf);

/** Before the stage is set there is nothing to clean up: the servers end with this process. */
function stop(): void {
  if (!staged) process.exit(130);
  interrupt.abort();
}

async function main(): Promise<number> {
  const began = performance.now();
  process.stdout.write("Fieldgate demo. Starting PostgreSQL, Kafka and a schema registry …\n");
  await using stack = await startStack();
  staged = true;
  await using stage = await setStage(stack);
  process.stdout.write(`Started in ${seconds(began)}.\n\n`);
  await play(stage);
  process.stdout.write(`\nEvery step succeeded, in ${seconds(began)}.\n`);
  if (!values.once) await runOn(stage, interrupt.signal);
  return 0;
}

async function play(stage: Stage): Promise<void> {
  const tell = narrator(interrupt.signal, () => stage.trouble());
  tell.say(
    `A shop keeps its customers in PostgreSQL and writes all the time. Fieldgate follows the database's log and
    publishes every change to the Kafka topic ${stage.topic}. Two consumers read the topic: greeter decodes events with
    its own schema; replica copies each row into its own table, with SQL built from the keys of the row.`,
  );
  process.stdout.write("\n");
  await using readers = new AsyncDisposableStack();
  const scene = await prologue({ stage, tell }, async () => readers.use(await readTopic(stage.stack, stage.topic)));
  await actObserve(scene);
  await actContracts(scene);
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

function exitOf(error: unknown): number {
  if (interrupt.signal.aborted) return 130;
  const text =
    error instanceof StepFailed ? error.message : error instanceof Error ? (error.stack ?? "") : String(error);
  process.stderr.write(`\nThe demo failed: ${text}\n`);
  return 1;
}
