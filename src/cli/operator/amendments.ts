import type { Command } from "commander";

import { findingLine } from "../../finding.ts";
import { gateWord } from "../../words/amendment.ts";
import type { AmendmentView, ChunkView, VerdictView } from "../../api/amendment.ts";
import { progressText } from "../../service/progress.ts";
import { clientOf } from "../client.ts";
import { type Format, formatOption, type Terminal, textTable, withExamples, EXIT } from "../command.ts";

/** `amendments` and `amendments show ID`. */
export function addAmendments(program: Command, terminal: Terminal): void {
  const command = program
    .command("amendments")
    .description("list the columns that differ between tables and their topics' events")
    .option("--table <table>", "only this table or topic, e.g. public.customers")
    .addOption(formatOption())
    .action(async ({ table, format }: { table?: string; format: Format }) => {
      const amendments = await clientOf(terminal).amendments({ table });
      terminal.out(format === "json" ? JSON.stringify(amendments, null, 2) : listText(amendments));
      terminal.end(EXIT.fine);
    });
  withExamples(command, "fieldgate amendments", "fieldgate amendments show inventory.public.customers.nickname");
  const show = command
    .command("show")
    .description("show one amendment: who is ready, and what to do next")
    .argument("<id>", "inventory.public.customers/3, or topic.field")
    .option("--schema", "print only the schema the topic would get, for a consumer's build")
    .addOption(formatOption())
    .action(async (id: string, options: { schema?: true }, self: Command) => {
      const amendment = await clientOf(terminal).amendment(id);
      // The option of the same name on `amendments` takes what is written before `show`.
      const { format } = self.optsWithGlobals<{ format: Format }>();
      terminal.out(
        options.schema ? schemaText(amendment) : format === "json" ? jsonText(amendment) : showText(amendment),
      );
      terminal.end(options.schema && amendment.candidate === null ? EXIT.findings : EXIT.fine);
    });
  withExamples(
    show,
    "fieldgate amendments show inventory.public.customers/3",
    "fieldgate amendments show inventory.public.customers.nickname --schema > customers.avsc",
  );
}

function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function schemaText(amendment: AmendmentView): string {
  return amendment.candidate?.schema ?? "";
}

function listText(amendments: readonly AmendmentView[]): string {
  if (amendments.length === 0) return "no amendments: every table's columns are in its topic's events";
  const head = ["ID", "FIELD", "KIND", "GATE", "SINCE", "NOT READY", "WHY"];
  const rows = amendments.map(({ id, field, kind, changes, mode, gate, verdicts }) => {
    const waiting = verdicts.filter(({ verdict }) => verdict !== "ready").map(({ consumer }) => consumer);
    return [
      id,
      field,
      changes.length === 0 ? kind : changes.join("+"),
      gateWord(gate, mode),
      gate.since ?? "-",
      waiting.join(",") || "-",
      gate.why,
    ];
  });
  return textTable(head, rows);
}

function showText(amendment: AmendmentView): string {
  const { id, topic, column, gate, verdicts, groupsNotNamed, candidate, backfill, next, explained } = amendment;
  const rows: (readonly [string, string] | undefined)[] = [
    ["topic", topic],
    ["what", amendment.what],
    gate.kind === "withheld" ? ["meanwhile", amendment.meanwhile] : undefined,
    column === null ? undefined : ["column", columnText(column)],
    explained === null ? undefined : ["by", `${explained.command} of ${explained.role} at ${explained.time}`],
    ["gate", `${gateWord(gate, amendment.mode)}${gate.since === null ? "" : ` since ${gate.since}`}: ${gate.why}`],
    candidate?.widened === undefined ? undefined : ["widened", candidate.widened],
    backfill === null ? undefined : ["backfill", chunkText(backfill)],
    groupsNotNamed.length === 0
      ? undefined
      : [
          gate.unnamed === undefined ? "not asked" : "unnamed",
          `groups no contract names: ${groupsNotNamed.join(", ")}`,
        ],
    next === null ? undefined : ["next", next],
  ];
  const facts = rows.filter((row) => row !== undefined).map(([label, text]) => `  ${label.padEnd(10)}${text}`);
  const consumers = verdicts.length === 0 ? ["  no contract names this topic"] : verdicts.map(verdictText);
  return [id, ...facts, "consumers", ...consumers].join("\n");
}

function columnText({ name, type, notNull, default: expression }: NonNullable<AmendmentView["column"]>): string {
  return `${name} ${type}${notNull ? " NOT NULL" : ""}${defaultText(expression)}`;
}

function defaultText(expression: string | null): string {
  return expression === null ? "" : ` DEFAULT ${expression}`;
}

function verdictText({ consumer, environment, verdict, findings, seen = [] }: VerdictView): string {
  const lines = findings.map((finding) => {
    const { remedy } = finding;
    return `    ${findingLine(finding)}${remedy === undefined ? "" : `\n      ${remedy}`}`;
  });
  return [`  ${consumer} (${environment}): ${verdict}`, ...seen.map((line) => `    ${line}`), ...lines].join("\n");
}

function chunkText({ state, rows, why, secondsLeft, ...read }: ChunkView): string {
  const progress = progressText({ ...read, secondsLeft: secondsLeft ?? undefined });
  return `${state}, ${rows.toLocaleString("en-US")} rows published; read ${progress}${why === undefined ? "" : `: ${why}`}`;
}
