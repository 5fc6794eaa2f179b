import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

import type { Contract } from "../contract/contract.ts";
import { GuardError } from "../errors.ts";

const FILE = "fieldgate.yaml";

/**
 * The contracts of `file`, or of the nearest fieldgate.yaml from `cwd` upward. Throws `not-found` without one and
 * `contract-invalid` with every mistake. The parser is loaded here, so that other commands do without it.
 */
export async function readContracts(cwd: string, file: string | undefined): Promise<readonly Contract[]> {
  const { parseContractFile } = await import("../contract/file.ts");
  const path = file === undefined ? findUpward(cwd) : resolve(cwd, file);
  const text = readText(path);
  const inFolder = (name: string) => readNamed(resolve(dirname(path), name));
  return parseContractFile(text, inFolder, relative(cwd, path));
}

function findUpward(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    const path = join(folder, FILE);
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) break;
  }
  throw new GuardError("not-found", `there is no ${FILE} in ${start} or any folder above it`, {
    next: `write one that starts with "version: 1", or name it with --file`,
  });
}

/** A file that the contract file names; the message stands behind that file's line and the name. */
function readNamed(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    throw new Error(REASONS[code] ?? code, { cause });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file (the path is from the contract file's folder)",
  EISDIR: "it is a folder",
  EACCES: "it may not be read",
};

/** Reads a file the user named. Throws `usage` when it cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    throw new GuardError("usage", `${path} cannot be read: ${reason}`, { cause });
  }
}
