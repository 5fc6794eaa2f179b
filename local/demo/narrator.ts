import { setTimeout as sleep } from "node:timers/promises";
import { styleText } from "node:util";

/** Tells the story in the terminal, and checks that it is true. */
export interface Narrator {
  /** Plain sentences. */
  say(text: string): void;
  act(title: string): void;
  /** A numbered step of the act. */
  step(text: string): void;
  /** Prints something observed, unchanged. */
  show(text: string): void;
  /** Prints what someone types: `replica$ npx fieldgate publish`. */
  type(prompt: string, text: string): void;
  /** Prints the claim if it holds; otherwise throws StepFailed. */
  holds(holds: boolean, claim: string): void;
  /**
   * Waits until the probe returns something truthy, prints the claim or what `describe` makes of the result, and returns
   * the result. Throws StepFailed after 30 s, or at once if the probe throws StepFailed. Any other error of the probe
   * means "not yet".
   */
  sees<T>(
    claim: string,
    probe: () => Promise<T> | T,
    describe?: (seen: NonNullable<T>) => string,
  ): Promise<NonNullable<T>>;
}

/** A step of the story did not hold. */
export class StepFailed extends Error {}

const DEADLINE_MS = 30_000;
const WIDTH = 110;

function style(format: "bold" | "dim" | "green" | "red" | "cyan", text: string): string {
  return styleText(format, text, { stream: process.stdout });
}

function indent(text: string, by: string): string {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `${by}${line}`.trimEnd())
    .join("\n");
}

function wrap(text: string, by: string): string {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1) ?? "";
    if (by.length + last.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return indent(lines.join("\n"), by);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** While the story waits it asks `findTrouble` what has gone wrong; undefined means nothing. */
export function narrator(signal: AbortSignal, findTrouble: () => Promise<string | undefined>): Narrator {
  let act = 0;
  let step = 0;
  const place = (): string => `${act}.${step}`;
  const fail = (claim: string, why: string): never => {
    print(`      ${style("red", "✗")} ${claim}`);
    throw new StepFailed(`step ${place()} failed: ${claim}: ${why}`);
  };
  async function sees<T>(claim: string, probe: () => Promise<T> | T, describe?: (seen: NonNullable<T>) => string) {
    const end = performance.now() + DEADLINE_MS;
    for (let why = "it did not happen"; ;) {
      signal.throwIfAborted();
      try {
        const seen = await probe();
        if (seen) {
          print(indent(`${style("green", "✓")} ${describe?.(seen) ?? claim}`, "      "));
          return seen;
        }
      } catch (error) {
        if (error instanceof StepFailed) return fail(claim, error.message);
        why = reason(error);
      }
      const wrong = await findTrouble();
      if (wrong !== undefined) return fail(claim, wrong);
      if (performance.now() > end) return fail(claim, `not within ${DEADLINE_MS / 1000} s: ${why}`);
      await sleep(50, undefined, { signal });
    }
  }
  return {
    say: (text) => print(wrap(text, "   ")),
    act(title) {
      act += 1;
      step = 0;
      print(`\n${style("bold", `Act ${act}. ${title}`)}`);
    },
    step(text) {
      step += 1;
      print(`\n${wrap(text, "      ").replace(/^ {6}/, ` ${place()}`.padEnd(6))}`);
    },
    show: (text) => print(style("dim", indent(text, "      │ "))),
    type: (prompt, text) => print(`      ${style("cyan", prompt)} ${style("bold", text)}`),
    holds(holds, claim) {
      if (!holds) fail(claim, "this is not true");
      print(`      ${style("green", "✓")} ${claim}`);
    },
    sees,
  };
}
