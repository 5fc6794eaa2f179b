import { type Command, Option } from "commander";

import type { Contract } from "../contract/contract.ts";
import { GuardError } from "../errors.ts";
import type { Finding } from "../finding.ts";
import type { TopicView } from "../http/api.ts";
import type { TopicJudgement } from "./check-topic.ts";
import { clientOf } from "./client.ts";
import { type Format, formatOption, type Terminal, withExamples } from "./command.ts";
import { readContracts } from "./contract-file.ts";
import { EXIT, type ExitCode } from "./exit.ts";

interface Options {
  readonly file?: string;
  readonly failOn: "flowing" | "withheld";
  readonly format: Format;
}

/** `check`: a consumer's pull request asks whether its contracts hold for what flows. */
export function addCheck(program: Command, terminal: Terminal): void {
  const command = program
    .command("check")
    .description("check this repository's contracts (fieldgate.yaml) against what flows on their topics")
    .option("--file <path>", "the contract file; default: the nearest fieldgate.yaml upward")
    .addOption(
      new Option("--fail-on <what>", "flowing: only for what flows; withheld: also for a field kept out of the events")
        .choices(["flowing", "withheld"])
        .default("flowing"),
    )
    .addOption(formatOption())
    .action(async ({ file, failOn, format }: Options) => {
      const contracts = await readContracts(terminal.cwd, file);
      const source = sourceOf(terminal);
      const judgements: TopicJudgement[] = [];
      for (const contract of contracts) judgements.push(await judgeTopic(contract, source));
      terminal.out(format === "json" ? jsonText(source, judgements) : checkText(source, judgements));
      terminal.end(exitOf(judgements, failOn));
    });
  withExamples(
    command,
    "fieldgate check",
    "FIELDGATE_REGISTRY_URL=http://registry:8081 fieldgate check --format json",
  ).addHelpText(
    "after",
    "\nExits 0 when all is well or only warnings are found, 100 on findings, 1 when it cannot check.",
  );
}

export interface Source {
  readonly kind: "service" | "registry";
  topic(name: string): Promise<TopicView>;
}

/** The service, unless only the registry's address is known. */
export function sourceOf(terminal: Terminal): Source {
  const registry = terminal.env["FIELDGATE_REGISTRY_URL"] ?? terminal.env["FIELDGATE_REGISTRY_URL_FILE"];
  if (terminal.env["FIELDGATE_URL"] !== undefined || registry === undefined) {
    return { kind: "service", topic: (name) => clientOf(terminal).topic(name) };
  }
  return {
    kind: "registry",
    topic: async (name) => {
      const { registryTopic } = await import("./registry-topic.ts");
      return registryTopic(terminal.env, name);
    },
  };
}

async function judgeTopic(contract: Contract, source: Source): Promise<TopicJudgement> {
  // Avro's parser is loaded by the commands that need it.
  const { checkTopic, unseen } = await import("./check-topic.ts");
  try {
    return checkTopic(contract, await source.topic(contract.topic));
  } catch (error) {
    if (!(error instanceof GuardError) || error.code !== "not-found") throw error;
    const { topic, consumer } = contract;
    return { ...unseen(`the service does not publish ${topic}`), topic, consumer, withheld: [] };
  }
}

function exitOf(judgements: readonly TopicJudgement[], failOn: Options["failOn"]): ExitCode {
  const judged = failOn === "flowing" ? judgements : judgements.flatMap((topic) => [topic, ...topic.withheld]);
  return judged.every(({ verdict }) => verdict === "ready") ? EXIT.fine : EXIT.findings;
}

const REGISTRY_NOTE =
  "asked the registry alone: every live version was tested, and it cannot be told which of them flow";

function jsonText({ kind }: Source, topics: readonly TopicJudgement[]): string {
  return JSON.stringify({ source: kind, ...(kind === "registry" ? { note: REGISTRY_NOTE } : {}), topics }, null, 2);
}

function checkText({ kind }: Source, judgements: readonly TopicJudgement[]): string {
  const topics = judgements.flatMap(({ topic, consumer, verdict, findings, withheld }) => [
    `${topic}: ${consumer} is ${says(verdict)} for what flows`,
    ...findings.map(findingText),
    ...withheld.map((field) =>
      [
        `  withheld: ${field.field} (${field.amendmentId}), ${says(field.verdict)} for it`,
        ...field.findings.map((finding) => `  ${findingText({ ...finding, severity: "warning" })}`),
      ].join("\n"),
    ),
  ]);
  return [...topics, ...(kind === "registry" ? [`note: ${REGISTRY_NOTE}`] : [])].join("\n");
}

function says(verdict: TopicJudgement["verdict"]): string {
  return { ready: "ready", "not-ready": "not ready", unknown: "unknown" }[verdict];
}

function findingText({ severity, field, message, rule, remedy }: Finding): string {
  const place = field === undefined ? "" : `${field}: `;
  return `  ${severity}: ${place}${message} [${rule}]${remedy === undefined ? "" : `\n    ${remedy}`}`;
}
