import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, relative, resolve } from "node:path";

import { type Command, Option } from "commander";

import { type ClientName, CLIENTS } from "../../contract/clients.ts";
import { GuardError } from "../../errors.ts";
import { chooseSource } from "../check/source.ts";
import { type Terminal, withExamples, indentSchema, listOption, EXIT } from "../command.ts";

/**
 * `contract init` writes a first fieldgate.yaml from the current schemas of topics and, for clients that decode with
 * their own schemas, also those schemas as .avsc files. Everything is checked before the first file is written.
 */

interface Options {
  readonly client: ClientName;
  readonly topic: readonly string[];
  readonly consumer?: string;
  readonly env?: string;
  readonly schema?: string;
  readonly file: string;
  readonly force?: true;
}

export function addContract(program: Command, terminal: Terminal): void {
  const init = program
    .command("contract")
    .description("write this repository's contract file")
    .command("init")
    .description(
      "write a first fieldgate.yaml from the topics' schemas, with comments on what each line means and what is assumed",
    )
    .addOption(
      new Option("--client <client>", "the client library that reads the topic")
        .choices(Object.keys(CLIENTS))
        .makeOptionMandatory(),
    )
    .addOption(
      listOption("--topic <topic>", "a Kafka topic, e.g. inventory.public.customers")
        .default(undefined)
        .makeOptionMandatory(),
    )
    .option("--consumer <name>", "the consumer's name (default: the folder's name)")
    .option(
      "--env <environment>",
      "the environment it runs in (default: the one in which the service publishes the topics)",
    )
    .option(
      "--schema <path>",
      "the reader's schema (.avsc) if it exists (default: writes the topic's current schema to <topic>.avsc)",
    )
    .option("--file <path>", "the file to write", "fieldgate.yaml")
    .option("--force", "overwrite existing files")
    .action((options: Options) => writeContract(terminal, options));
  withExamples(
    init,
    "FIELDGATE_REGISTRY_URL=http://registry:8081 fieldgate contract init --client kafkajs --topic inventory.public.customers --consumer billing",
  ).addHelpText(
    "after",
    "\nReads the schema from the service, or from the registry if only FIELDGATE_REGISTRY_URL is set.",
  );
}

async function writeContract(terminal: Terminal, options: Options): Promise<void> {
  const { client, env, force } = options;
  const consumer = options.consumer ?? basename(terminal.cwd);
  const names = [...new Set(options.topic)];
  for (const topic of names) await checkNames({ topic, consumer, ...(env === undefined ? {} : { environment: env }) });
  if (options.schema !== undefined && names.length > 1) {
    throw new GuardError("usage", "--schema names the schema of one topic, and several topics are given", {
      next: "leave it out, and correct the paths in the file that is written",
    });
  }
  const file = resolve(terminal.cwd, options.file);
  const topics = names.map((topic) => {
    const path = resolve(terminal.cwd, options.schema ?? resolve(dirname(file), `${topic}.avsc`));
    const isWritten = CLIENTS[client].decodesWith === "reader" && (options.schema === undefined || !existsSync(path));
    return { topic, path, isWritten };
  });
  const paths = [file, ...topics.flatMap(({ isWritten, path }) => (isWritten ? [path] : []))];
  if (force !== true) refuseExisting(terminal, paths);
  const read = await Promise.all(
    topics.map(async (one) => ({ ...one, current: await readCurrentSchema(terminal, one.topic) })),
  );
  const { firstContractText } = await import("../../contract/init.ts");
  const text = firstContractText({
    client,
    consumer,
    environment: env ?? commonEnvironment(read.map(({ current }) => current)),
    topics: read.map(({ topic, path, current }) => {
      return { topic, columns: current.columns, schema: relative(dirname(file), path) };
    }),
  });
  const flag = force === true ? "w" : "wx";
  for (const { isWritten, path, current } of read) if (isWritten) write(path, current.text, flag);
  write(file, text, flag);
  for (const path of paths) terminal.show(`wrote ${relative(terminal.cwd, path)}`);
  terminal.show("next: review the lines marked Assumed, then run `fieldgate check`");
  if (client === "kafkajs") terminal.show(LONGS);
  terminal.end(EXIT.fine);
}

const LONGS =
  "note: as its README shows, @kafkajs/confluent-schema-registry decodes no event; the lines above `longs` in the file fix that; until they are in the consumer, `fieldgate check` exits with 100";

/** Throws `usage` if a name is invalid. */
async function checkNames(
  names: Readonly<Partial<Record<"topic" | "consumer" | "environment", string>>>,
): Promise<void> {
  const { name } = await import("../../contract/contract.ts");
  for (const [what, text] of Object.entries(names)) {
    const { error } = name.safeParse(text);
    if (error === undefined) continue;
    const option = what === "environment" ? "--env" : `--${what}`;
    throw new GuardError("usage", `the ${what} ${JSON.stringify(text)} ${error.issues[0]?.message}`, {
      next: `set it with ${option}`,
    });
  }
}

function refuseExisting(terminal: Terminal, paths: readonly string[]): void {
  const existing = paths.filter((path) => existsSync(path)).map((path) => relative(terminal.cwd, path));
  if (existing.length === 0) return;
  throw new GuardError("refused", `${existing.join(" and ")} already ${existing.length === 1 ? "exists" : "exist"}`, {
    next: "add the topic to the file by hand, choose another file with --file, or overwrite it with --force",
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

interface CurrentSchema {
  /** The content of an .avsc file. */
  readonly text: string;
  readonly columns: readonly string[];
  readonly environment: string | undefined;
}

/** The environment in which all of the topics are published; undefined if it is not known, or if there are several. */
function commonEnvironment(topics: readonly CurrentSchema[]): string | undefined {
  const environments = new Set(topics.map(({ environment }) => environment));
  return environments.size === 1 ? topics[0]?.environment : undefined;
}

/** Throws `not-found` if the topic has no schema, and `refused` if its schema does not contain a row. */
async function readCurrentSchema(terminal: Terminal, topic: string): Promise<CurrentSchema> {
  const { parseFlowing } = await import("../check/check-topic.ts");
  const { rowOf } = await import("../../contract/row.ts");
  const source = chooseSource(terminal);
  const { flowing, environment } = await source.readTopic(topic);
  const newest = flowing.at(-1);
  if (newest === undefined) {
    throw new GuardError("not-found", `the ${source.kind} has no schema for ${topic}`, {
      next: `check the topic's name; its subject would be ${topic}-value`,
    });
  }
  const row = rowOf(parseFlowing(topic, newest));
  if (row === undefined) {
    throw new GuardError("refused", `the schema of ${topic} is not a Debezium envelope`, {
      next: "check the topic's name",
    });
  }
  return { text: `${indentSchema(newest.schema)}\n`, columns: row.fields.map(({ name }) => name), environment };
}
