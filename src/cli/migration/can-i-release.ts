import { setTimeout as sleep } from "node:timers/promises";

import { type Command, Option } from "commander";

import { GuardError } from "../../errors.ts";
import { messageText } from "../../finding.ts";
import type { AmendmentView } from "../../api/amendment.ts";
import { type Client, clientOf } from "../client.ts";
import { readSeconds, type Terminal, withExamples, EXIT } from "../command.ts";
import type { Answer, CanRelease } from "./answers.ts";

type Format = "text" | "json" | "markdown";

interface Options {
  readonly table?: string;
  readonly wait: number;
  readonly format: Format;
}

const FIRST_POLL_MS = 500;
const LONGEST_POLL_MS = 5_000;

/** `can-i-release`: is every consumer ready, for the pipeline of who owns the table. */
export function addCanIRelease(program: Command, terminal: Terminal): void {
  const command = program
    .command("can-i-release")
    .description("tell whether every contract is ready for what is not in the events yet")
    .argument("[id...]", "inventory.public.customers/3, or topic.field")
    .option("--table <table>", "all that is not in the events of one table or topic, e.g. public.customers")
    .option("--wait <seconds>", "how long to wait for all to be ready", readSeconds, 0)
    .addOption(new Option("--format <format>", "how to print").choices(["text", "json", "markdown"]).default("text"))
    .action(async (ids: string[], { table, wait, format }: Options) => {
      if ((ids.length === 0) === (table === undefined)) {
        throw new GuardError("usage", "give ids, or --table", { next: "fieldgate amendments lists them" });
      }
      const client = clientOf(terminal);
      const answers = await ask(() => answersOf(client, ids, table), wait * 1000, terminal.signal);
      terminal.out(await printed(answers, format));
      terminal.end(answers.every(isYes) ? EXIT.fine : EXIT.findings);
    });
  withExamples(
    command,
    "fieldgate can-i-release inventory.public.customers.nickname",
    "fieldgate can-i-release --table public.customers --wait 600 --format markdown",
  ).addHelpText(
    "after",
    "\nExits 0 when all may flow as far as the contracts go, 100 when someone is not ready or it cannot be told.",
  );
}

/** Again and again until all is yes or the time is up; a service that is away for a while is waited for too. */
async function ask(
  once: () => Promise<readonly Answer[]>,
  waitMs: number,
  signal: AbortSignal,
): Promise<readonly Answer[]> {
  const end = Date.now() + waitMs;
  for (let delay = FIRST_POLL_MS; ; delay = Math.min(delay * 2, LONGEST_POLL_MS)) {
    const left = end - Date.now();
    const answers = await once().catch((error: unknown) => {
      if (left > 0 && error instanceof GuardError && error.code === "unreachable") return undefined;
      throw error;
    });
    if (answers !== undefined && (answers.every(isYes) || left <= 0)) return answers;
    await sleep(Math.max(0, Math.min(delay, left)), undefined, { signal });
  }
}

async function answersOf(
  client: Client,
  ids: readonly string[],
  table: string | undefined,
): Promise<readonly Answer[]> {
  const amendments =
    table === undefined
      ? await Promise.all(ids.map((id) => client.amendment(id)))
      : (await client.amendments({ table })).filter(({ gate }) => gate.kind === "withheld");
  return amendments.map(answerOf);
}

function answerOf(amendment: AmendmentView): Answer {
  const { id, field, kind, mode, gate, verdicts, refused, candidate, groupsNotNamed } = amendment;
  const notReady = verdicts.flatMap(({ consumer, environment, verdict, findings }) =>
    verdict === "ready" ? [] : [{ consumer, environment, verdict, findings }],
  );
  const comes = mode === "watch" ? "; Debezium publishes it with the first row all the same" : "";
  const of = { id, field, notReady, notAsked: gate.unnamed === undefined ? groupsNotNamed : [] };
  if (gate.kind === "released") {
    // Where Debezium publishes, that says nothing of who was ready.
    const were = mode === "watch" && notReady.length > 0 ? `; not ready then: ${allOf(notReady)}` : "";
    return { ...of, notReady: [], answer: "flows", why: `flows: ${gate.why}${were}` };
  }
  if (mode === "watch" && refused !== null) return { ...of, answer: "no", why: gate.why };
  if (notReady.some(({ verdict }) => verdict === "not-ready")) {
    return { ...of, answer: "no", why: `not ready: ${namesOf(notReady, "not-ready")}${comes}` };
  }
  if (notReady.length > 0) return { ...of, answer: "unknown", why: `unknown: ${namesOf(notReady, "unknown")}${comes}` };
  if (refused !== null) return { ...of, answer: "no", why: refused };
  // Under strict the groups that nobody names are waited for too.
  if (gate.unnamed !== undefined) {
    return { ...of, answer: gate.unnamed.kind === "known" ? "no" : "unknown", why: gate.why };
  }
  // Contracts say what they read of a row, not of another table.
  if (kind === "table") return { ...of, answer: "unknown", why: `not judged: ${gate.why}` };
  // Nobody was asked: there is no schema that they could be asked about.
  if (candidate === null) return { ...of, answer: "unknown", why: `not judged: ${gate.why}` };
  const why = verdicts.length === 0 ? "no contract on the topic" : "every contract is ready";
  return { ...of, answer: "yes", why: mode === "watch" ? gate.why : `${why}; withheld: ${gate.why}` };
}

function namesOf(notReady: Answer["notReady"], which: "not-ready" | "unknown"): string {
  return allOf(notReady.filter(({ verdict }) => verdict === which));
}

function allOf(notReady: Answer["notReady"]): string {
  return [...new Set(notReady.map(({ consumer }) => consumer))].join(", ");
}

function isYes({ answer }: Answer): boolean {
  return answer === "yes" || answer === "flows";
}

async function printed(answers: readonly Answer[], format: Format): Promise<string> {
  switch (format) {
    case "json":
      return JSON.stringify({ canRelease: answers.every(isYes), amendments: answers } satisfies CanRelease, null, 2);
    case "markdown": {
      const { releaseMarkdown } = await import("./release.ts");
      return releaseMarkdown(answers);
    }
    case "text":
      return answers.length === 0 ? "yes: nothing is withheld" : answers.map(answerText).join("\n");
    default:
      return format satisfies never;
  }
}

function answerText({ id, field, answer, why, notReady, notAsked }: Answer): string {
  const consumers = notReady.flatMap(({ consumer, environment, verdict, findings }) => [
    `  ${consumer} (${environment}): ${verdict}`,
    ...findings.map((finding) => {
      const { rule, remedy } = finding;
      return `    ${messageText(finding)} [${rule}]${remedy === undefined ? "" : `\n      ${remedy}`}`;
    }),
  ]);
  const groups = notAsked.length === 0 ? [] : [`  not asked: groups no contract names: ${notAsked.join(", ")}`];
  return [`${answer === "flows" ? "yes" : answer}: ${field} (${id}): ${why}`, ...consumers, ...groups].join("\n");
}
