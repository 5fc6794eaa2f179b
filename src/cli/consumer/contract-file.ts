import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";

import type { Contract } from "../../contract/contract.ts";
import type { ContractText } from "../../contract/file.ts";
import { GuardError } from "../../errors.ts";
import { readTextFile, readText } from "../../text-file.ts";

const FILE = "fieldgate.yaml";
/** A contract, with its schema, may have one megabyte (see the service's limit). */
const MAX_BYTES = 16 * 1_048_576;

/** Reads only the contracts; see readContractFile. */
export async function readContracts(cwd: string, file: string | undefined): Promise<readonly Contract[]> {
  const { contracts } = await readContractFile(cwd, file);
  return contracts.map(({ contract }) => contract);
}

/**
 * Reads `file`, or the nearest fieldgate.yaml from `cwd` upward. Throws `not-found` if there is none, and
 * `contract-invalid` listing every mistake. The parser is imported here so that other commands do not load it.
 */
export async function readContractFile(
  cwd: string,
  file: string | undefined,
): Promise<ContractText & { readonly path: string }> {
  const { readContractText } = await import("../../contract/file.ts");
  const path = file === undefined ? findUpward(cwd) : resolve(cwd, file);
  const inFolder = (named: string) => readNamed(resolve(dirname(path), named), repositoryOf(path));
  const name = relative(cwd, path) || ".";
  return { ...readContractText(readText(cwd, name), inFolder, name), path };
}

/** A file's path with slashes, relative to the folder that contains `.git`, or to `cwd` outside a repository. */
export function pathInRepository(cwd: string, path: string): string {
  return relative(repositoryOf(path) ?? cwd, path).replaceAll("\\", "/");
}

/** The folder that contains `.git`, at or above the file's; undefined outside a repository. */
function repositoryOf(path: string): string | undefined {
  let root = dirname(path);
  while (!existsSync(join(root, ".git")) && root !== dirname(root)) root = dirname(root);
  return existsSync(join(root, ".git")) ? root : undefined;
}

function findUpward(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    const path = join(folder, FILE);
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) break;
  }
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
