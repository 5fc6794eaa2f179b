import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = readFileSync(join(ROOT, "docs/words.md"), "utf8");
const WORDS = [...PAGE.matchAll(/^\| ([A-Za-z -]+) \| (.+) \| `(src\/[\w./-]+)` \|$/gm)].map(
  ([, word = "", meaning = "", place = ""]) => ({ word, meaning, place }),
);

/** Words that another word has replaced; they may not come back into the code. */
const REPLACED: readonly (readonly [word: RegExp, instead: string])[] = [
  [/event ?writer/i, "row encoder"],
  [/ways on/, "how to continue"],
  [/\bdesk\b/i, "control topics"],
  [/\bdealt with\b/, "handled, or processed"],
  [/beside\(/i, "inBackground"],
  [/\bKnown\b/, "running"],
  [/\bmend(s|ed|ing)?\b/, "fix, or repair"],
  [/told\b|Told\b/, "alerted, or reported"],
  [/\btells?\b/, "report, or show"],
  [/\bnobody\b/i, "no one, or what is meant"],
  [/\banew\b/i, "again"],
  [/\bwhoever\b/i, "what is meant"],
  [/\bLook\b|\blooked (?!up)/, "group poll"],
  [/\bwaysOn\b/, "nextCommands"],
  [/\bmates\b/, "members"],
  [/\bshaped\b|\bletIn\b/, "a verb"],
];

function sources(path: string): readonly string[] {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(path, file));
}

/** Only letters, in lower case: `row encoder` is found in `rowEncoder`. */
const letters = (text: string) => text.toLowerCase().replaceAll(/[^a-z]/g, "");

test("the glossary has at most 60 words, each once and with one sentence", () => {
  expect(WORDS).toHaveLength(PAGE.split("\n").filter((line) => line.startsWith("| ")).length - 1);
  expect(WORDS.length).toBeGreaterThan(40);
  expect(WORDS.length).toBeLessThanOrEqual(60);
  expect(new Set(WORDS.map(({ word }) => word)).size).toBe(WORDS.length);
  for (const { meaning } of WORDS) expect(meaning).not.toMatch(/\. /);
});

test.each(WORDS)("$word lives in $place", ({ word, place }) => {
  const path = join(ROOT, place);
  expect(existsSync(path)).toBe(true);
  expect(letters([place, ...sources(path).map((file) => readFileSync(file, "utf8"))].join(""))).toContain(
    letters(word),
  );
});

/** Reads what 0.1.0 wrote, in the words of 0.1.0. */
const FROZEN = join(ROOT, "src/store/recorded.ts");

test("words that were replaced do not occur in the code", () => {
  const files = sources(join(ROOT, "src")).filter((file) => file !== FROZEN);
  const found = files.flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .flatMap((line, index) =>
        REPLACED.filter(([word]) => word.test(line)).map(
          ([word, instead]) => `${file.slice(ROOT.length + 1)}:${index + 1}: ${word.source}, say ${instead}`,
        ),
      ),
  );
  expect(found).toEqual([]);
});
