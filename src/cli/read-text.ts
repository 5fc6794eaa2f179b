import { resolve } from "node:path";

import { describeError, GuardError } from "../errors.ts";
import { readTextFile } from "../text-file.ts";

/** Reads a file the user named, from `cwd`. Throws `usage` when it cannot be read. */
export function readText(cwd: string, file: string): string {
  try {
    return readTextFile(resolve(cwd, file));
  } catch (cause) {
    throw new GuardError("usage", `${file} cannot be read: ${describeError(cause)}`, { cause });
  }
}
