import { type Command, Option } from "commander";

import { contractError, type Mistake } from "../../mistake.ts";
import { dayOf } from "../../contract/severity.ts";
import { GuardError } from "../../errors.ts";
import type { TopicView } from "../../api/api.ts";
import { type Terminal, withExamples, EXIT } from "../command.ts";
import { pathInRepository, readContractFile } from "../consumer/contract-file.ts";
import { type FormatName, FORMATS } from "./format/formats.ts";
import type { Place, Report, TopicReport } from "./format/report.ts";
import { expiredIgnores, expiredSeverities, withIgnored } from "./ignore.ts";
import { chooseSource, openFileSource, type TopicSource } from "./source.ts";

/**
 * `check` reads the contracts of a repository, gets each topic's schemas from the service, the registry or files,
 * judges every contract and prints a report. check-topic.ts judges, ignore.ts applies the file's `ignore` list, and
 * format/ prints.
 */

type ContractFile = Awaited<ReturnType<typeof readContractFile>>;
type PlacedContract = ContractFile["contracts"][number];

interface Options {
  readonly file?: string;
  readonly against?: readonly string[];
  readonly failOn: Report["failOn"];
  readonly format: FormatName;
}

/**
 * `check`: runs for a consumer's pull request, and checks whether its contracts hold for the events of their topics.
 */
export function addCheck(program: Command, terminal: Terminal): void {
  const command = program
    .command("check")
    .description("check this repository's contracts (fieldgate.yaml) against the events on their topics")
    .option("--file <path>", "the contract file (default: the nearest fieldgate.yaml, from this folder upward)")
    .option(
      "--against <file...>",
      "check against these schemas instead of asking a server; oldest first, FILE or TOPIC=FILE",
    )
    .addOption(
      new Option(
        "--fail-on <what>",
        "flowing: fail only on what is in the events now; withheld: also on fields that are still withheld",
      )
        .choices(["flowing", "withheld"])
        .default("flowing"),
    )
    .addOption(new Option("--format <format>", "output format").choices(Object.keys(FORMATS)).default("text"))
    .action(async ({ file, against, failOn, format }: Options) => {
      const contracts = await readContractFile(terminal.cwd, file);
      const topics = contracts.contracts.map(({ contract }) => contract.topic);
      const source =
        against === undefined ? chooseSource(terminal) : await openFileSource(terminal.cwd, against, topics);
      const { load, paths } = FORMATS[format];
      const placed = paths === "repository" ? placeInRepository(contracts, terminal.cwd) : contracts;
      const report = await check(placed, source, failOn, dayOf(new Date().toISOString()));
      const print = await load();
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
    "\nExit code: 0 if every contract is ready (warnings are allowed), 100 if one is not, 1 if the check could not run,\ne.g. because of a mistake in the file or an unknown topic.",
  );
}

function placeInRepository(contracts: ContractFile, cwd: string): ContractFile {
  const file = pathInRepository(cwd, contracts.path);
  const place = <Placed extends { readonly place: Place }>(one: Placed) => ({ ...one, place: { ...one.place, file } });
  return {
    ...contracts,
    contracts: contracts.contracts.map(place),
    ignored: contracts.ignored.map(place),
    severity: contracts.severity.map(place),
  };
}

const NOTES: Readonly<Record<TopicSource["kind"], string | undefined>> = {
  service: undefined,
  registry:
    "only the registry was asked: it does not know which versions are in use, so every live version was checked",
  files: "checked against files only, not against the current events or withheld fields",
};

async function check(
  { contracts, ignored, severity }: ContractFile,
  source: TopicSource,
  failOn: Report["failOn"],
  today: string,
): Promise<Report> {
  // Imported here so that other commands do not load the Avro parser.
  const { checkTopic, checkFiles } = await import("./check-topic.ts");
  const judge = source.kind === "files" ? checkFiles : checkTopic;
  const topics = (await readTopics(contracts, source)).map(({ contract, place, view }): TopicReport => {
    const { topic, consumer, withheld, findings } = judge(contract, view, today);
    const fields = withheld.map(({ amendmentId, field, findings: ofField }) => ({
      amendmentId,
      field,
      ...withIgnored(topic, ofField, ignored, today),
    }));
    return { topic, consumer, place, ...withIgnored(topic, findings, ignored, today), withheld: fields };
  });
  const counted = failOn === "flowing" ? topics : topics.flatMap((topic) => [topic, ...topic.withheld]);
  const fails = counted.some(({ verdict }) => verdict !== "ready");
  const note = NOTES[source.kind];
  const ignore = [...expiredIgnores(ignored, today), ...expiredSeverities(severity, today)];
  return { source: source.kind, ...(note === undefined ? {} : { note }), failOn, fails, topics, ignore };
}

/**
 * How many topics are read at once. Each request has a connection of its own, so one after the other, twenty topics
 * would take seconds on a slow network.
 */
const PARALLEL = 8;

type ContractOnTopic = PlacedContract & { readonly view: TopicView };

/**
 * Reads the topics, in the file's order. Throws `contract-invalid` listing every topic that the source does not know,
 * with its place.
 */
async function readTopics(
  contracts: readonly PlacedContract[],
  source: TopicSource,
): Promise<readonly ContractOnTopic[]> {
  const all: (ContractOnTopic | Mistake)[] = [];
  for (let done = 0; done < contracts.length; done += PARALLEL) {
    const batch = contracts.slice(done, done + PARALLEL);
    all.push(...(await Promise.all(batch.map((one) => readTopic(one, source)))));
  }
  const unknown = all.flatMap((one) => ("view" in one ? [] : [one]));
  if (unknown.length === 0) return all.flatMap((one) => ("view" in one ? [one] : []));
  throw contractError(unknown);
}

async function readTopic(one: PlacedContract, source: TopicSource): Promise<ContractOnTopic | Mistake> {
  try {
    return { ...one, view: await source.readTopic(one.contract.topic) };
  } catch (error) {
    if (!(error instanceof GuardError) || error.code !== "not-found") throw error;
    const { file, line, column } = one.place;
    const hint = error.next === undefined ? "" : `; ${error.next}`;
    const reason = `is unknown: ${error.text}${hint}`;
    return { place: `${file}:${line}:${column}`, key: one.contract.topic, reason };
  }
}
