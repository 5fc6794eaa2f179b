import type { Client } from "pg";
import { query, type Row, translate } from "./connection.ts";
import { installSql, uninstallSql } from "./trigger-script.ts";
import { TRIGGER_MARK, TRIGGERS } from "./trigger-sql.ts";

/** The DDL trigger in a database: reads its secret, installs it and removes it. The SQL is in trigger-sql.ts. */

/** Whether this database has the trigger. `warnings`: parts of it are missing, disabled or from a different version. */
export type TriggerSecret =
  | { readonly kind: "installed"; readonly secret: string; readonly warnings: readonly string[] }
  | { readonly kind: "absent" }
  | { readonly kind: "unreadable"; readonly why: string };

interface TriggerRow extends Row {
  readonly name: string;
  readonly enabled: string;
  readonly mark: string | null;
  /** 't' if the trigger's owner also owns the schema, the function and the secret, as after `trigger install`. */
  readonly genuine: string;
  readonly readable: string;
  /**
   * OID and xmin of the event trigger and of its function, i.e. their identity and the transaction that last changed
   * them.
   */
  readonly version: string;
}

/**
 * Reads the secret that signs the messages. It counts only if the event trigger exists as well and has the same owner:
 * only an administrator can create an event trigger, whereas other roles can create a schema named `fieldgate`.
 */
export async function readTriggerSecret(client: Client): Promise<TriggerSecret> {
  const found = await readTriggers(client);
  const first = found.find((trigger) => trigger.name === TRIGGERS[0]);
  if (first === undefined) return { kind: "absent" };
  if (first.genuine !== "t")
    return { kind: "unreadable", why: "schema fieldgate differs from what `trigger install` creates" };
  if (first.readable !== "t") return { kind: "unreadable", why: "this role may not read fieldgate.secret" };
  const [row] = await query<{ value: string }>(
    client,
    "reading fieldgate.secret",
    "SELECT value FROM fieldgate.secret",
  );
  if (row === undefined) return { kind: "unreadable", why: "fieldgate.secret has no row" };
  return { kind: "installed", secret: row.value, warnings: warningsOf(found) };
}

/**
 * Identifies the trigger if no part of it is missing. The identity changes when a part is dropped and re-created,
 * altered or disabled. As long as it is the same, every DDL command in between has been reported. Undefined if some DDL
 * may not be reported.
 */
export async function readTriggerIdentity(client: Client): Promise<string | undefined> {
  const found = await readTriggers(client);
  const complete = found.every(({ genuine, readable }) => genuine === "t" && readable === "t");
  if (!complete || warningsOf(found).length > 0) return undefined;
  return found
    .map(({ version }) => version)
    .toSorted()
    .join(" ");
}

function readTriggers(client: Client): Promise<readonly TriggerRow[]> {
  return query<TriggerRow>(
    client,
    "reading the DDL trigger",
    `SELECT e.evtname AS name, e.evtenabled AS enabled, obj_description(e.oid, 'pg_event_trigger') AS mark,
            concat_ws('/', e.oid, e.xmin, p.oid, p.xmin) AS version,
            coalesce(n.nspname = 'fieldgate' AND n.nspowner = e.evtowner AND p.proowner = e.evtowner
                     AND s.relowner = e.evtowner, false) AS genuine,
            coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(s.oid, 'SELECT'), false) AS readable
       FROM pg_event_trigger e
       JOIN pg_proc p ON p.oid = e.evtfoid
       JOIN pg_namespace n ON n.oid = p.pronamespace
       LEFT JOIN pg_class s ON s.relnamespace = n.oid AND s.relname = 'secret' AND s.relkind = 'r'
      WHERE e.evtname = ANY ($1::name[])`,
    [TRIGGERS],
  );
}

function warningsOf(found: readonly TriggerRow[]): readonly string[] {
  const warnings = TRIGGERS.flatMap((name) => {
    const enabled = found.find((trigger) => trigger.name === name)?.enabled;
    if (enabled === undefined) return [`event trigger ${name} is missing`];
    if (enabled === "D") return [`event trigger ${name} is disabled`];
    return enabled === "A"
      ? []
      : [`event trigger ${name} is not ENABLE ALWAYS: sessions in replica mode do not fire it`];
  });
  if (found.some((trigger) => trigger.mark !== TRIGGER_MARK)) {
    warnings.push("the trigger was installed by a different version of Fieldgate");
  }
  return warnings;
}

/**
 * Installs the trigger or brings an installed one up to date, and lets `role` read the secret. Throws
 * GuardError("postgres-refused") and changes nothing if the session's role may not create event triggers.
 */
export async function installTrigger(client: Client, role: string): Promise<"installed" | "renewed" | "unchanged"> {
  const before = await readTriggers(client);
  await run(client, "installing the DDL trigger", installSql(role));
  if (before.length === 0) return "installed";
  return warningsOf(before).length === 0 ? "unchanged" : "renewed";
}

/**
 * Throws GuardError("postgres-refused") if the schema contains objects that we did not create, or if the role may not
 * drop it.
 */
export async function uninstallTrigger(client: Client): Promise<"removed" | "absent"> {
  const before = await readTriggers(client);
  await run(client, "removing the DDL trigger", uninstallSql());
  return before.length === 0 ? "absent" : "removed";
}

/** The blocks in these statements raise errors whose texts are our own. */
async function run(client: Client, doing: string, text: string): Promise<void> {
  try {
    await client.query(text);
  } catch (error) {
    throw translate(error, doing, "our own");
  }
}
