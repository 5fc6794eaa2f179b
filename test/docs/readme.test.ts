import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { readConnectorFile } from "../../src/config/connectors.ts";
import { parseContractFile } from "../../src/contract/file.ts";
import { OID } from "../../src/event/types/table.ts";

const ROOT = join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const README = read("README.md");
/** The connector files that a newcomer starts from. */
const EXAMPLES = ["connectors/inventory.json", "local/compose/connectors/inventory.json"];
const PAGES = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`),
];

/** A page's blocks of code in one language. */
function blocks(page: string, language: string): readonly string[] {
  return [...read(page).matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(
    (block) => block[1] ?? "",
  );
}

describe("the README", () => {
  it("shows a valid connector file", () => {
    const [text = ""] = blocks("README.md", "json");
    const config = readConnectorFile(text, "connectors/inventory.json", () => "secret");
    expect(config).toMatchObject({
      name: "inventory",
      "topic.prefix": "inventory",
      "fieldgate.release.policy": "contracts",
      warnings: [],
    });
  });

  it("publishes contracts in the environment of its connector file, which every example has", () => {
    const files = [...blocks("README.md", "json"), ...EXAMPLES.map(read)];
    const environments = files.map(
      (text) => readConnectorFile(text, "connectors/inventory.json", () => "secret")["fieldgate.environment"],
    );
    const published = [...README.matchAll(/npx fieldgate publish --env (\S+)/g)].map(([, name]) => name);
    expect(new Set([...environments, ...published])).toEqual(new Set(["production"]));
  });

  it("installs the package of this version", () => {
    const { version } = JSON.parse(read("package.json")) as { version: string }; // package.json, whose form npm defines
    const packages = [...README.matchAll(/fieldgate-([\w.-]+)\.tgz|Version ([\d.]+\d) is not/g)];
    expect(packages.map(([, tarball, stated]) => tarball ?? stated)).toEqual([version, version]);
  });

  it("has a valid connector file for watch mode in docs/watch.md", () => {
    const [text = ""] = blocks("docs/watch.md", "json");
    const config = readConnectorFile(text, "connectors/inventory.json", () => "secret");
    expect(config).toMatchObject({ mode: "watch", "slot.name": "fieldgate_inventory", "topic.prefix": "inventory" });
    expect(config.warnings).toEqual([expect.stringMatching(/^keys that have no effect here: /)]);
  });

  it("names only commands that npm and the command line have", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> }; // package.json, whose form npm defines
    const commands = [...README.matchAll(/npx fieldgate ([a-z-]+)/g)].map((found) => found[1] ?? "");
    const cli = readdirSync(join(ROOT, "src/cli"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => read(`src/cli/${file}`));
    expect(commands.filter((name) => !cli.some((text) => new RegExp(`["(]${name}"`).test(text)))).toEqual([]);
    const runs = PAGES.flatMap((page) =>
      [...read(page).matchAll(/npm run ([a-z:-]+)/g)].map((found) => found[1] ?? ""),
    );
    expect(runs.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  it("names as many types as are mapped", () => {
    const [, list = ""] = /\*\*Types mapped\*\*: ([^.]+)\./.exec(README) ?? [];
    expect(list.split(",")).toHaveLength(Object.keys(OID).length);
  });
});

describe.each(["README.md", "docs/consumers.md"])("every fieldgate.yaml in %s", (page) => {
  it("is a valid contract file", () => {
    const texts = blocks(page, "yaml");
    expect(texts.length).toBeGreaterThan(0);
    for (const text of texts) expect(parseContractFile(text, () => read("schemas/demo/greeter.avsc"))).toHaveLength(1);
  });
});

describe.each(PAGES)("%s", (page) => {
  it("links only to files and headings that exist", () => {
    const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    const broken = links.filter(([, path = "", heading]) => {
      const target = path === "" ? page : join(dirname(page), path);
      if (!existsSync(join(ROOT, target))) return true;
      return heading !== undefined && !headings(target).includes(heading);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });
});

/** The anchors that GitHub derives from a page's headings. */
function headings(page: string): readonly string[] {
  const lines = [...read(page).matchAll(/^#+ (.+)$/gm)].map((line) => line[1] ?? "");
  return lines.map((line) =>
    line
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}
