import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describeError, GuardError } from "./errors.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "the file does not exist",
  EISDIR: "it is a directory",
  EACCES: "permission denied",
  ERR_ENCODING_INVALID_ENCODED_DATA: "it is not UTF-8 text",
};

/**
 * Reads a file that people write, without its byte order mark. It must be UTF-8, whereas Windows PowerShell's `>`
 * writes UTF-16. Throws an Error whose message is only the reason, for a sentence that names the file.
 */
export function readTextFile(path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    throw new Error(REASONS[code] ?? code, { cause });
  }
}

/** Reads a file named by the user, relative to `cwd`. Throws `usage` with the given `next` if it cannot be read. */
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
