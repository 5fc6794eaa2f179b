import type { Command } from "commander";

import { GuardError } from "../../errors.ts";
import { type Format, formatOption, type Terminal, withExamples } from "../command.ts";

interface Options {
  readonly name: string;
  readonly scope: readonly string[];
  readonly format: Format;
}

/** `token new` prints a new token. It does not contact the service and writes no file. */
export function addToken(program: Command, terminal: Terminal): void {
  const token = program.command("token").description("manage tokens for the service's API");
  const create = token
    .command("new")
    .description("create a token and its entry for the service's FIELDGATE_TOKENS_FILE, which holds only a hash")
    .requiredOption("--name <name>", "the holder's name; recorded with everything the token is used for")
    .requiredOption(
      "--scope <scope>",
      "read, contracts:<consumer> or operate:<connector>; * means all; repeatable",
      (scope: string, scopes: readonly string[] | undefined) => [...(scopes ?? []), scope],
    )
    .addOption(formatOption())
    .action(async ({ name, scope, format }: Options) => {
      const { newToken, tokenName, tokenScope } = await import("../../http/token-file.ts");
      const named = tokenName.safeParse(name);
      if (!named.success) throw new GuardError("usage", `--name ${named.error.issues[0]?.message}`);
      const wrong = scope.map((each) => tokenScope.safeParse(each)).find((one) => !one.success);
      if (wrong?.success === false) throw new GuardError("usage", `--scope ${wrong.error.issues[0]?.message}`);
      const created = newToken(name, [...new Set(scope)]);
      terminal.out(format === "json" ? JSON.stringify(created) : tokenText(created));
    });
  withExamples(
    create,
    "fieldgate token new --name ci-billing --scope read --scope contracts:billing",
    "fieldgate token new --name on-call --scope read --scope 'operate:*'",
  );
}

function tokenText({ token, entry }: NewToken): string {
  return `The token, which is not shown again. Its holder sets FIELDGATE_TOKEN to it:
${token}

The entry for the service's FIELDGATE_TOKENS_FILE:
- name: ${entry.name}
  hash: ${entry.hash}
  scopes: [${entry.scopes.map((scope) => JSON.stringify(scope)).join(", ")}]`;
}

interface NewToken {
  readonly token: string;
  readonly entry: { readonly name: string; readonly hash: string; readonly scopes: readonly string[] };
}
