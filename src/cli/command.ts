import { type Command, InvalidArgumentError, Option } from "commander";

import type { Verdict } from "../gate/amendment/amendment.ts";
import type { Screen, Tone } from "./screen.ts";

export type Format = "text" | "json";

/** What a command needs from the process that it runs in. Nothing else in cli/ uses `process`. */
export interface Terminal {
  /** The variables that are set and not empty. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A variable as it is, also if it is empty, because a connector's file may refer to an empty password. */
  variable(name: string): string | undefined;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadableStream;
  /** Prints what a program reads, or a person copies, and a newline to stdout. */
  out(text: string): void;
  /** Prints text for people and a newline to stdout. On a terminal it is folded between words. */
  show(text: string): void;
  /** Prints text for people and a newline to stderr. */
  warn(text: string): void;
  /** How the text that `show` prints is to look. */
  readonly screen: Screen;
  /** Aborts on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** Sets the exit code. */
  end(code: ExitCode): void;
  /** Marks this command as a service: a signal then ends it normally, with exit code 0. */
  serve(): void;
}

/** The option `--format text|json`. */
export function formatOption(): Option {
  return new Option("--format <format>", "output format").choices(["text", "json"]).default("text");
}

/** An option that may be given several times. Its values are collected in a list. `none` describes the empty list. */
export function listOption(flags: string, description: string, none?: string): Option {
  return new Option(flags, `${description}; repeatable`)
    .argParser((value: string, values: readonly string[] | undefined) => [...(values ?? []), value])
    .default([], none);
}

/** The option `--file`, for the commands that read contracts. */
export function contractFilesOption(): Option {
  return listOption(
    "--file <path>",
    "a contract file, or a quoted pattern such as 'services/*/fieldgate.yaml'",
    "the nearest fieldgate.yaml, from this folder upward",
  );
}

/** Parses the argument of an option that takes seconds. */
export function readSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0) throw new InvalidArgumentError("Give a number of seconds.");
  return seconds;
}

/** Adds examples to a command's help. */
export function withExamples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText("after", `\nExample:\n${lines.map((line) => `  ${line}`).join("\n")}`);
}

/** The verdict, worded for people. */
export function verdictText(verdict: Verdict["verdict"]): string {
  return { ready: "ready", "not-ready": "not ready", unknown: "unknown" }[verdict];
}

export const VERDICT_TONES: Readonly<Record<Verdict["verdict"], Tone>> = {
  ready: "good",
  "not-ready": "bad",
  unknown: "unsure",
};

/** The last line of a list of several: `3 of 5 ready`. Nothing for a single one. */
export function totalLines(good: number, all: number, what: string, { paint }: Screen): readonly string[] {
  return all < 2 ? [] : [paint(good === all ? "good" : "bad", `${good} of ${all} ${what}`)];
}

/** Indents a schema for people. Returns it unchanged if JSON.parse would change it, e.g. a number such as `1.0`. */
export function indentSchema(schema: string): string {
  const json: unknown = JSON.parse(schema);
  return JSON.stringify(json) === schema ? JSON.stringify(json, null, 2) : schema;
}

/**
 * Exit codes. `findings` is also used for the verdict `unknown` and for a wait that timed out. `interrupted` is for
 * Ctrl-C, `terminated` for SIGTERM.
 */
export const EXIT = { fine: 0, wrong: 1, findings: 100, interrupted: 130, terminated: 143 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
