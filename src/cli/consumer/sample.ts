import { lstatSync, mkdirSync, type Stats, readFileSync, writeFileSync } from "node:fs";
import { relative, resolve } from "node:path";

import type { Command } from "commander";

import { GuardError } from "../../errors.ts";
import type { AmendmentView } from "../../api/amendment.ts";
import { createClient } from "../client.ts";
import { type Terminal, withExamples, indentSchema, EXIT } from "../command.ts";
import { page } from "../../page.ts";

/**
 * `sample ID… --out DIR` writes events that have an amendment's field, so that a team can run its own handler on them.
 * The values are generated, never read from the database, and the same amendment gives the same bytes.
 */
export function addSample(program: Command, terminal: Terminal): void {
  const command = program
    .command("sample")
    .description("write sample events with the new field as .avsc, .avro and .json files, to test a handler")
    .argument("<id...>", "an amendment: inventory.public.customers/3, or topic.field")
    .requiredOption("--out <dir>", "the folder for the files; created if missing")
    .action((ids: readonly string[], { out }: { out: string }) =>
      writeSamples(terminal, ids, resolve(terminal.cwd, out)),
    );
  withExamples(command, "fieldgate sample inventory.public.customers.nickname --out test/events").addHelpText(
    "after",
    "\nThe values are generated, not read from the database; the same amendment always gives the same bytes. Only files\nfrom an earlier `fieldgate sample` are overwritten.",
  );
}

interface File {
  readonly path: string;
  readonly content: Buffer;
}

async function writeSamples(terminal: Terminal, ids: readonly string[], folder: string): Promise<void> {
  const client = createClient(terminal);
  const samples = await Promise.all([...new Set(ids)].map(async (id) => makeSamples(await client.amendment(id))));
  refuseSameName(samples);
  const files = samples.map(({ name, contents }) =>
    Object.entries(contents).map(([ending, content]): File => ({
      path: resolve(folder, `${name}.${ending}`),
      content,
    })),
  );
  for (const ofOne of files) await refuseForeignFiles(terminal, ofOne);
  for (const { path, content } of files.flat()) write(folder, path, content);
  for (const { path } of files.flat()) terminal.show(`wrote ${relative(terminal.cwd, path)}`);
  const count = samples.reduce((sum, sample) => sum + sample.count, 0);
  terminal.show(`next: run your handler on the ${count} events ("Try your handler": ${page("ci.md")})`);
  terminal.end(EXIT.fine);
}

/** Two amendments may be about fields of one name, and their files would have one name too. */
function refuseSameName(samples: readonly SampleFiles[]): void {
  const same = samples.find(({ name }, at) => samples.findIndex((other) => other.name === name) !== at);
  if (same === undefined) return;
  throw new GuardError("refused", `two of the amendments are about ${same.name}`, {
    next: "write the samples of each into a folder of its own",
  });
}

interface SampleFiles {
  /** The name of the files without extension. */
  readonly name: string;
  readonly contents: Readonly<Record<"avsc" | "avro" | "json", Buffer>>;
  readonly count: number;
}

/** Throws `refused` if the amendment has no event schema, or if its name cannot be a file's name. */
async function makeSamples(amendment: AmendmentView): Promise<SampleFiles> {
  const { id, topic, candidate, column } = amendment;
  if (candidate === null) {
    throw new GuardError(
      "refused",
      `${id} has no schema to make events from: ${amendment.refused ?? amendment.gate.why}`,
      {
        next: `fieldgate amendments show ${id}`,
      },
    );
  }
  const { parseSchemaText } = await import("../../avro/schema-text.ts");
  const { sampleEvents, sampledField } = await import("../../sample/events.ts");
  const { containerFile, eventsJson, SAMPLE_KEY } = await import("../../sample/files.ts");
  const schema = parseSchemaText(candidate.schema);
  const field = sampledField(schema, column === null ? [amendment.field] : [column.name, amendment.field]);
  const events = sampleEvents(schema, { topic, field, columnType: column?.type ?? "" });
  if (events === undefined) {
    throw new GuardError("refused", `the schema of ${id} is for the topic's keys, not for events`, {
      next: `fieldgate amendments show ${id} --schema`,
    });
  }
  const name = fileName(topic, field ?? amendment.field);
  const contents = {
    avsc: Buffer.from(`${indentSchema(candidate.schema)}\n`),
    avro: containerFile(candidate.schema, schema, events, { [SAMPLE_KEY]: id }),
    json: Buffer.from(eventsJson(events)),
  };
  return { name, contents, count: events.length };
}

/** The name comes from the service, so it must not lead out of the folder. */
function fileName(topic: string, field: string): string {
  const name = `${topic}.${field}`;
  if (/^[^./\\\0][^/\\\0]*$/.test(name)) return name;
  throw new GuardError("refused", `${JSON.stringify(name)} is not a valid file name`, {
    next: "fieldgate amendments show ID --schema prints the schema",
  });
}

/**
 * Throws `refused`, before anything is written, if one of the files exists and was not written by `sample`, or is a
 * link, through which a different file would be written.
 */
async function refuseForeignFiles(terminal: Terminal, files: readonly File[]): Promise<void> {
  const { isSampleFile } = await import("../../sample/files.ts");
  const existing = files.filter(({ path }) => statOf(path) !== undefined);
  const link = existing.find(({ path }) => statOf(path)?.isSymbolicLink());
  if (link !== undefined) {
    throw new GuardError("refused", `${relative(terminal.cwd, link.path)} is a link to a different place`, {
      next: "remove the link, or choose another folder with --out",
    });
  }
  const isOurs = existing.some(({ path }) => path.endsWith(".avro") && isSampleFile(read(path)));
  const others = isOurs ? [] : existing.filter(({ path, content }) => !read(path).equals(content));
  if (others.length === 0) return;
  const names = others.map(({ path }) => relative(terminal.cwd, path)).join(" and ");
  throw new GuardError(
    "refused",
    `${names} already ${others.length === 1 ? "exists" : "exist"} and ${others.length === 1 ? "is" : "are"} not from an earlier sample`,
    {
      next: "choose another folder with --out, or remove the files",
    },
  );
}

/** undefined if there is nothing of that name. */
function statOf(path: string): Stats | undefined {
  return attempt(`${path} cannot be written`, () => lstatSync(path, { throwIfNoEntry: false }));
}

function read(path: string): Buffer {
  return attempt(`${path} cannot be read`, () => readFileSync(path));
}

function write(folder: string, path: string, content: Buffer): void {
  attempt(`${path} cannot be written`, () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, content);
  });
}

function attempt<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
    throw new GuardError("usage", `${what}: ${reason}`, { next: "choose another folder with --out", cause });
  }
}
