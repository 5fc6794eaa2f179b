import { setTimeout as sleep } from "node:timers/promises";

import { type Command, Option } from "commander";

import { visibleIn } from "../../visible.ts";
import { type ErrorCode, GuardError } from "../../errors.ts";
import { messageText } from "../../finding.ts";
import type { AmendmentView } from "../../api/amendment.ts";
import type { ConnectorView } from "../../api/api.ts";
import { type Client, createClient } from "../client.ts";
import { readSeconds, type Terminal, withExamples, EXIT } from "../command.ts";
import type { Answer, CanRelease } from "../json-output.ts";

/**
 * `can-i-release` shows the pipeline of a table's owner whether every consumer is ready for fields that are still
 * withheld. It can wait until the answer becomes yes.
 */

type Format = "text" | "json" | "markdown";

interface Options {
  readonly table?: string;
  readonly wait: number;
  readonly format: Format;
}

/** Errors that end by themselves, e.g. while the service is restarted. */
const PASSING: ReadonlySet<ErrorCode> = new Set(["unreachable", "starting"]);
const FIRST_POLL_MS = 500;
const LONGEST_POLL_MS = 5_000;

export function addCanIRelease(program: Command, terminal: Terminal): void {
  const command = program
    .command("can-i-release")
    .description("show whether every contract is ready for fields that are not in the events yet")
    .argument("[id...]", "an amendment: inventory.public.customers/3, or topic.field")
    .option("--table <table>", "all withheld fields of one table or topic, e.g. public.customers")
    .option("--wait <seconds>", "how long to wait until all consumers are ready", readSeconds, 0)
    .addOption(new Option("--format <format>", "output format").choices(["text", "json", "markdown"]).default("text"))
    .action(async (ids: string[], { table, wait, format }: Options) => {
      if ((ids.length === 0) === (table === undefined)) {
        throw new GuardError("usage", "give either ids or --table", { next: "`fieldgate amendments` lists the ids" });
      }
      const client = createClient(terminal);
      const answers = await askUntilYes(() => answersOf(client, ids, table), wait * 1000, terminal.signal);
      terminal.out(await render(answers, format));
      terminal.end(answers.canRelease ? EXIT.fine : EXIT.findings);
    });
  withExamples(
    command,
    "fieldgate can-i-release inventory.public.customers.nickname",
    "fieldgate can-i-release --table public.customers --wait 600 --format markdown",
  ).addHelpText(
    "after",
    "\nExit code: 0 if every contract is ready for all of these fields, 100 if a consumer is not ready or the answer is unknown.",
  );
}

/**
 * Repeats the question until every answer is yes or the time is up. A service that is unreachable or still starting is
 * asked again as well.
 */
async function askUntilYes(
  readAnswers: () => Promise<CanRelease>,
  waitMs: number,
  signal: AbortSignal,
): Promise<CanRelease> {
  const end = Date.now() + waitMs;
  for (let delay = FIRST_POLL_MS; ; delay = Math.min(delay * 2, LONGEST_POLL_MS)) {
    const left = end - Date.now();
    const answers = await readAnswers().catch((error: unknown) => {
      if (left > 0 && error instanceof GuardError && PASSING.has(error.code)) return undefined;
      throw error;
    });
    if (answers !== undefined && (answers.canRelease || left <= 0)) return answers;
    await sleep(Math.max(0, Math.min(delay, left)), undefined, { signal });
  }
}

async function answersOf(client: Client, ids: readonly string[], table: string | undefined): Promise<CanRelease> {
  const amendments =
    table === undefined
      ? await Promise.all(ids.map((id) => client.amendment(id)))
      : (await client.amendments({ table })).filter(({ gate }) => gate.kind === "withheld");
  const troubled = table === undefined ? [] : troubledOf(await client.connectors(), table);
  const answers = amendments.map(answerKnowing);
  return { canRelease: answers.every(isYes) && troubled.length === 0, amendments: answers, troubled };
}

/** While a connector does not read the log, it does not know which columns the table has. */
function troubledOf(connectors: readonly ConnectorView[], table: string): CanRelease["troubled"] {
  return connectors.flatMap(({ name, tables, trouble }) => {
    const isAsked = tables.some((one) => one.table === table || one.topic === table);
    if (trouble === undefined || !isAsked) return [];
    const { status, what, next } = trouble;
    return [{ connector: name, status, what, next }];
  });
}

/** The answer, with what keeps the connector from knowing it. One that waits for a command still judges contracts. */
function answerKnowing(amendment: AmendmentView): Answer {
  const answer = answerOf(amendment);
  const { trouble, connector } = amendment;
  if (trouble === undefined) return answer;
  const why = `${answer.why}; connector ${connector} ${TROUBLES[trouble.status]}: ${trouble.what}`;
  const isCurrent = trouble.takesCommands || answer.answer !== "yes";
  return { ...answer, why, answer: isCurrent ? answer.answer : "unknown" };
}

const TROUBLES = { stopped: "has stopped", retrying: "is retrying", stalled: "has stalled" } as const;

function answerOf(amendment: AmendmentView): Answer {
  const { id, field, kind, mode, gate, verdicts, refused, candidate, groupsNotNamed } = amendment;
  const notReady = verdicts.flatMap(({ consumer, environment, verdict, findings }) =>
    verdict === "ready" ? [] : [{ consumer, environment, verdict, findings }],
  );
  const isWatched = mode === "watch";
  const anyway = isWatched ? "; Debezium publishes it with the first row anyway" : "";
  const common = { id, field, notReady, notAsked: gate.unnamed === undefined ? groupsNotNamed : [] };
  if (gate.kind === "released") {
    // Debezium publishes fields whether consumers are ready or not.
    const were = isWatched && notReady.length > 0 ? `; not ready at that point: ${consumersOf(notReady)}` : "";
    return { ...common, notReady: [], answer: "flows", why: `already in the events: ${gate.why}${were}` };
  }
  if (isWatched && refused !== null) return { ...common, answer: "no", why: gate.why };
  if (notReady.some(({ verdict }) => verdict === "not-ready")) {
    return { ...common, answer: "no", why: `not ready: ${consumersOf(notReady, "not-ready")}${anyway}` };
  }
  if (notReady.length > 0)
    return { ...common, answer: "unknown", why: `unknown: ${consumersOf(notReady, "unknown")}${anyway}` };
  if (refused !== null) return { ...common, answer: "no", why: refused };
  // Under the strict policy, a release also waits for groups that no contract names.
  if (gate.unnamed !== undefined) {
    return { ...common, answer: gate.unnamed.kind === "known" ? "no" : "unknown", why: gate.why };
  }
  // A contract describes the rows of one table, so it cannot judge a replacement of the table.
  if (kind === "table") return { ...common, answer: "unknown", why: `not judged: ${gate.why}` };
  // Without a candidate, there was no schema to judge.
  if (candidate === null) return { ...common, answer: "unknown", why: `not judged: ${gate.why}` };
  const why = verdicts.length === 0 ? "no contract names the topic" : "every contract is ready";
  return { ...common, answer: "yes", why: isWatched ? gate.why : `${why}; withheld: ${gate.why}` };
}

function consumersOf(notReady: Answer["notReady"], which?: "not-ready" | "unknown"): string {
  const chosen = notReady.filter(({ verdict }) => which === undefined || verdict === which);
  return [...new Set(chosen.map(({ consumer }) => consumer))].join(", ");
}

function isYes({ answer }: Answer): boolean {
  return answer === "yes" || answer === "flows";
}

async function render(answers: CanRelease, format: Format): Promise<string> {
  switch (format) {
    case "json":
      return JSON.stringify(answers, null, 2);
    case "markdown": {
      const { releaseMarkdown } = await import("./can-i-release-markdown.ts");
      return releaseMarkdown(answers);
    }
    case "text":
      return textOf(visibleIn(answers));
    default:
      return format satisfies never;
  }
}

function textOf({ amendments, troubled }: CanRelease): string {
  if (amendments.length === 0 && troubled.length === 0) return "yes: nothing is withheld";
  return [...troubled.map(troubledText), ...amendments.map(answerText)].join("\n");
}

function troubledText({ connector, status, what, next }: CanRelease["troubled"][number]): string {
  const why = `unknown: connector ${connector} ${TROUBLES[status]}, so later columns are not known: ${what}`;
  return next === null ? why : `${why}\n  next: ${next}`;
}

function answerText({ id, field, answer, why, notReady, notAsked }: Answer): string {
  const consumers = notReady.flatMap(({ consumer, environment, verdict, findings }) => [
    `  ${consumer} (${environment}): ${verdict}`,
    ...findings.map((finding) => {
      const { rule, remedy } = finding;
      return `    ${messageText(finding)} [${rule}]${remedy === undefined ? "" : `\n      ${remedy}`}`;
    }),
  ]);
  const groups =
    notAsked.length === 0 ? [] : [`  groups that no contract names (not waited for): ${notAsked.join(", ")}`];
  return [`${answer === "flows" ? "yes" : answer}: ${field} (${id}): ${why}`, ...consumers, ...groups].join("\n");
}
