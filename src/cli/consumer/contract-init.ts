import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, relative, resolve } from "node:path";

import { type Command, Option } from "commander";

import { type ClientName, CLIENTS } from "../../contract/clients.ts";
import { GuardError } from "../../errors.ts";
import { sourceOf } from "../check/check.ts";
import { type Terminal, withExamples, indented, EXIT } from "../command.ts";

interface Options {
  readonly client: ClientName;
  readonly topic: string;
  readonly consumer?: string;
  readonly env: string;
  readonly schema?: string;
  readonly file: string;
  readonly force?: true;
}

/** `contract init`: a first fieldgate.yaml from what flows on a topic now. */
export function addContract(program: Command, terminal: Terminal): void {
  const init = program
    .command("contract")
    .description("write this repository's contract file")
    .command("init")
    .description("write a first fieldgate.yaml from the topic's schema, with what each line means and what is assumed")
    .addOption(
      new Option("--client <client>", "what reads the topic").choices(Object.keys(CLIENTS)).makeOptionMandatory(),
    )
    .requiredOption("--topic <topic>", "the Kafka topic, e.g. inventory.public.customers")
    .option("--consumer <name>", "this consumer's name; default: the folder's")
    .option("--env <environment>", "where it runs", "default")
    .option("--schema <path>", "the reader's .avsc, if there is one; default: what flows now, as <topic>.avsc")
    .option("--file <path>", "the file to write", "fieldgate.yaml")
    .option("--force", "replace files that exist")
    .action((options: Options) => writeContract(terminal, options));
  withExamples(
    init,
    "FIELDGATE_REGISTRY_URL=http://registry:8081 fieldgate contract init --client kafkajs --topic inventory.public.customers --consumer billing",
  ).addHelpText(
    "after",
    "\nAsks the registry, or with FIELDGATE_URL the service. Never replaces a file without --force.",
  );
}

async function writeContract(terminal: Terminal, options: Options): Promise<void> {
  const { client, topic, env: environment, force } = options;
  const consumer = options.consumer ?? basename(terminal.cwd);
  await checkNames({ topic, consumer, environment });
  const file = resolve(terminal.cwd, options.file);
  const ownSchema = CLIENTS[client].decodesWith === "reader";
  const schemaFile = resolve(terminal.cwd, options.schema ?? resolve(dirname(file), `${topic}.avsc`));
  const makesSchema = ownSchema && (options.schema === undefined || !existsSync(schemaFile));
  const written = makesSchema ? [file, schemaFile] : [file];
  if (force !== true) refuseExisting(terminal, written);
  const newest = await newestSchema(terminal, topic);
  const { firstContractText } = await import("../../contract/init.ts");
  const schema = relative(dirname(file), schemaFile);
  const text = firstContractText({ client, topic, consumer, environment, columns: newest.columns, schema });
  const flag = force === true ? "w" : "wx";
  if (makesSchema) write(schemaFile, newest.text, flag);
  write(file, text, flag);
  for (const path of written) terminal.out(`written: ${relative(terminal.cwd, path)}`);
  terminal.out("next: correct the lines that say Assumed, then run `fieldgate check`");
  terminal.end(EXIT.fine);
}

/** Throws `usage` before anything is asked or written. */
async function checkNames(names: Readonly<Record<"topic" | "consumer" | "environment", string>>): Promise<void> {
  const { name } = await import("../../contract/contract.ts");
  for (const [what, text] of Object.entries(names)) {
    const { error } = name.safeParse(text);
    if (error === undefined) continue;
    const option = what === "environment" ? "--env" : `--${what}`;
    throw new GuardError("usage", `the ${what} ${JSON.stringify(text)} ${error.issues[0]?.message}`, {
      next: `name it with ${option}`,
    });
  }
}

function refuseExisting(terminal: Terminal, paths: readonly string[]): void {
  const there = paths.filter((path) => existsSync(path)).map((path) => relative(terminal.cwd, path));
  if (there.length === 0) return;
  throw new GuardError("refused", `${there.join(" and ")} ${there.length === 1 ? "exists" : "exist"} already`, {
    next: "add the topic to it by hand, name another with --file, or replace it with --force",
  });
}

function write(path: string, text: string, flag: "w" | "wx"): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { flag });
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unwritable";
    throw new GuardError("usage", `${path} cannot be written: ${reason}`, { cause });
  }
}

interface Newest {
  /** As an .avsc. */
  readonly text: string;
  readonly columns: readonly string[];
}

/** Throws `not-found` without a schema of the topic, `refused` when it holds no rows. */
async function newestSchema(terminal: Terminal, topic: string): Promise<Newest> {
  const { flowingSchema } = await import("../check/check-topic.ts");
  const { rowOf } = await import("../../contract/row.ts");
  const source = await sourceOf(terminal);
  const newest = (await source.topic(topic)).flowing.at(-1);
  if (newest === undefined) {
    throw new GuardError("not-found", `the ${source.kind} has no schema of ${topic}`, {
      next: `check the topic's name; its subject would be ${topic}-value`,
    });
  }
  const row = rowOf(flowingSchema(topic, newest));
  if (row === undefined) {
    throw new GuardError("refused", `the schema of ${topic} is no Debezium envelope`, {
      next: "check the topic's name",
    });
  }
  return { text: `${indented(newest.schema)}\n`, columns: row.fields.map(({ name }) => name) };
}
