import type { Command } from "commander";

import { findingLine } from "../../finding.ts";
import { gateWord } from "../../words/amendment.ts";
import type { ConnectorView } from "../../api/api.ts";
import type { AmendmentView, ChunkView, VerdictView } from "../../api/amendment.ts";
import { renderProgress } from "../../words/progress.ts";
import { visibleIn } from "../../visible.ts";
import { createClient } from "../client.ts";
import type { ParkedTables } from "../json-output.ts";
import { isComplete, leftOutTexts, troubleTexts } from "./incomplete.ts";
import { type Format, formatOption, type Terminal, textTable, withExamples, EXIT } from "../command.ts";

/**
 * `amendments` lists the differences between tables and their topics' events. `amendments show ID` explains one
 * amendment: its gate, every consumer's verdict with the evidence, the backfill and the next step.
 */

export function addAmendments(program: Command, terminal: Terminal): void {
  const command = program
    .command("amendments")
    .description("list the differences between tables and the events on their topics")
    .option("--table <table>", "only amendments of this table or topic, e.g. public.customers")
    .option("--parked", "only the tables whose changes wait, each with what lets them continue")
    .addOption(formatOption())
    .action(async ({ table, parked, format }: { table?: string; parked?: true; format: Format }) => {
      const client = createClient(terminal);
      const amendments = await client.amendments({ table });
      const connectors = await client.connectors();
      const waiting = parkedTables(connectors, table);
      const troubles = troubleTexts(connectors, table);
      if (format === "json") {
        terminal.out(JSON.stringify(parked ? waiting : amendments, null, 2));
        // The list of amendments has no place for them.
        if (!parked && waiting.length > 0) {
          const tables = waiting.map((one) => one.table).join(", ");
          terminal.warn(`parked: ${tables}; fieldgate amendments --parked has the reasons and the next steps`);
        }
        for (const trouble of troubles) terminal.warn(trouble);
      } else if (parked) terminal.out(waiting.length === 0 ? "no table is parked" : waiting.map(parkedText).join("\n"));
      else {
        const others = [...troubles, ...waiting.map(parkedText), ...leftOutTexts(connectors, table)];
        terminal.out(
          [listText(amendments, isComplete(connectors, table)), ...others.map((one) => `\n${one}`)].join("\n"),
        );
      }
      terminal.end(EXIT.fine);
    });
  withExamples(command, "fieldgate amendments", "fieldgate amendments show inventory.public.customers.nickname");
  const show = command
    .command("show")
    .description("show one amendment: which consumers are ready, and what to do next")
    .argument("<id>", "an amendment: inventory.public.customers/3, or topic.field")
    .option("--schema", "print only the schema that the topic would have, e.g. for a consumer's build")
    .addOption(formatOption())
    .action(async (id: string, options: { schema?: true }, self: Command) => {
      const amendment = await createClient(terminal).amendment(id);
      // `amendments` has the same option, and gets it if it is written before `show`.
      const { format } = self.optsWithGlobals<{ format: Format }>();
      if (options.schema) terminal.out(amendment.candidate?.schema ?? "");
      else terminal.out(format === "json" ? JSON.stringify(amendment, null, 2) : amendmentText(amendment));
      terminal.end(options.schema && amendment.candidate === null ? EXIT.findings : EXIT.fine);
    });
  withExamples(
    show,
    "fieldgate amendments show inventory.public.customers/3",
    "fieldgate amendments show inventory.public.customers.nickname --schema > customers.avsc",
  );
}

/** Tables whose changes wait, the one that has waited longest first. */
function parkedTables(connectors: readonly ConnectorView[], asked: string | undefined): ParkedTables {
  const parked = connectors.flatMap(({ name, tables }) =>
    tables.flatMap((view) => {
      if (view.parked === undefined || (asked !== undefined && asked !== view.table && asked !== view.topic)) return [];
      const { code, what, changes, since, next } = view.parked;
      return [{ connector: name, table: view.table, topic: view.topic, code, what, changes, since, next }];
    }),
  );
  return parked.toSorted((left, right) => left.since.localeCompare(right.since));
}

function parkedText(parked: ParkedTables[number]): string {
  const { what, next, changes, since } = visibleIn(parked);
  const count = `${changes.toLocaleString("en-US")} ${changes === 1 ? "change waits" : "changes wait"}`;
  return [`parked: ${what}`, `  ${count}, since ${since}`, ...(next === null ? [] : [`  next: ${next}`])].join("\n");
}

function listText(amendments: readonly AmendmentView[], isAll: boolean): string {
  if (amendments.length === 0) {
    return isAll ? "no amendments: every topic's events have all columns of their table" : "no amendments";
  }
  const head = ["ID", "FIELD", "KIND", "GATE", "SINCE", "NOT READY", "WHY"];
  const rows = visibleIn(amendments).map(({ id, field, kind, changes, mode, gate, verdicts }) => {
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

function amendmentText(view: AmendmentView): string {
  const amendment = visibleIn(view);
  const { id, topic, column, gate, verdicts, groupsNotNamed, candidate, backfill, next, explained, trouble } =
    amendment;
  const rows: (readonly [string, string] | undefined)[] = [
    ["topic", topic],
    ["what", amendment.what],
    gate.kind === "withheld" ? ["meanwhile", amendment.meanwhile] : undefined,
    column === null ? undefined : ["column", columnText(column)],
    explained === null ? undefined : ["by", `${explained.command}, run by ${explained.role} at ${explained.time}`],
    trouble === undefined ? undefined : [trouble.status, `since ${trouble.since}: ${trouble.what}`],
    ["gate", `${gateWord(gate, amendment.mode)}${gate.since === null ? "" : ` since ${gate.since}`}: ${gate.why}`],
    candidate?.widened === undefined ? undefined : ["widened", candidate.widened],
    backfill === null ? undefined : ["backfill", chunkText(backfill)],
    groupsNotNamed.length === 0
      ? undefined
      : [
          gate.unnamed === undefined ? "not asked" : "unnamed",
          `groups that no contract names: ${groupsNotNamed.join(", ")}`,
        ],
    next === null ? undefined : ["next", next],
  ];
  const facts = rows.filter((row) => row !== undefined).map(([label, text]) => `  ${label.padEnd(10)}${text}`);
  const consumers = verdicts.length === 0 ? ["  no contract names this topic"] : verdicts.map(verdictText);
  return [id, ...facts, "consumers", ...consumers].join("\n");
}

function columnText({ name, type, notNull, default: expression }: NonNullable<AmendmentView["column"]>): string {
  return `${name} ${type}${notNull ? " NOT NULL" : ""}${expression === null ? "" : ` DEFAULT ${expression}`}`;
}

function verdictText({ consumer, environment, verdict, findings, seen = [] }: VerdictView): string {
  const lines = findings.map((finding) => {
    const { remedy } = finding;
    return `    ${findingLine(finding)}${remedy === undefined ? "" : `\n      ${remedy}`}`;
  });
  return [`  ${consumer} (${environment}): ${verdict}`, ...seen.map((line) => `    ${line}`), ...lines].join("\n");
}

function chunkText({ state, rows, why, secondsLeft, ...read }: ChunkView): string {
  const progress = renderProgress({ ...read, secondsLeft: secondsLeft ?? undefined });
  return `${state}, ${rows.toLocaleString("en-US")} rows published; scanned ${progress}${why === undefined ? "" : `: ${why}`}`;
}
