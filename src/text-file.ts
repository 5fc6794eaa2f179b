import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describeError, GuardError } from "./errors.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a folder",
  EACCES: "it may not be read",
  ERR_ENCODING_INVALID_ENCODED_DATA: "it is not UTF-8 text",
};

/**
 * A file that people write: UTF-8, a byte order mark left out. Throws an Error whose message is the reason alone, for
 * a sentence that names the file. Windows PowerShell's `>` writes UTF-16.
 */
export function readTextFile(path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    throw new Error(REASONS[code] ?? code, { cause });
  }
}

/** Reads a file the user named, from `cwd`. Throws `usage` when it cannot be read; `next` is what to do then. */
export function readText(cwd: string, file: string, next?: string): string {
  try {
    return readTextFile(resolve(cwd, file));
  } catch (cause) {
    throw new GuardError(
      "usage",
      `${file} cannot be read: ${describeError(cause)}`,
      next === undefined ? { cause } : { next, cause },
    );
  }
}
