import { type Command, InvalidArgumentError, Option } from "commander";

import type { Verdict } from "../gate/amendment/amendment.ts";

export type Format = "text" | "json";

/** What a command needs from the process that it runs in. Nothing else in cli/ uses `process`. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadableStream;
  /** Prints the text and a newline to stdout. */
  out(text: string): void;
  /** Prints the text and a newline to stderr. */
  warn(text: string): void;
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

/** Pads every column except the last to its widest cell. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
  return all.map((row) => line(row).trimEnd()).join("\n");
}

/** The verdict, worded for people. */
export function verdictText(verdict: Verdict["verdict"]): string {
  return { ready: "ready", "not-ready": "not ready", unknown: "unknown" }[verdict];
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
