import { type Command, Option } from "commander";

import { contractError, type Mistake } from "../../mistake.ts";
import { dayOf } from "../../contract/severity.ts";
import { GuardError } from "../../errors.ts";
import type { TopicView } from "../../api/api.ts";
import { contractFilesOption, type Terminal, withExamples, EXIT } from "../command.ts";
import { type ContractFile, contractsOf, pathInRepository, readContractFiles } from "../consumer/contract-file.ts";
import { type FormatName, FORMATS } from "./format/formats.ts";
import type { Place, Report, TopicReport } from "./format/report.ts";
import { expiredIgnores, expiredSeverities, withIgnored } from "./ignore.ts";
import { chooseSource, openFileSource, type TopicSource } from "./source.ts";

/**
 * `check` reads the contracts of a repository, which may have several files, gets each topic's schemas from the service, the registry or files,
 * judges every contract and prints a report. check-topic.ts judges, ignore.ts applies the file's `ignore` list, and
 * format/ prints.
 */

type PlacedContract = ContractFile["contracts"][number];

interface Options {
  readonly file: readonly string[];
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
    .addOption(contractFilesOption())
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
      const files = await readContractFiles(terminal.cwd, file);
      const topics = new Set(contractsOf(files).map(({ contract }) => contract.topic));
      const source =
        against === undefined ? chooseSource(terminal) : await openFileSource(terminal.cwd, against, [...topics]);
      const { load, paths } = FORMATS[format];
      const placed = paths === "repository" ? files.map((one) => placeInRepository(one, terminal.cwd)) : files;
      const report = await check(placed, source, failOn, dayOf(new Date().toISOString()));
      const print = await load();
      if (format === "text") terminal.show(print(report, terminal.screen));
      else terminal.out(print(report, terminal.screen));
      terminal.end(report.fails ? EXIT.findings : EXIT.fine);
    });
  withExamples(
    command,
    "fieldgate check",
    "fieldgate check --file 'services/*/fieldgate.yaml'",
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
  files: readonly ContractFile[],
  source: TopicSource,
  failOn: Report["failOn"],
  today: string,
): Promise<Report> {
  // Imported here so that other commands do not load the Avro parser.
  const { checkTopic, checkFiles } = await import("./check-topic.ts");
  const judge = source.kind === "files" ? checkFiles : checkTopic;
  const contracts = files.flatMap((file) => file.contracts.map((one) => ({ ...one, ignored: file.ignored })));
  const topics = (await readTopics(contracts, source)).map(({ contract, place, ignored, view }): TopicReport => {
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
  const ignore = files.flatMap((file) => [
    ...expiredIgnores(file.ignored, today),
    ...expiredSeverities(file.severity, today),
  ]);
  return { source: source.kind, ...(note === undefined ? {} : { note }), failOn, fails, topics, ignore };
}

/**
 * How many topics are read at once. Each request has a connection of its own, so one after the other, twenty topics
 * would take seconds on a slow network.
 */
const PARALLEL = 8;

type OnTopic<Placed extends PlacedContract> = Placed & { readonly view: TopicView };

/**
 * Reads each topic once, and returns the contracts in their order. Throws `contract-invalid` listing every topic that
 * the source does not know, with its place.
 */
async function readTopics<Placed extends PlacedContract>(
  contracts: readonly Placed[],
  source: TopicSource,
): Promise<readonly OnTopic<Placed>[]> {
  const topics = [...new Set(contracts.map(({ contract }) => contract.topic))];
  const views = new Map<string, TopicView | Unknown>();
  for (let done = 0; done < topics.length; done += PARALLEL) {
    const batch = topics.slice(done, done + PARALLEL);
    const read = await Promise.all(batch.map((topic) => readTopic(topic, source)));
    for (const [at, topic] of batch.entries()) views.set(topic, read[at] ?? { reason: "is unknown" });
  }
  const all = contracts.map((one) => withView(one, views.get(one.contract.topic)));
  const unknown = all.flatMap((one) => ("view" in one ? [] : [one]));
  if (unknown.length === 0) return all.flatMap((one) => ("view" in one ? [one] : []));
  throw contractError(unknown);
}

/** Why a topic has no view. */
interface Unknown {
  readonly reason: string;
}

function withView<Placed extends PlacedContract>(
  one: Placed,
  found: TopicView | Unknown | undefined,
): OnTopic<Placed> | Mistake {
  if (found !== undefined && "flowing" in found) return { ...one, view: found };
  const { file, line, column } = one.place;
  return { place: `${file}:${line}:${column}`, key: one.contract.topic, reason: found?.reason ?? "is unknown" };
}

async function readTopic(topic: string, source: TopicSource): Promise<TopicView | Unknown> {
  try {
    return await source.readTopic(topic);
  } catch (error) {
    if (!(error instanceof GuardError) || error.code !== "not-found") throw error;
    const hint = error.next === undefined ? "" : `; ${error.next}`;
    return { reason: `is unknown: ${error.text}${hint}` };
  }
}
