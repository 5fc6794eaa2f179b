import { setTimeout as sleep } from "node:timers/promises";

import { type Command, Option } from "commander";

import { visibleIn } from "../../visible.ts";
import { type ErrorCode, GuardError } from "../../errors.ts";
import { messageText } from "../../finding.ts";
import type { AmendmentView } from "../../api/amendment.ts";
import type { ConnectorView } from "../../api/api.ts";
import { type Client, createClient } from "../client.ts";
import { listOption, readSeconds, type Terminal, totalLines, VERDICT_TONES, withExamples, EXIT } from "../command.ts";
import type { Answer, CanRelease } from "../json-output.ts";
import { amendmentsOf } from "../operator/amendments.ts";
import { isCalled } from "../operator/incomplete.ts";
import { type Remedies, sharedLines, shareRemedies } from "../remedies.ts";
import type { Screen } from "../screen.ts";

/**
 * `can-i-release` shows the pipeline of a table's owner whether every consumer is ready for fields that are still
 * withheld. It can wait until the answer becomes yes.
 */

type Format = "text" | "json" | "markdown";

interface Options {
  readonly table: readonly string[];
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
    .addOption(listOption("--table <table>", "all withheld fields of this table or topic, e.g. public.customers"))
    .option("--wait <seconds>", "how long to wait until all consumers are ready", readSeconds, 0)
    .addOption(new Option("--format <format>", "output format").choices(["text", "json", "markdown"]).default("text"))
    .action(async (ids: string[], { table, wait, format }: Options) => {
      if ((ids.length === 0) === (table.length === 0)) {
        throw new GuardError("usage", "give either ids or --table", { next: "`fieldgate amendments` lists the ids" });
      }
      const client = createClient(terminal);
      const answers = await askUntilYes(() => answersOf(client, ids, table), wait * 1000, terminal);
      if (format === "text") terminal.show(textOf(visibleIn(answers), terminal.screen));
      else terminal.out(await render(answers, format));
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
  terminal: Terminal,
): Promise<CanRelease> {
  const end = Date.now() + waitMs;
  let shown = "";
  const show = (waits: string, left: number): void => {
    if (waits !== shown) terminal.warn(`waiting, up to ${Math.ceil(left / 1000)} s more: ${waits}`);
    shown = waits;
  };
  for (let delay = FIRST_POLL_MS; ; delay = Math.min(delay * 2, LONGEST_POLL_MS)) {
    const left = end - Date.now();
    const answers = await readAnswers().catch((error: unknown) => {
      if (left > 0 && error instanceof GuardError && PASSING.has(error.code)) return error;
      throw error;
    });
    const isError = answers instanceof GuardError;
    if (!isError && (answers.canRelease || left <= 0)) return answers;
    show(visibleIn(isError ? answers.text : awaited(answers)), left);
    await sleep(Math.max(0, Math.min(delay, left)), undefined, { signal: terminal.signal });
  }
}

/** What is not yes yet, in one line. */
function awaited({ amendments, troubled }: CanRelease): string {
  const fields = amendments.filter((one) => !isYes(one)).map(({ field, why }) => `${field}: ${why}`);
  const connectors = troubled.map(
    ({ connector, status, what }) => `connector ${connector} ${TROUBLES[status]}: ${what}`,
  );
  return [...connectors, ...fields].join("; ");
}

async function answersOf(client: Client, ids: readonly string[], tables: readonly string[]): Promise<CanRelease> {
  const isOfTables = tables.length > 0;
  const amendments = isOfTables
    ? (await amendmentsOf(client, tables)).filter(({ gate }) => gate.kind === "withheld")
    : await Promise.all(ids.map((id) => client.amendment(id)));
  const troubled = isOfTables ? troubledOf(await client.connectors(), tables) : [];
  const answers = amendments.map(answerKnowing);
  return { canRelease: answers.every(isYes) && troubled.length === 0, amendments: answers, troubled };
}

/** While a connector does not read the log, it does not know which columns the table has. */
function troubledOf(connectors: readonly ConnectorView[], names: readonly string[]): CanRelease["troubled"] {
  return connectors.flatMap(({ name, tables, trouble }) => {
    const isAsked = tables.some((one) => isCalled(one, names));
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

async function render(answers: CanRelease, format: Exclude<Format, "text">): Promise<string> {
  if (format === "json") return JSON.stringify(answers, null, 2);
  const { releaseMarkdown } = await import("./can-i-release-markdown.ts");
  return releaseMarkdown(answers);
}

function textOf({ amendments, troubled }: CanRelease, screen: Screen): string {
  if (amendments.length === 0 && troubled.length === 0) return "yes: nothing is withheld";
  const remedies = shareRemedies(amendments.flatMap(({ notReady }) => notReady.flatMap(({ findings }) => findings)));
  return [
    ...troubled.map((one) => troubledText(one, screen)),
    ...amendments.map((answer) => answerText(answer, remedies, screen)),
    ...sharedLines(remedies),
    ...totalLines(amendments.filter(isYes).length, amendments.length, "may be released", screen),
  ].join("\n");
}

function troubledText({ connector, status, what, next }: CanRelease["troubled"][number], { paint }: Screen): string {
  const unknown = paint(TONES.unknown, "unknown");
  const why = `${unknown}: connector ${connector} ${TROUBLES[status]}, so later columns are not known: ${what}`;
  return next === null ? why : `${why}\n  next: ${next}`;
}

const TONES = { yes: "good", flows: "good", no: "bad", unknown: "unsure" } as const;

function answerText(
  { id, field, answer, why, notReady, notAsked }: Answer,
  remedies: Remedies,
  { paint }: Screen,
): string {
  const consumers = notReady.flatMap(({ consumer, environment, verdict, findings }) => [
    `  ${consumer} (${environment}): ${paint(VERDICT_TONES[verdict], verdict)}`,
    ...findings.map((finding) => {
      const remedy = remedies.ownOf(finding);
      return `    ${messageText(finding)} [${finding.rule}]${remedy === undefined ? "" : `\n      ${remedy}`}`;
    }),
  ]);
  const groups =
    notAsked.length === 0 ? [] : [`  groups that no contract names (not waited for): ${notAsked.join(", ")}`];
  const word = paint(TONES[answer], answer === "flows" ? "yes" : answer);
  return [`${word}: ${field} (${id}): ${why}`, ...consumers, ...groups].join("\n");
}
