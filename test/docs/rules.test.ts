import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CATALOGUE, MEANING_RULES } from "../../src/rules/meaning/meaning.ts";
import type { Runtime } from "../../src/rules/runtime/rule.ts";
import { RUNTIME_RULES } from "../../src/rules/runtime/runtime.ts";

const FOLDER = new URL("../../docs/rules/meaning/", import.meta.url);
const SOURCES = new URL("../../src/rules/meaning/", import.meta.url);
const ids = CATALOGUE.map(({ id }) => id);

test("every rule has a page, and every page has a rule", () => {
  const pages = readdirSync(FOLDER).map((file) => `meaning/${file.replace(/\.md$/, "")}`);
  expect(pages.toSorted()).toEqual(ids.toSorted());
});

test.each(ids)("the page of %s has sections for the problem, the bytes and what to do", (id) => {
  const page = readFileSync(new URL(`${id.replace("meaning/", "")}.md`, FOLDER), "utf8");
  expect(page.match(/^##? .*$/gm)).toEqual([`# ${id}`, "## Problem", "## Bytes before and after", "## What to do"]);
});

test("the catalogue lists every file that contains a rule", () => {
  const files = readdirSync(SOURCES).filter((file) =>
    /: MeaningRule =/.test(readFileSync(new URL(file, SOURCES), "utf8")),
  );
  expect(files.map((file) => `meaning/${file.replace(/\.ts$/, "")}`).toSorted()).toEqual(
    MEANING_RULES.map(({ id }) => id).toSorted(),
  );
});

const RUNTIME = new URL("../../docs/rules/runtime/", import.meta.url);
const RUNTIME_SOURCES = new URL("../../src/rules/runtime/", import.meta.url);
const runtimeIds = RUNTIME_RULES.map(({ id }) => id);

test("every rule about a runtime has a page and is in the list, and every page has a rule", () => {
  const pages = readdirSync(RUNTIME).map((file) => `runtime/${file.replace(/\.md$/, "")}`);
  const files = readdirSync(RUNTIME_SOURCES).filter((file) =>
    /: RuntimeRule =/.test(readFileSync(new URL(file, RUNTIME_SOURCES), "utf8")),
  );
  expect(pages.toSorted()).toEqual(runtimeIds.toSorted());
  expect(files.map((file) => `runtime/${file.replace(/\.ts$/, "")}`).toSorted()).toEqual(runtimeIds.toSorted());
});

const VERSIONS: Readonly<Record<Runtime, string>> = {
  avsc: "avsc 5.7.9",
  fastavro: "fastavro 1.13.1",
  "python-avro": "Python's avro 1.12.2",
  "ruby-avro": "Ruby's avro (apache/avro 87212a6",
  "avro-rs": "apache-avro 0.22.0",
  java: "Avro for Java 1.12.2",
};

test.each(RUNTIME_RULES)(
  "the page of $id has sections for the problem, what is read, what to do and the versions",
  (rule) => {
    const page = readFileSync(new URL(`${rule.id.replace("runtime/", "")}.md`, RUNTIME), "utf8");
    const headings = [`# ${rule.id}`, "## Problem", "## What is read", "## What to do", "## Seen with"];
    expect(page.match(/^##? .*$/gm)).toEqual(headings);
    const seen = page.slice(page.indexOf("## Seen with"));
    for (const [runtime, version] of Object.entries(VERSIONS)) {
      expect([runtime, seen.includes(version)]).toEqual([runtime, rule.runtimes.some((one) => one === runtime)]);
    }
  },
);
