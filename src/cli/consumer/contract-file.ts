import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";

import type { Contract } from "../../contract/contract.ts";
import type { ContractText } from "../../contract/file.ts";
import { GuardError } from "../../errors.ts";
import { contractError, type Mistake } from "../../mistake.ts";
import { readTextFile, readText } from "../../text-file.ts";
import { expandPatterns } from "../patterns.ts";

const FILE = "fieldgate.yaml";
/** A contract, with its schema, may have one megabyte (see the service's limit). */
const MAX_BYTES = 16 * 1_048_576;

export type ContractFile = ContractText & {
  readonly path: string;
  /** The path as it is shown: relative to the current folder. */
  readonly name: string;
};

/**
 * Reads the files that `--file` names, or the nearest fieldgate.yaml from `cwd` upward. Throws `not-found` if there is
 * none, `usage` for a pattern that no file matches, and `contract-invalid` listing every mistake in every file.
 */
export async function readContractFiles(cwd: string, named: readonly string[]): Promise<readonly ContractFile[]> {
  // Imported here so that other commands do not load the parser.
  const { readContractText } = await import("../../contract/file.ts");
  const paths = named.length === 0 ? [findUpward(cwd)] : expandPatterns(cwd, named).map((file) => resolve(cwd, file));
  const files: ContractFile[] = [];
  const errors: GuardError[] = [];
  for (const path of paths) {
    const inFolder = (file: string) => readNamed(resolve(dirname(path), file), repositoryOf(path));
    const name = relative(cwd, path) || ".";
    try {
      files.push({ ...readContractText(readText(cwd, name), inFolder, name), path, name });
    } catch (error) {
      if (!(error instanceof GuardError)) throw error;
      errors.push(error);
    }
  }
  throwAll(errors);
  return files;
}

/** Every mistake is reported at once. An error that does not name its file is about one that cannot be read. */
function throwAll(errors: readonly GuardError[]): void {
  const [first] = errors;
  if (first === undefined) return;
  if (errors.length === 1) throw first;
  const texts = errors.map(({ text }) => text).join("\n");
  throw new GuardError(first.code, texts, { ...(first.next !== undefined && { next: first.next }), cause: first });
}

/** A contract with the file that it is from. */
export interface FiledContract {
  readonly contract: Contract;
  readonly file: string;
}

/**
 * The contracts of all files, for `environment` if it is given. Throws `contract-invalid` if two files have a contract of
 * the same consumer on the same topic in the same environment, because one of them would replace the other.
 */
export function contractsOf(files: readonly ContractFile[], environment?: string): readonly FiledContract[] {
  const all = files.flatMap(({ name, contracts }) =>
    contracts.map(({ contract, place }) => ({
      contract: environment === undefined ? contract : { ...contract, environment },
      place,
      file: name,
    })),
  );
  const same = Map.groupBy(all, ({ contract: one }) => JSON.stringify([one.consumer, one.environment, one.topic]));
  const mistakes = [...same.values()].flatMap(([first, ...others]) =>
    others.map(({ contract: { consumer, topic, environment: where }, place }): Mistake => {
      const also = first === undefined ? "" : `${first.file}:${first.place.line}`;
      const reason = `has a contract of ${consumer} in ${where} already, in ${also}: give each consumer its own name`;
      return { place: `${place.file}:${place.line}:${place.column}`, key: topic, reason };
    }),
  );
  if (mistakes.length > 0) throw contractError(mistakes);
  return all.map(({ contract, file }) => ({ contract, file }));
}

/** A file's path with slashes, relative to the folder that contains `.git`, or to `cwd` outside a repository. */
export function pathInRepository(cwd: string, path: string): string {
  return relative(repositoryOf(path) ?? cwd, path).replaceAll("\\", "/");
}

/** The folder that contains `.git`, at or above the file's; undefined outside a repository. */
function repositoryOf(path: string): string | undefined {
  return nearestWith(".git", dirname(path));
}

/** The nearest folder, from `start` upward, that contains this name; undefined if none does. */
function nearestWith(name: string, start: string): string | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

function findUpward(start: string): string {
  const folder = nearestWith(FILE, start);
  if (folder !== undefined) return join(folder, FILE);
  throw new GuardError("not-found", `there is no ${FILE} in ${start} or any folder above it`, {
    next: "write one with `fieldgate contract init --client CLIENT --topic TOPIC`, or name it with --file",
  });
}

/**
 * Reads a file that the contract file names. A pull request from outside can change both, and its build publishes what
 * it reads, so this must be an ordinary file of the same repository. The caller puts the line and the file's name in
 * front of the error.
 */
function readNamed(path: string, repository: string | undefined): string {
  if (!existsSync(path)) {
    throw new Error("the file does not exist (paths are relative to the contract file's folder)");
  }
  const real = realpathSync(path);
  if (repository !== undefined && isOutside(realpathSync(repository), real)) {
    throw new Error("it is outside the repository");
  }
  const found = statSync(real);
  if (found.isFile() && found.size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES / 1_048_576} MiB`);
  if (!found.isFile() && !found.isDirectory()) throw new Error("it is not an ordinary file");
  return readTextFile(real);
}

function isOutside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way.startsWith("..") || isAbsolute(way);
}
