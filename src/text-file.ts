import { readFileSync } from "node:fs";

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
