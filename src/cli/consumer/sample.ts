import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { relative, resolve } from "node:path";

import type { Command } from "commander";

import { GuardError } from "../../errors.ts";
import type { AmendmentView } from "../../api/amendment.ts";
import { clientOf } from "../client.ts";
import { type Terminal, withExamples, indented, EXIT } from "../command.ts";

/** `sample ID --out DIR`: events of an amendment's candidate, for a team's own handler in its own tests. */
export function addSample(program: Command, terminal: Terminal): void {
  const command = program
    .command("sample")
    .description("write events with the new field, as .avsc, .avro and .json, to try a handler with")
    .argument("<id>", "an amendment: inventory.public.customers/3, or topic.field")
    .requiredOption("--out <dir>", "the folder for the files; made if it is not there")
    .action((id: string, { out }: { out: string }) => writeSamples(terminal, id, resolve(terminal.cwd, out)));
  withExamples(command, "fieldgate sample inventory.public.customers.nickname --out test/events").addHelpText(
    "after",
    "\nNo value in them is of the database, and the same amendment gives the same bytes. Only files of an earlier\n`fieldgate sample` are replaced.",
  );
}

interface File {
  readonly path: string;
  readonly content: Buffer;
}

async function writeSamples(terminal: Terminal, id: string, folder: string): Promise<void> {
  const amendment = await clientOf(terminal).amendment(id);
  const { name, contents, count } = await samplesOf(amendment);
  const files = Object.entries(contents).map(([ending, content]): File => ({
    path: resolve(folder, `${name}.${ending}`),
    content,
  }));
  await refuseOthers(terminal, files);
  for (const { path, content } of files) write(folder, path, content);
  for (const { path } of files) terminal.out(`written: ${relative(terminal.cwd, path)}`);
  terminal.out(`next: run your handler over the ${count} events; docs/ci.md, "Try your handler"`);
  terminal.end(EXIT.fine);
}

interface SampleFiles {
  /** Of the files, without their endings. */
  readonly name: string;
  readonly contents: Readonly<Record<"avsc" | "avro" | "json", Buffer>>;
  readonly count: number;
}

/** Throws `refused` where there are no events to make, or no files to name after the amendment. */
async function samplesOf(amendment: AmendmentView): Promise<SampleFiles> {
  const { id, topic, candidate, column } = amendment;
  if (candidate === null) {
    throw new GuardError(
      "refused",
      `${id} has no schema to make events of: ${amendment.refused ?? amendment.gate.why}`,
      {
        next: `fieldgate amendments show ${id}`,
      },
    );
  }
  const { parseSchemaText } = await import("../../avro/schema-text.ts");
  const { sampleEvents, sampledField } = await import("../../sample/events.ts");
  const { containerFile, SAMPLE_KEY } = await import("../../sample/encode.ts");
  const { eventsJson } = await import("../../sample/json.ts");
  const schema = parseSchemaText(candidate.schema);
  const field = sampledField(schema, column === null ? [amendment.field] : [column.name, amendment.field]);
  const events = sampleEvents(schema, { topic, field, columnType: column?.type ?? "" });
  if (events === undefined) {
    throw new GuardError("refused", `the schema of ${id} is no event's: it is of the topic's keys`, {
      next: `fieldgate amendments show ${id} --schema`,
    });
  }
  const name = fileName(topic, field ?? amendment.field);
  const contents = {
    avsc: Buffer.from(`${indented(candidate.schema)}\n`),
    avro: containerFile(candidate.schema, schema, events, { [SAMPLE_KEY]: id }),
    json: Buffer.from(eventsJson(events)),
  };
  return { name, contents, count: events.length };
}

/** The service's answer names files: none of them is anywhere else than in the folder. */
function fileName(topic: string, field: string): string {
  const name = `${topic}.${field}`;
  if (/^[^./\\\0][^/\\\0]*$/.test(name)) return name;
  throw new GuardError("refused", `${JSON.stringify(name)} cannot be the name of a file`, {
    next: "fieldgate amendments show ID --schema prints the schema",
  });
}

/** Throws `refused` before anything is written, when a file is there that no `sample` wrote. */
async function refuseOthers(terminal: Terminal, files: readonly File[]): Promise<void> {
  const { isSampleFile } = await import("../../sample/encode.ts");
  const there = files.filter(({ path }) => existsSync(path));
  const isOurs = there.some(({ path }) => path.endsWith(".avro") && isSampleFile(read(path)));
  const others = isOurs ? [] : there.filter(({ path, content }) => !read(path).equals(content));
  if (others.length === 0) return;
  const names = others.map(({ path }) => relative(terminal.cwd, path)).join(" and ");
  throw new GuardError("refused", `${names} ${others.length === 1 ? "is" : "are"} there and not of an earlier sample`, {
    next: "write into another folder with --out, or remove what is there",
  });
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
    throw new GuardError("usage", `${what}: ${reason}`, { next: "name another folder with --out", cause });
  }
}
