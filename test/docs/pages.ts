import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The repository's files, for the tests that compare the documentation with the code. */

const ROOT = join(import.meta.dirname, "../..");

export function readRepositoryFile(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

/** The files of these folders with this ending, as paths in the repository. */
export function filesIn(folders: readonly string[], ending: string): readonly string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(ending))
      .map((file) => `${folder}/${file}`),
  );
}

/** The pages that describe the present. Decisions say what was decided at their time. */
export const PAGES: readonly string[] = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...filesIn(["docs"], ".md").filter((file) => !file.startsWith("docs/decisions/")),
];

const BLOCK = /^```.*\n([^]*?)^```$/gm;

/** The lines of a page's blocks of code, and its code in backquotes, which may go over the end of a line. */
export function codeIn(page: string): readonly string[] {
  const lines = [...page.matchAll(BLOCK)].flatMap(([, block = ""]) => block.split("\n"));
  const paragraphs = page.replaceAll(BLOCK, "").split(/\n\n|\n(?=[-|#])/);
  const spans = paragraphs.flatMap((paragraph) => [...paragraph.matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span));
  return [...lines, ...spans.map((span) => span.replaceAll(/\s*\n\s*/g, " "))];
}
