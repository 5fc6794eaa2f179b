import { type Command, Option } from "commander";

import { findingLine } from "../../finding.ts";
import { gateWord } from "../../words/amendment.ts";
import type { ConnectorView } from "../../api/api.ts";
import type { AmendmentView, ChunkView, VerdictView } from "../../api/amendment.ts";
import { renderProgress, renderRows } from "../../words/progress.ts";
import { visibleIn } from "../../visible.ts";
import { type Client, createClient } from "../client.ts";
import { textTable } from "../fold.ts";
import type { ParkedTables } from "../json-output.ts";
import { type Remedies, sharedLines, shareRemedies } from "../remedies.ts";
import { PIPE, type Screen } from "../screen.ts";
import { isCalled, isComplete, leftOutTexts, troubleTexts } from "./incomplete.ts";
import {
  type Format,
  formatOption,
  listOption,
  type Terminal,
  totalLines,
  VERDICT_TONES,
  withExamples,
  EXIT,
} from "../command.ts";

/**
 * `amendments` lists the differences between tables and their topics' events. `amendments show ID` explains one
 * amendment: its gate, every consumer's verdict with the evidence, the backfill and the next step.
 */

interface Options {
  readonly table: readonly string[];
  readonly withheld?: true;
  readonly parked?: true;
  readonly format: Format;
}

export function addAmendments(program: Command, terminal: Terminal): void {
  const command = program
    .command("amendments")
    .description("list the differences between tables and the events on their topics")
    .addOption(listOption("--table <table>", "only amendments of this table or topic, e.g. public.customers"))
    .addOption(new Option("--withheld", "only amendments that are withheld").conflicts("parked"))
    .option("--parked", "only the tables whose changes wait, each with what lets them continue")
    .addOption(formatOption())
    .action((options: Options) => list(options, terminal));
  withExamples(
    command,
    "fieldgate amendments",
    "fieldgate amendments --withheld --table public.customers --table public.orders",
    "fieldgate amendments show inventory.public.customers.nickname",
  );
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
      else if (format === "json") terminal.out(JSON.stringify(amendment, null, 2));
      else terminal.show(amendmentText(amendment, terminal.screen));
      terminal.end(options.schema && amendment.candidate === null ? EXIT.findings : EXIT.fine);
    });
  withExamples(
    show,
    "fieldgate amendments show inventory.public.customers/3",
    "fieldgate amendments show inventory.public.customers.nickname --schema > customers.avsc",
  );
}

async function list({ table, withheld, parked, format }: Options, terminal: Terminal): Promise<void> {
  const screen = format === "json" ? PIPE : terminal.screen;
  const client = createClient(terminal);
  const all = await amendmentsOf(client, table);
  const amendments = withheld === true ? all.filter(({ gate }) => gate.kind === "withheld") : all;
  const connectors = await client.connectors();
  const waiting = parkedTables(connectors, table);
  const troubles = troubleTexts(connectors, table, screen);
  if (format === "json") {
    terminal.out(JSON.stringify(parked ? waiting : amendments, null, 2));
    // The list of amendments has no place for them.
    if (!parked && waiting.length > 0) {
      const tables = waiting.map((one) => one.table).join(", ");
      terminal.warn(`parked: ${tables}; fieldgate amendments --parked has the reasons and the next steps`);
    }
    for (const trouble of troubles) terminal.warn(trouble);
  } else if (parked) {
    const texts = waiting.map((one) => parkedText(one, screen));
    terminal.show(texts.length === 0 ? "no table is parked" : texts.join("\n"));
  } else {
    const leftOut = withheld === true ? [] : leftOutTexts(connectors, table);
    const others = [...troubles, ...waiting.map((one) => parkedText(one, screen)), ...leftOut];
    const none = withheld === true ? "nothing is withheld" : noneText(isComplete(connectors, table));
    const text = amendments.length === 0 ? none : listText(amendments, screen);
    terminal.show([text, ...others.map((one) => `\n${one}`)].join("\n"));
  }
  terminal.end(EXIT.fine);
}

/** The amendments of all named tables or topics, each once; all amendments if there is no name. */
export async function amendmentsOf(
  client: Pick<Client, "amendments">,
  names: readonly string[],
): Promise<readonly AmendmentView[]> {
  if (names.length === 0) return client.amendments({});
  const found = await Promise.all(names.map((table) => client.amendments({ table })));
  return [...new Map(found.flat().map((amendment) => [amendment.id, amendment])).values()];
}

/** Tables whose changes wait, the one that has waited longest first. */
function parkedTables(connectors: readonly ConnectorView[], asked: readonly string[]): ParkedTables {
  const parked = connectors.flatMap(({ name, tables }) =>
    tables.flatMap((view) => {
      if (view.parked === undefined || (asked.length > 0 && !isCalled(view, asked))) return [];
      const { code, what, changes, since, next } = view.parked;
      return [{ connector: name, table: view.table, topic: view.topic, code, what, changes, since, next }];
    }),
  );
  return parked.toSorted((left, right) => left.since.localeCompare(right.since));
}

function parkedText(parked: ParkedTables[number], screen: Screen): string {
  const { what, next, changes, since } = visibleIn(parked);
  const count = `${changes.toLocaleString("en-US")} ${changes === 1 ? "change has" : "changes have"} waited`;
  const lines = [`${screen.paint("bad", "parked")}: ${what}`, `  ${count} ${screen.since(since)}`];
  return [...lines, ...(next === null ? [] : [`  next: ${next}`])].join("\n");
}

function noneText(isAll: boolean): string {
  return isAll ? "no amendments: every topic's events have all columns of their table" : "no amendments";
}

const GATE_TONES = { withheld: "unsure", released: "good" } as const;

/** On a terminal, ages are part of the gate; elsewhere, times have a column of their own. */
function listText(amendments: readonly AmendmentView[], { columns, paint, since }: Screen): string {
  const isAged = columns !== undefined;
  const head = ["ID", "FIELD", "KIND", "GATE", ...(isAged ? [] : ["SINCE"]), "NOT READY", "WHY"];
  const rows = visibleIn(amendments).map(({ id, field, kind, changes, mode, gate, verdicts }) => {
    const waiting = verdicts.filter(({ verdict }) => verdict !== "ready").map(({ consumer }) => consumer);
    const word = paint(GATE_TONES[gate.kind], gateWord(gate, mode));
    return [
      id,
      field,
      changes.length === 0 ? kind : changes.join("+"),
      ...(isAged ? [gate.since === null ? word : `${word} ${since(gate.since)}`] : [word, gate.since ?? "-"]),
      waiting.join(",") || "-",
      gate.why,
    ];
  });
  return [textTable(head, rows, columns), ...countLines(amendments)].join("\n");
}

/** `5 amendments: 3 withheld, 2 released`. */
function countLines(amendments: readonly AmendmentView[]): readonly string[] {
  if (amendments.length < 2) return [];
  const words = Map.groupBy(amendments, ({ gate, mode }) => gateWord(gate, mode));
  const counts = [...words].map(([word, of]) => `${of.length} ${word}`);
  return [`${amendments.length} amendments: ${counts.join(", ")}`];
}

function amendmentText(view: AmendmentView, screen: Screen): string {
  const { since, paint } = screen;
  const amendment = visibleIn(view);
  const { id, topic, column, gate, verdicts, groupsNotNamed, candidate, backfill, next, explained, trouble } =
    amendment;
  const rows: (readonly [string, string] | undefined)[] = [
    ["topic", topic],
    ["what", amendment.what],
    gate.kind === "withheld" ? ["meanwhile", amendment.meanwhile] : undefined,
    column === null ? undefined : ["column", columnText(column)],
    explained === null ? undefined : ["by", `${explained.command}, run by ${explained.role} at ${explained.time}`],
    trouble === undefined ? undefined : [trouble.status, `${since(trouble.since)}: ${trouble.what}`],
    [
      "gate",
      `${paint(GATE_TONES[gate.kind], gateWord(gate, amendment.mode))}${gate.since === null ? "" : ` ${since(gate.since)}`}: ${gate.why}`,
    ],
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
  const facts = rows.filter((row) => row !== undefined).map(([label, text]) => `  ${label.padEnd(11)}${text}`);
  const remedies = shareRemedies(verdicts.flatMap(({ findings }) => findings));
  const consumers = verdicts.map((verdict) => consumerText(verdict, remedies, screen));
  const ready = verdicts.filter(({ verdict }) => verdict === "ready").length;
  return [
    id,
    ...facts,
    "consumers",
    ...(consumers.length === 0 ? ["  no contract names this topic"] : consumers),
    ...sharedLines(remedies),
    ...totalLines(ready, verdicts.length, "ready", screen),
  ].join("\n");
}

function columnText({ name, type, notNull, default: expression }: NonNullable<AmendmentView["column"]>): string {
  return `${name} ${type}${notNull ? " NOT NULL" : ""}${expression === null ? "" : ` DEFAULT ${expression}`}`;
}

function consumerText(
  { consumer, environment, verdict, findings, seen = [] }: VerdictView,
  remedies: Remedies,
  { paint }: Screen,
): string {
  const lines = findings.map((finding) => {
    const remedy = remedies.ownOf(finding);
    return `    ${findingLine(finding)}${remedy === undefined ? "" : `\n      ${remedy}`}`;
  });
  const head = `  ${consumer} (${environment}): ${paint(VERDICT_TONES[verdict], verdict)}`;
  return [head, ...seen.map((line) => `    ${line}`), ...lines].join("\n");
}

function chunkText({ state, rows, why, secondsLeft, ...read }: ChunkView): string {
  const progress = renderProgress({ ...read, secondsLeft: secondsLeft ?? undefined });
  return `${state}, ${renderRows(rows)} published; scanned ${progress}${why === undefined ? "" : `: ${why}`}`;
}
