import { createInterface } from "node:readline";

import type { Command } from "commander";

import type { Compatibility } from "../../avro/reading/compatibility.ts";
import type { explainPairText } from "../../avro/reading/explain.ts";
import { describeError, GuardError } from "../../errors.ts";
import { type Format, formatOption, type Terminal, withExamples, EXIT } from "../command.ts";
import { readText } from "../../text-file.ts";

interface Options {
  readonly reader?: string;
  readonly writer?: string;
  readonly stdin?: true;
  readonly format: Format;
}

type Answer = ReturnType<typeof explainPairText>;

/** `explain`: shows whether one Avro schema can read data written with another, by the rules of Avro's Java library. */
export function addExplain(program: Command, terminal: Terminal): void {
  const command = program
    .command("explain")
    .description("show whether one Avro schema can read data written with another, and if not, why")
    .option("--reader <file>", "the reader's schema, an .avsc file")
    .option("--writer <file>", "the writer's schema, an .avsc file")
    .option(
      "--stdin",
      "for many pairs: read one {reader, writer} object per line, print one answer per line, exit with 0",
    )
    .addOption(formatOption())
    .action(async ({ reader, writer, stdin, format }: Options) => {
      const { checkPairText, explainPairText } = await import("../../avro/reading/explain.ts");
      if (stdin && reader === undefined && writer === undefined) return explainLines(explainPairText, terminal);
      if (stdin || reader === undefined || writer === undefined) {
        throw new GuardError("usage", "give either --reader and --writer, or --stdin alone");
      }
      const answer = checkPairText(
        `{"reader": ${schemaText(terminal.cwd, reader)}, "writer": ${schemaText(terminal.cwd, writer)}}`,
      );
      if (format === "json") terminal.out(JSON.stringify(answer));
      else terminal.show(answerText(answer));
      terminal.end(answer.compatible ? EXIT.fine : EXIT.findings);
    });
  withExamples(
    command,
    "fieldgate explain --reader mine.avsc --writer theirs.avsc",
    `echo '{"reader": "long", "writer": "int"}' | fieldgate explain --stdin`,
  );
}

/** Adds a newline, so that a comment at the end of the file does not swallow what follows. */
function schemaText(cwd: string, file: string): string {
  return `${readText(cwd, file)}\n`;
}

async function explainLines(explain: typeof explainPairText, terminal: Terminal): Promise<void> {
  for await (const line of createInterface({ input: terminal.stdin, signal: terminal.signal })) {
    if (line.trim() !== "") terminal.out(JSON.stringify(answerLine(explain, line)));
  }
  terminal.end(EXIT.fine);
}

function answerLine(explain: typeof explainPairText, line: string): Answer {
  try {
    return explain(line);
  } catch (error) {
    if (error instanceof GuardError) return { error: describeError(error) };
    throw error;
  }
}

function answerText(answer: Compatibility): string {
  if (answer.compatible) return "compatible";
  const reasons = answer.incompatibility;
  return ["not compatible", ...reasons.map(({ type, location, message }) => `  ${location}  ${type}  ${message}`)].join(
    "\n",
  );
}
