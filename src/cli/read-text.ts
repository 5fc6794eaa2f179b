import { resolve } from "node:path";

import { describeError, GuardError } from "../errors.ts";
import { readTextFile } from "../text-file.ts";

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
