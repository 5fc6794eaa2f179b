import type { Command } from "commander";

import { GuardError } from "../../errors.ts";
import { type Format, formatOption, type Terminal, withExamples } from "../command.ts";

interface Options {
  readonly name: string;
  readonly scope: readonly string[];
  readonly format: Format;
}

/** `token new`: asks no service and writes no file. */
export function addToken(program: Command, terminal: Terminal): void {
  const token = program.command("token").description("tokens for the service's API");
  const create = token
    .command("new")
    .description("make a token, and the entry for the service's FIELDGATE_TOKENS_FILE, which holds only its hash")
    .requiredOption("--name <name>", "who will have it; what it does is done under this name")
    .requiredOption(
      "--scope <scope>",
      "read, contracts:<consumer>, operate:<connector>; * for all; may be given several times",
      (scope: string, scopes: readonly string[] | undefined) => [...(scopes ?? []), scope],
    )
    .addOption(formatOption())
    .action(async ({ name, scope, format }: Options) => {
      const { newToken, tokenName, tokenScope } = await import("../../http/token-file.ts");
      const named = tokenName.safeParse(name);
      if (!named.success) throw new GuardError("usage", `--name ${named.error.issues[0]?.message}`);
      const scoped = scope.map((each) => tokenScope.safeParse(each)).find((one) => !one.success);
      if (scoped?.success === false) throw new GuardError("usage", `--scope ${scoped.error.issues[0]?.message}`);
      const made = newToken(name, [...new Set(scope)]);
      terminal.out(format === "json" ? JSON.stringify(made) : tokenText(made));
    });
  withExamples(
    create,
    "fieldgate token new --name ci-billing --scope read --scope contracts:billing",
    "fieldgate token new --name on-call --scope read --scope 'operate:*'",
  );
}

function tokenText({ token, entry }: Made): string {
  return `The token, shown only now. Its holder sets FIELDGATE_TOKEN to it:
${token}

For the service's FIELDGATE_TOKENS_FILE:
- name: ${entry.name}
  hash: ${entry.hash}
  scopes: [${entry.scopes.map((scope) => JSON.stringify(scope)).join(", ")}]`;
}

interface Made {
  readonly token: string;
  readonly entry: { readonly name: string; readonly hash: string; readonly scopes: readonly string[] };
}
