import type { Command } from "commander";
import type { Client } from "pg";

import type { ConnectorConfig } from "../../config/connectors.ts";
import { GuardError } from "../../errors.ts";
import { type Terminal, withExamples, EXIT } from "../command.ts";
import { readText } from "../../text-file.ts";

interface Options {
  readonly connector?: string;
  readonly url?: string;
  readonly role?: string;
  readonly uninstall?: true;
}

const EXAMPLE = "connectors/inventory.json";

/** `trigger install|uninstall|print`: the DDL event trigger of a source database. */
export function addTrigger(program: Command, terminal: Terminal): void {
  const trigger = program
    .command("trigger")
    .description("the source database's event trigger, which tells who changed a table, how and when");
  withExamples(trigger, `fieldgate trigger install --connector ${EXAMPLE}`);

  const install = trigger
    .command("install")
    .description("create the trigger, or bring an older one up to this version");
  addLogin(install).action((options: Options) => runInstall(options, terminal));
  addRole(install);
  withExamples(
    install,
    `fieldgate trigger install --connector ${EXAMPLE}`,
    `fieldgate trigger install --connector ${EXAMPLE} --url postgres://postgres@db.example.com/inventory`,
  );

  const uninstall = trigger.command("uninstall").description("drop the trigger and its secret");
  addLogin(uninstall).action((options: Options) => runUninstall(options, terminal));
  withExamples(uninstall, `fieldgate trigger uninstall --connector ${EXAMPLE}`);

  const print = trigger
    .command("print")
    .description("print the SQL of install, for an administrator to read and run; nothing is connected to")
    .option("--connector <file>", "a connector file: its database.user is the default of --role")
    .option("--uninstall", "print what uninstall would run")
    .action((options: Options) => runPrint(options, terminal));
  addRole(print);
  withExamples(print, "fieldgate trigger print --role fieldgate | psql --no-psqlrc --set ON_ERROR_STOP=1 inventory");
}

function addLogin(command: Command): Command {
  return command
    .option(
      "--connector <file>",
      "a connector file: its database, and its user's login if --url and PGUSER are not given",
    )
    .option("--url <url>", "postgres://user:password@host:port/database, of a role that may create event triggers");
}

function addRole(command: Command): void {
  command.option("--role <name>", "who may read the secret: the role Fieldgate logs in as (default: the connector's)");
}

const SAID = {
  installed: "the trigger is installed in",
  renewed: "the trigger, which was of another version or in part, is this version's now, with the same secret, in",
  unchanged: "the trigger is as this version makes it, nothing had to be done in",
};

async function runInstall(options: Options, terminal: Terminal): Promise<void> {
  const connector = await connectorOf(options, terminal);
  const role = roleOf(options, connector);
  const { installTrigger } = await import("../../postgres/trigger.ts");
  const { where, result } = await connected(options, connector, terminal, (client) => installTrigger(client, role));
  terminal.out(`${SAID[result]} ${where}; role ${role} may read its secret`);
  terminal.end(EXIT.fine);
}

async function runUninstall(options: Options, terminal: Terminal): Promise<void> {
  const connector = await connectorOf(options, terminal);
  const { uninstallTrigger } = await import("../../postgres/trigger.ts");
  const { where, result } = await connected(options, connector, terminal, uninstallTrigger);
  terminal.out(result === "removed" ? `the trigger is removed from ${where}` : `there was no trigger in ${where}`);
  terminal.end(EXIT.fine);
}

async function runPrint(options: Options, terminal: Terminal): Promise<void> {
  const { installSql, uninstallSql } = await import("../../postgres/trigger-sql.ts");
  const connector = options.uninstall ? undefined : await connectorOf(options, terminal);
  terminal.out((options.uninstall ? uninstallSql() : installSql(roleOf(options, connector))).trimEnd());
  terminal.end(EXIT.fine);
}

async function connectorOf({ connector: file }: Options, terminal: Terminal): Promise<ConnectorConfig | undefined> {
  if (file === undefined) return undefined;
  const { readConnectorFile } = await import("../../config/connectors.ts");
  return readConnectorFile(
    readText(terminal.cwd, file, `e.g. --connector ${EXAMPLE}`),
    file,
    (name) => terminal.env[name],
  );
}

function roleOf({ role }: Options, connector: ConnectorConfig | undefined): string {
  const name = role ?? connector?.["database.user"];
  if (name !== undefined && name !== "") return name;
  throw new GuardError("usage", "it is not said who may read the secret", {
    next: `--role fieldgate, or --connector ${EXAMPLE} for its user`,
  });
}

/** Runs `work` in a session, and says where that was. What only an administrator may do says how to ask for it. */
async function connected<Result>(
  options: Options,
  connector: ConnectorConfig | undefined,
  terminal: Terminal,
  work: (client: Client) => Promise<Result>,
): Promise<{ readonly where: string; readonly result: Result }> {
  const [{ loginOf }, { connectFirst }, { nameOf, sqlState }] = await Promise.all([
    import("./trigger-login.ts"),
    import("../../postgres/tls.ts"),
    import("../../postgres/connection.ts"),
  ]);
  const login = loginOf(options.url, connector, terminal.env);
  const { client } = await connectFirst(login.options, login.tls, { applicationName: "fieldgate trigger" });
  try {
    return { where: nameOf(login.options), result: await work(client) };
  } catch (error) {
    if (sqlState(error) !== "42501" || !(error instanceof GuardError)) throw error;
    const next = "let an administrator run what `fieldgate trigger print` prints, or log in as one with --url";
    throw new GuardError("postgres-refused", error.text, { next, cause: error });
  } finally {
    await client.end();
  }
}
