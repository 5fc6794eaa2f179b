import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** The part of .oxlintrc.json that these tests read. */
interface Lint {
  readonly overrides: readonly { readonly files: readonly string[] }[];
}

const ROOT = join(import.meta.dirname, "../..");
const PAGE = readFileSync(join(ROOT, "docs/architecture.md"), "utf8");
const DECISIONS = readdirSync(join(ROOT, "docs/decisions")).toSorted((a, b) => a.localeCompare(b));

test("every file that the architecture or a decision names exists", () => {
  const pages = [PAGE, ...DECISIONS.map((file) => readFileSync(join(ROOT, "docs/decisions", file), "utf8"))];
  const named = pages.flatMap((page) => page.match(/(?<=`)(?:src|test|local|docs)\/[\w./-]+(?=`)/g) ?? []);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

test("the architecture describes each folder of src, and no other", () => {
  const [, section = ""] = PAGE.split("\n## Folders\n");
  const [layout = ""] = section.split("\n## ");
  const rows = [...layout.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell = ""]) =>
    cell.replaceAll("`", "").split(", "),
  );
  const folders = readdirSync(join(ROOT, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(rows.toSorted()).toEqual(folders.map(({ name }) => name).toSorted());
});

test("the architecture names the same pure folders and I/O folders as the linter", () => {
  const { overrides } = JSON.parse(readFileSync(join(ROOT, ".oxlintrc.json"), "utf8")) as Lint;
  const linted = (message: string) =>
    overrides
      .filter((override) => JSON.stringify(override).includes(`"message":"${message}"`))
      .flatMap(({ files }) => files.flatMap((file) => /^src\/([a-z]+)\/\*\*$/.exec(file)?.[1] ?? []));
  const named = (title: string) => {
    const [item = ""] = PAGE.split(`- **${title}** `)[1]?.split("\n- ") ?? [];
    return [...item.matchAll(/`([a-z]+)`/g)].map(([, folder]) => folder);
  };
  expect(named("Pure folders").length).toBeGreaterThan(10);
  expect(named("Pure folders")).toEqual(linted("a pure folder imports pure folders only"));
  expect(named("I/O folders")).toEqual(linted("an I/O folder talks to one outside thing"));
});

test("every address for a change exists, unless the page says that it is to come", () => {
  const [, section = ""] = PAGE.split("\n## Where does it go?\n");
  const [table = ""] = section.split("\n## ");
  const addresses = [...table.matchAll(/^\| (.+?) \| (.+) \|$/gm)].slice(1).flatMap(([, , address = ""]) =>
    [...address.matchAll(/`([a-z][\w./-]*)`( \(to come\))?/g)].map(([, path = "", later]) => ({
      path,
      exists: existsSync(join(ROOT, "src", path)) || existsSync(join(ROOT, path)),
      later: later !== undefined,
    })),
  );
  expect(addresses.length).toBeGreaterThan(20);
  expect(addresses.filter(({ exists, later }) => exists === later)).toEqual([]);
});

test("each of the five invariants names its tests", () => {
  const [, section = ""] = PAGE.split("## Invariants and their tests");
  const invariants = section.split(/^\d\. /m).slice(1);
  expect(invariants).toHaveLength(5);
  for (const invariant of invariants) expect(invariant).toMatch(/`test\/[\w./-]+\.ts`/);
});

test("every decision has a number of its own, and sections for context, decision and consequences", () => {
  expect(DECISIONS.map((file) => Number(file.slice(0, 4)))).toEqual(DECISIONS.map((_, index) => index + 1));
  for (const file of DECISIONS) {
    const text = readFileSync(join(ROOT, "docs/decisions", file), "utf8");
    const title = expect.stringMatching(new RegExp(`^# ${file.slice(0, 4)} `));
    expect(text.match(/^##? .*$/gm)).toEqual([title, "## Context", "## Decision", "## Consequences"]);
  }
});
