import type { Command } from "commander";
import type { Client } from "pg";

import type { ConnectorConfig } from "../../config/connector/connector-config.ts";
import { GuardError } from "../../errors.ts";
import { type Terminal, withExamples, EXIT } from "../command.ts";
import { readText } from "../../text-file.ts";

/**
 * `trigger install`, `uninstall` and `print` manage the DDL event trigger of a source database. `print` does not
 * connect to a database: it is for administrators who run the SQL themselves.
 */

interface Options {
  readonly connector?: string;
  readonly url?: string;
  readonly role?: string;
  readonly uninstall?: true;
}

const EXAMPLE = "connectors/inventory.json";

export function addTrigger(program: Command, terminal: Terminal): void {
  const trigger = program
    .command("trigger")
    .description("manage the source database's event trigger, which reports who changed a table, how, and when");
  withExamples(trigger, `fieldgate trigger install --connector ${EXAMPLE}`);

  const install = trigger.command("install").description("create the trigger, or update an older version of it");
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
    .description("print the SQL of install for an administrator to review and run, without connecting to a database")
    .option("--connector <file>", "a connector file; its database.user is the default for --role")
    .option("--uninstall", "print the SQL of uninstall instead")
    .action((options: Options) => runPrint(options, terminal));
  addRole(print);
  withExamples(print, "fieldgate trigger print --role fieldgate | psql --no-psqlrc --set ON_ERROR_STOP=1 inventory");
}

function addLogin(command: Command): Command {
  return command
    .option("--connector <file>", "a connector file: use its database, and its user unless --url or PGUSER is given")
    .option("--url <url>", "postgres://user:password@host:port/database, with a role that may create event triggers");
}

function addRole(command: Command): void {
  command.option(
    "--role <name>",
    "the role that Fieldgate logs in as, which may read the secret (default: the connector's)",
  );
}

const RESULTS = {
  installed: "installed the trigger in",
  renewed: "updated the trigger to this version, keeping its secret, in",
  unchanged: "the trigger is already up to date in",
};

async function runInstall(options: Options, terminal: Terminal): Promise<void> {
  const connector = await readConnector(options, terminal);
  const role = roleOf(options, connector);
  const { installTrigger } = await import("../../postgres/trigger.ts");
  const { where, result } = await runInSession(options, connector, terminal, (client) => installTrigger(client, role));
  terminal.show(`${RESULTS[result]} ${where}; role ${role} may read its secret`);
  terminal.end(EXIT.fine);
}

async function runUninstall(options: Options, terminal: Terminal): Promise<void> {
  const connector = await readConnector(options, terminal);
  const { uninstallTrigger } = await import("../../postgres/trigger.ts");
  const { where, result } = await runInSession(options, connector, terminal, uninstallTrigger);
  terminal.show(result === "removed" ? `removed the trigger from ${where}` : `there was no trigger in ${where}`);
  terminal.end(EXIT.fine);
}

async function runPrint(options: Options, terminal: Terminal): Promise<void> {
  const { installSql, uninstallSql } = await import("../../postgres/trigger-script.ts");
  const connector = options.uninstall ? undefined : await readConnector(options, terminal);
  terminal.out((options.uninstall ? uninstallSql() : installSql(roleOf(options, connector))).trimEnd());
  terminal.end(EXIT.fine);
}

async function readConnector({ connector: file }: Options, terminal: Terminal): Promise<ConnectorConfig | undefined> {
  if (file === undefined) return undefined;
  const { readConnectorFile } = await import("../../config/connectors.ts");
  return readConnectorFile(readText(terminal.cwd, file, `e.g. --connector ${EXAMPLE}`), file, (name) =>
    terminal.variable(name),
  );
}

function roleOf({ role }: Options, connector: ConnectorConfig | undefined): string {
  const name = role ?? connector?.["database.user"];
  if (name !== undefined && name !== "") return name;
  throw new GuardError("usage", "--role is missing: which role may read the secret?", {
    next: `give --role fieldgate, or --connector ${EXAMPLE} to use its user`,
  });
}

/** Runs `work` in a session. If the role lacks a right, the error says how to have an administrator do the work. */
async function runInSession<Result>(
  options: Options,
  connector: ConnectorConfig | undefined,
  terminal: Terminal,
  work: (client: Client) => Promise<Result>,
): Promise<{ readonly where: string; readonly result: Result }> {
  const [{ readLogin }, { connectFirst }, { nameOf, sqlState }] = await Promise.all([
    import("./trigger-login.ts"),
    import("../../postgres/tls.ts"),
    import("../../postgres/connection.ts"),
  ]);
  const login = readLogin(options.url, connector, terminal.env);
  const { client } = await connectFirst(login.options, login.tls, { applicationName: "fieldgate trigger" });
  try {
    return { where: nameOf(login.options), result: await work(client) };
  } catch (error) {
    if (sqlState(error) !== "42501" || !(error instanceof GuardError)) throw error;
    const next = "have an administrator run the output of `fieldgate trigger print`, or log in as one with --url";
    throw new GuardError("postgres-refused", error.text, { next, cause: error });
  } finally {
    await client.end();
  }
}
