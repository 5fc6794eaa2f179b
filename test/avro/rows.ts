import { readFileSync } from "node:fs";

/** The rows of a file in test/cases, which has one JSON value per line. */
export function rows<T>(name: string): T[] {
  const text = readFileSync(new URL(`../cases/${name}`, import.meta.url), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as T); // the files' shape is stated by the caller
}
