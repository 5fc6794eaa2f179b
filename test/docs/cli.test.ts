import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = readFileSync(join(ROOT, "docs/cli.md"), "utf8");

test("docs/cli.md lists every option that may be given several times, with its commands", () => {
  const inCode = readdirSync(join(ROOT, "src/cli"), { recursive: true, encoding: "utf8" }).flatMap((file) => {
    if (!file.endsWith(".ts") || file === "command.ts") return [];
    const text = readFileSync(join(ROOT, "src/cli", file), "utf8");
    const first = /\.command\("([a-z-]+)"/.exec(text)?.[1] ?? "";
    const command = first === "contract" ? "contract init" : first;
    const files = text.includes("addOption(contractFilesOption())") ? ["--file"] : [];
    const names = [...text.matchAll(/listOption\(\s*"(--[a-z-]+)/g)].map(([, name = ""]) => name);
    return [...files, ...names].map((name) => `${command} ${name}`);
  });
  const inPage = [...PAGE.matchAll(/^\| `(--[a-z-]+)` \| (.+) \|$/gm)].flatMap(([, name = "", commands = ""]) =>
    [...commands.matchAll(/`([a-z -]+)`/g)].map(([, command = ""]) => `${command} ${name}`),
  );
  expect(inCode.length).toBeGreaterThan(5);
  expect(new Set(inPage)).toEqual(new Set(inCode));
});
