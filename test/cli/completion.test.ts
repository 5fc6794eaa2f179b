import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Argument, Command, Option } from "commander";
import { describe, expect, it } from "vitest";

import { completionsOf } from "../../src/cli/completion.ts";
import { COMPILED, runCli } from "./run-cli.ts";

const CLI = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));

const program = new Command("tool");
program
  .command("list")
  .option("--file <path>", "a file")
  .option("--force", "without asking")
  .addOption(new Option("--format <format>", "the format").choices(["text", "json"]).default("text"))
  .command("show")
  .option("-s, --schema", "only the schema");
program.command("print").addArgument(new Argument("<shell>").choices(["bash", "zsh"]));
program.command("secret", { hidden: true });

describe("what is offered", () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ["commands, without hidden ones", [""], ["list", "print", "help"]],
    ["commands that begin with the word", ["li"], ["list"]],
    ["subcommands", ["list", "s"], ["show"]],
    ["options of a command", ["list", "--fo"], ["--force", "--format"]],
    ["options of a subcommand", ["list", "show", "--s"], ["--schema"]],
    ["the values of an option", ["list", "--format", ""], ["text", "json"]],
    ["the values of an option after =", ["list", "--format=j"], ["--format=json"]],
    ["the values of an option after =, as bash separates it", ["list", "--format", "=", "j"], ["json"]],
    ["all values of an option after =, as bash separates it", ["list", "--format", "="], ["text", "json"]],
    ["the values of an argument", ["print", "b"], ["bash"]],
    ["subcommands, also after options", ["list", "--force", "--file", "show", "sh"], ["show"]],
    ["nothing where a file or free text is expected", ["list", "--file", ""], []],
    ["nothing after an unknown command", ["lists", "--f"], []],
  ])("%s", (_, words, expected) => {
    expect(new Set(completionsOf(program, words).map(({ word }) => word))).toEqual(new Set(expected));
  });
});

it("bash, with the script that the command prints, completes this program's own commands, options and values", async () => {
  const { out: script } = await runCli(["completion", "bash"]);
  const rows: readonly (readonly string[])[] = [
    ["re"],
    ["amendments", "--"],
    ["plan", "--format", "=", "j"],
    ["check", "--file", ""],
  ];
  const lines = [
    `fieldgate() { "${process.execPath}" "${CLI}" "$@"; }`,
    script,
    "complete -p fieldgate",
    ...rows.flatMap((words) => [
      `COMP_WORDS=(fieldgate ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}`,
      '_fieldgate; echo "${COMPREPLY[*]}"',
    ]),
  ];
  const { stdout, stderr } = spawnSync("bash", ["--norc", "--noprofile", "-c", lines.join("\n")], {
    encoding: "utf8",
    env: { ...process.env, NODE_NO_WARNINGS: "1", NODE_COMPILE_CACHE: COMPILED },
  });
  expect(stderr).toBe("");
  expect(stdout.split("\n")).toEqual([
    "complete -o bashdefault -o default -F _fieldgate fieldgate",
    "release retire",
    "--table --withheld --parked --format --help",
    "json",
    "",
    "",
  ]);
});

it("zsh and fish get a script that asks for the same words, and other shells an error", async () => {
  for (const shell of ["zsh", "fish"]) {
    expect((await runCli(["completion", shell])).out).toContain("fieldgate __complete -- ");
  }
  expect(await runCli(["completion", "powershell"])).toMatchObject({ code: 1, out: "" });
});
