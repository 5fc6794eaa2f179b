import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

import type { Contract } from "../../contract/contract.ts";
import type { ContractText } from "../../contract/file.ts";
import { describeError, GuardError } from "../../errors.ts";
import { readTextFile, readText } from "../../text-file.ts";

const FILE = "fieldgate.yaml";

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
  const inFolder = (named: string) => readNamed(resolve(dirname(path), named));
  const name = relative(cwd, path) || ".";
  return { ...readContractText(readText(cwd, name), inFolder, name), path };
}

/** A file's path with slashes, relative to the folder that contains `.git`, or to `cwd` outside a repository. */
export function pathInRepository(cwd: string, path: string): string {
  let root = dirname(path);
  while (!existsSync(join(root, ".git")) && root !== dirname(root)) root = dirname(root);
  return relative(existsSync(join(root, ".git")) ? root : cwd, path).replaceAll("\\", "/");
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

/** Reads a file that the contract file names. The caller puts the line and the file's name in front of the error. */
function readNamed(path: string): string {
  try {
    return readTextFile(path);
  } catch (cause) {
    if (existsSync(path)) throw cause;
    throw new Error(`${describeError(cause)} (paths are relative to the contract file's folder)`, { cause });
  }
}
