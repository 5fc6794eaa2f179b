import { type Command, InvalidArgumentError, Option } from "commander";

export type Format = "text" | "json";

/** What a command needs of the process around it; nothing else in cli/ touches `process`. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadableStream;
  /** One text, ended by a newline. */
  out(text: string): void;
  warn(text: string): void;
  /** Aborts on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** How the command ended. */
  end(code: ExitCode): void;
  /** From now on a signal is how this command ends in order, with exit code 0. */
  serve(): void;
}

/** `--format text|json`. */
export function formatOption(): Option {
  return new Option("--format <format>", "how to print").choices(["text", "json"]).default("text");
}

/** An option's argument. */
export function readSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0) throw new InvalidArgumentError("It must be a number of seconds.");
  return seconds;
}

/** Examples under a command's help. */
export function withExamples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText("after", `\nExample:\n${lines.map((line) => `  ${line}`).join("\n")}`);
}

/** Columns padded to their widest cell; the last one is not padded. An empty list gives an empty text. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
  return all.map((row) => line(row).trimEnd()).join("\n");
}

/** A schema's text for people; as it is where JavaScript's numbers would change it. */
export function indented(schema: string): string {
  const json: unknown = JSON.parse(schema);
  return JSON.stringify(json) === schema ? JSON.stringify(json, null, 2) : schema;
}

/** How a command ends. `findings`: also a verdict `unknown` and a wait that ran out; `interrupted` and `terminated`: by Ctrl-C and SIGTERM. */
export const EXIT = { fine: 0, wrong: 1, findings: 100, interrupted: 130, terminated: 143 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
