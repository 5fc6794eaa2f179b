import { type Command, Option } from "commander";

import { contractError, type Mistake } from "../../mistake.ts";
import { dayOf } from "../../contract/severity.ts";
import { GuardError } from "../../errors.ts";
import type { TopicView } from "../../api/api.ts";
import { clientOf } from "../client.ts";
import { type Terminal, withExamples, EXIT } from "../command.ts";
import { pathInRepository, readContractFile } from "../consumer/contract-file.ts";
import type { Place, Report, TopicReport } from "./format/report.ts";
import { expired, expiredSeverity, withIgnored } from "./ignore.ts";

type Contracts = Awaited<ReturnType<typeof readContractFile>>;

interface Options {
  readonly file?: string;
  readonly against?: readonly string[];
  readonly failOn: Report["failOn"];
  readonly format: keyof typeof FORMATS;
}

/** By buf's names. Each is loaded when it is asked for. */
const FORMATS = {
  text: async () => (await import("./format/text.ts")).formatText,
  json: async () => (await import("./format/json.ts")).formatJson,
  junit: async () => (await import("./format/junit.ts")).formatJunit,
  sarif: async () => (await import("./format/sarif.ts")).formatSarif,
  "github-actions": async () => (await import("./format/github.ts")).formatGithub,
  "gitlab-code-quality": async () => (await import("./format/gitlab.ts")).formatGitlab,
  markdown: async () => (await import("./format/markdown.ts")).formatMarkdown,
} satisfies Readonly<Record<string, () => Promise<(report: Report) => string>>>;

/** These are read by tools that know the repository and not the folder the command runs in. */
const OF_REPOSITORY: ReadonlySet<string> = new Set(["junit", "sarif", "github-actions", "gitlab-code-quality"]);

/** `check`: a consumer's pull request asks whether its contracts hold for what flows. */
export function addCheck(program: Command, terminal: Terminal): void {
  const command = program
    .command("check")
    .description("check this repository's contracts (fieldgate.yaml) against what flows on their topics")
    .option("--file <path>", "the contract file; default: the nearest fieldgate.yaml upward")
    .option("--against <file...>", "ask nobody: these schemas flow, oldest first; FILE or TOPIC=FILE")
    .addOption(
      new Option("--fail-on <what>", "flowing: only for what flows; withheld: also for a field kept out of the events")
        .choices(["flowing", "withheld"])
        .default("flowing"),
    )
    .addOption(new Option("--format <format>", "how to print").choices(Object.keys(FORMATS)).default("text"))
    .action(async ({ file, against, failOn, format }: Options) => {
      const contracts = await readContractFile(terminal.cwd, file);
      const source = await sourceOf(terminal, contracts, against);
      const today = dayOf(new Date().toISOString());
      const report = await reportOf(inRepository(contracts, terminal.cwd, format), source, failOn, today);
      const print = await FORMATS[format]();
      terminal.out(print(report));
      terminal.end(report.fails ? EXIT.findings : EXIT.fine);
    });
  withExamples(
    command,
    "fieldgate check",
    "FIELDGATE_REGISTRY_URL=http://registry:8081 fieldgate check --format json",
    "fieldgate check --against customers.avsc",
  ).addHelpText(
    "after",
    "\nExits 0 when all is well or only warnings are found, 100 on findings, 1 when it cannot check: a mistake in the file, a topic nobody knows.",
  );
}

export interface Source {
  readonly kind: Report["source"];
  /** Throws `not-found` for a topic it does not know. One it knows may have carried nothing yet. */
  topic(name: string): Promise<TopicView>;
}

/** The service, unless only the registry's address is known or files are given. */
export async function sourceOf(
  terminal: Terminal,
  { contracts }: Pick<Contracts, "contracts"> = { contracts: [] },
  against?: Options["against"],
): Promise<Source> {
  if (against !== undefined) return filesSource(terminal.cwd, contracts, against);
  const registry = terminal.env["FIELDGATE_REGISTRY_URL"] ?? terminal.env["FIELDGATE_REGISTRY_URL_FILE"];
  if (terminal.env["FIELDGATE_URL"] !== undefined || registry === undefined) {
    const client = clientOf(terminal);
    return { kind: "service", topic: (name) => client.topic(name) };
  }
  const { registryTopic } = await import("./registry-topic.ts");
  return { kind: "registry", topic: (name) => registryTopic(terminal.env, name) };
}

async function filesSource(
  cwd: string,
  contracts: Contracts["contracts"],
  against: readonly string[],
): Promise<Source> {
  const { topicsOfFiles } = await import("./schema-files.ts");
  const views = topicsOfFiles(
    cwd,
    against,
    contracts.map(({ contract }) => contract.topic),
  );
  return {
    kind: "files",
    topic: async (name) => {
      const view = views.get(name);
      if (view !== undefined) return view;
      const next = `name its schema too: --against ${name}=FILE`;
      throw new GuardError("not-found", `no file of --against is of ${name}`, { next });
    },
  };
}

function inRepository(contracts: Contracts, cwd: string, format: string): Contracts {
  if (!OF_REPOSITORY.has(format)) return contracts;
  const file = pathInRepository(cwd, contracts.path);
  const moved = <Placed extends { readonly place: Place }>(one: Placed) => ({
    ...one,
    place: { ...one.place, file },
  });
  const { ignored, severity } = contracts;
  return {
    ...contracts,
    contracts: contracts.contracts.map(moved),
    ignored: ignored.map(moved),
    severity: severity.map(moved),
  };
}

const NOTES: Readonly<Record<Source["kind"], string | undefined>> = {
  service: undefined,
  registry: "asked the registry alone: every live version was tested, and it cannot be told which of them flow",
  files: "tested against files alone: neither what flows now nor what is withheld was looked at",
};

async function reportOf(
  { contracts, ignored, severity }: Contracts,
  source: Source,
  failOn: Report["failOn"],
  today: string,
): Promise<Report> {
  // Avro's parser is loaded by the commands that need it.
  const { checkTopic, checkFiles } = await import("./check-topic.ts");
  const check = source.kind === "files" ? checkFiles : checkTopic;
  const topics = (await viewsOf(contracts, source)).map(({ contract, place, view }): TopicReport => {
    const { topic, consumer, withheld, findings } = check(contract, view, today);
    const left = withheld.map(({ amendmentId, field, findings: about }) => ({
      amendmentId,
      field,
      ...withIgnored(topic, about, ignored, today),
    }));
    return { topic, consumer, place, ...withIgnored(topic, findings, ignored, today), withheld: left };
  });
  const judged = failOn === "flowing" ? topics : topics.flatMap((topic) => [topic, ...topic.withheld]);
  const fails = judged.some(({ verdict }) => verdict !== "ready");
  const note = NOTES[source.kind];
  const said = note === undefined ? {} : { note };
  const ignore = [...expired(ignored, today), ...expiredSeverity(severity, today)];
  return { source: source.kind, ...said, failOn, fails, topics, ignore };
}

/** Each question has its own connection: asked one after the other, twenty topics take seconds on a far network. */
const AT_ONCE = 8;

type Viewed = Contracts["contracts"][number] & { readonly view: TopicView };

/**
 * In the file's order. Throws `contract-invalid` with every topic that the source does not know, each at its place in
 * the file.
 */
async function viewsOf(contracts: Contracts["contracts"], source: Source): Promise<readonly Viewed[]> {
  const all: (Viewed | Mistake)[] = [];
  for (let done = 0; done < contracts.length; done += AT_ONCE) {
    all.push(...(await Promise.all(contracts.slice(done, done + AT_ONCE).map((one) => viewOf(one, source)))));
  }
  const unknown = all.flatMap((one) => ("view" in one ? [] : [one]));
  if (unknown.length === 0) return all.flatMap((one) => ("view" in one ? [one] : []));
  throw contractError(unknown);
}

async function viewOf(one: Contracts["contracts"][number], source: Source): Promise<Viewed | Mistake> {
  try {
    return { ...one, view: await source.topic(one.contract.topic) };
  } catch (error) {
    if (!(error instanceof GuardError) || error.code !== "not-found") throw error;
    const { file, line, column } = one.place;
    const hint = error.next === undefined ? "" : `; ${error.next}`;
    const reason = `is not known: ${error.text}${hint}`;
    return { place: `${file}:${line}:${column}`, key: one.contract.topic, reason };
  }
}
