import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CATALOGUE, MEANING_RULES } from "../../src/avro/meaning.ts";

const FOLDER = new URL("../../docs/rules/meaning/", import.meta.url);
const SOURCES = new URL("../../src/avro/meaning/", import.meta.url);
const ids = CATALOGUE.map(({ id }) => id);

test("every rule has a page, and every page a rule", () => {
  const pages = readdirSync(FOLDER).map((file) => `meaning/${file.replace(/\.md$/, "")}`);
  expect(pages.toSorted()).toEqual(ids.toSorted());
});

test.each(ids)("the page of %s has the problem, the bytes and what to do", (id) => {
  const page = readFileSync(new URL(`${id.replace("meaning/", "")}.md`, FOLDER), "utf8");
  expect(page.match(/^##? .*$/gm)).toEqual([`# ${id}`, "## Problem", "## Bytes before and after", "## What to do"]);
});

test("every file with a rule is in the list", () => {
  const files = readdirSync(SOURCES).filter((file) =>
    /: MeaningRule =/.test(readFileSync(new URL(file, SOURCES), "utf8")),
  );
  expect(files.map((file) => `meaning/${file.replace(/\.ts$/, "")}`).toSorted()).toEqual(
    MEANING_RULES.map(({ id }) => id).toSorted(),
  );
});
