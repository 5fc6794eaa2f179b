import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";

import { connectorKeys } from "../../src/config/connector/connector-keys.ts";
import { serviceVariables } from "../../src/config/environment/service-config.ts";
import { inFiles } from "../../src/config/environment/variables.ts";
import { errorCodes } from "../../src/errors.ts";
import { routesOf } from "../../src/http/routes.ts";
import { CATALOGUE } from "../../src/rules/meaning/meaning.ts";
import { RUNTIME_RULES } from "../../src/rules/runtime/runtime.ts";
import { commandsByName } from "../cli/in-process.ts";
import { fakeApi } from "../http/fake-api.ts";
import { codeIn, filesIn, PAGES, readRepositoryFile } from "./pages.ts";

/*
 * What the documentation names exists: commands with their options, variables, keys, routes, rules and error codes. What
 * a page of the npm package links to is in the package, and so is each page that a message names.
 */

const COMMANDS = commandsByName();
/** Commands that only have others below them. */
const GROUPS = /^(?:contract|token|trigger)$/;

/** The words of each `fieldgate …` in a page, up to a comment, a pipe or a redirection. */
function commandLines(page: string): readonly (readonly string[])[] {
  const start = /^(?:.*[$|] |- run: )?\s*(?:[A-Z_]+=\S* )*(?:npx )?fieldgate (.+)$/;
  return codeIn(page).flatMap((code) => {
    const [line = ""] = start.exec(code)?.[1]?.split(/ #| \||[>;]/) ?? [];
    return line === "" ? [] : [line.split(" ").filter((word) => word !== "")];
  });
}

/** What the command line does not have. */
function unknownIn(words: readonly string[]): readonly string[] {
  const [first = "", second = ""] = words;
  if (/^<|^COMMAND$|^--(?:help|version)/.test(first) || GROUPS.test(words.join(" "))) return [];
  const command = COMMANDS.get(`${first} ${second}`) ?? COMMANDS.get(first);
  if (command === undefined) return [words.join(" ")];
  return words.flatMap((word, at) => {
    if (!/^--[a-z]/.test(word) || word === "--help") return [];
    const option = command.options.find(({ long }) => long === word);
    const value = words[at + 1] ?? "";
    const isWrong = /^[a-z-]+$/.test(value) && option?.argChoices?.includes(value) === false;
    return option === undefined || isWrong ? [`${words.join(" ")}: ${word}`] : [];
  });
}

/** Everything that the service, the command line, the local stack or a test run reads. */
const VARIABLES: ReadonlySet<string> = new Set([
  ...["package.json", ...filesIn(["src", "local", "test"], ".ts")].flatMap(
    (file) => readRepositoryFile(file).match(/\bFIELDGATE_[A-Z0-9_]*[A-Z0-9]\b/g) ?? [],
  ),
  ...Object.keys(serviceVariables.shape),
  ...inFiles(serviceVariables).map((name) => `${name}_FILE`),
  // Prefixes, as in `FIELDGATE_REGISTRY_…`.
  "FIELDGATE_REGISTRY",
]);

/** Begin with `fieldgate.` and are no keys: a file, and objects in the database. */
const NO_KEYS: ReadonlySet<string> = new Set(["fieldgate.yaml", "fieldgate.secret", "fieldgate.ddl"]);
const KEYS = [...Object.keys(connectorKeys.shape), "fieldgate.severity"];

const ROUTES = routesOf(fakeApi()).map(({ method, url }) => ({
  method,
  url: new RegExp(`^${url.replaceAll(/:\w+/g, "[^/]+").replace("*", ".+")}$`),
}));

const RULES: ReadonlySet<string> = new Set([...CATALOGUE, ...RUNTIME_RULES].map(({ id }) => id));

describe.each(PAGES)("%s", (file) => {
  const page = readRepositoryFile(file);
  const all = (pattern: RegExp) => [...new Set([...page.matchAll(pattern)].map((found) => found.slice(1).join(" ")))];

  test("names only commands, options and choices that the command line has", () => {
    expect(commandLines(page).flatMap(unknownIn)).toEqual([]);
  });

  test("names only variables that something reads", () => {
    expect(all(/\b(FIELDGATE_[A-Z0-9_]*[A-Z0-9])\b/g).filter((name) => !VARIABLES.has(name))).toEqual([]);
  });

  test("names only keys of a connector's file that Fieldgate has", () => {
    const named = all(/`"?(fieldgate\.[a-z][a-z.]*[a-z])(?=[`"=.<…])/g);
    const isKey = (name: string) => KEYS.some((key) => key === name || key.startsWith(`${name}.`));
    expect(named.filter((name) => !isKey(name) && !NO_KEYS.has(name))).toEqual([]);
  });

  test("names only routes that the service has", () => {
    const isServed = (named: string) => {
      const [method, path = ""] = named.split(" ");
      return ROUTES.some((route) => route.method === method && route.url.test(path));
    };
    expect(all(/`(GET|POST) (\/(?:v1|health)[\w/<>-]*)/g).filter((named) => !isServed(named))).toEqual([]);
  });

  test("names only rules that exist", () => {
    const named = all(/(?<![\w/.-])((?:meaning|runtime)\/[a-z][a-z-]*)(?![\w./-])/g);
    expect(named.filter((id) => !RULES.has(id))).toEqual([]);
  });

  test("names only error codes that exist", () => {
    const named = all(/(?<!\])\[([a-z]+-[a-z-]+)\](?!\()/g);
    expect(named.filter((code) => !Object.hasOwn(errorCodes, code))).toEqual([]);
  });
});

const { files: PACKED = [] } = JSON.parse(readRepositoryFile("package.json")) as { files?: readonly string[] }; // npm defines it

const isPacked = (file: string) => PACKED.some((one) => file === one || file.startsWith(`${one}/`));

test.each([...PAGES, ...filesIn(["docs/decisions"], ".md")])(
  "what %s links to is in the npm package, as the page is",
  (file) => {
    const links = [...readRepositoryFile(file).matchAll(/\]\((?!https?:|#)([^)#]+)/g)];
    const targets = links.map(([, path = ""]) => normalize(join(dirname(file), path)).replace(/\/$/, ""));
    expect([file, ...targets].filter((target) => !isPacked(target))).toEqual([]);
  },
);

/** The sources without lines of comments. */
const SOURCES = filesIn(["src"], ".ts").map((file) =>
  readRepositoryFile(file).replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, ""),
);

test("messages and help name only options and choices that the command line has", () => {
  const named = SOURCES.flatMap((text) =>
    [...text.matchAll(/\bfieldgate ([a-z][^`"|\n;,)]*)/g)].map(([, line = ""]) => line.split(/[ :]+/)),
  );
  const known = named.filter(([first = ""]) => COMMANDS.has(first) || GROUPS.test(first));
  expect(known.length).toBeGreaterThan(50);
  expect(known.flatMap(unknownIn)).toEqual([]);
});

test("each page that a message names exists, and is named as one of the package", () => {
  const named = SOURCES.flatMap((text) => [...text.matchAll(/\bpage\("([^"]+)"\)/g)].map(([, name = ""]) => name));
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !existsSync(join(import.meta.dirname, "../../docs", name)))).toEqual([]);
  const bare = SOURCES.flatMap((text) => text.match(/docs\/[\w/-]+\.md(?! in the fieldgate package)/g) ?? []);
  expect(bare).toEqual([]);
});
