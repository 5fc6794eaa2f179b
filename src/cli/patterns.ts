// By its default, because a Node.js that is too old has no `globSync`, and must still be able to load this file.
import fs from "node:fs";
import { basename, resolve } from "node:path";

import { GuardError } from "../errors.ts";

/**
 * The files that the user named, each once: paths as they are, and patterns such as `contracts/*.yaml` replaced
 * by the files that match, in the order of their names. Throws `usage` naming a pattern that no file matches.
 */
export function expandPatterns(cwd: string, named: readonly string[]): readonly string[] {
  const files = new Map(named.flatMap((name) => filesOf(cwd, name)).map((file) => [resolve(cwd, file), file]));
  return [...files.values()];
}

function filesOf(cwd: string, name: string): readonly string[] {
  if (!/[*?[{]/.test(name) || fs.existsSync(resolve(cwd, name))) return [name];
  const found = fs
    .globSync(name, { cwd, exclude: (path) => basename(path) === "node_modules" })
    .filter((file) => fs.statSync(resolve(cwd, file), { throwIfNoEntry: false })?.isFile() === true);
  if (found.length > 0) return found.toSorted();
  throw new GuardError("usage", `no file matches ${name}`, {
    next: "correct the pattern; it is relative to the current folder, and node_modules is left out",
  });
}
