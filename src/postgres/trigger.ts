import type { Client } from "pg";
import { query, type Row } from "./connection.ts";
import { installSql, TRIGGER_MARK, TRIGGERS, uninstallSql } from "./trigger-sql.ts";

/** What this database has of the trigger. `warnings`: it works in part, or as another version would. */
export type TriggerSecret =
  | { readonly kind: "installed"; readonly secret: string; readonly warnings: readonly string[] }
  | { readonly kind: "absent" }
  | { readonly kind: "unreadable"; readonly why: string };

interface TriggerRow extends Row {
  readonly name: string;
  readonly enabled: string;
  readonly mark: string | null;
  /** 't' where owner, schema, function and secret belong together as install makes them. */
  readonly genuine: string;
  readonly readable: string;
}

/**
 * The secret that messages are signed with. A secret counts only if the event trigger beside it is there and one role
 * owns both: only an administrator can make an event trigger, while any role may name a schema `fieldgate`.
 */
export async function readTriggerSecret(client: Client): Promise<TriggerSecret> {
  const found = await readTriggers(client);
  const first = found.find((trigger) => trigger.name === TRIGGERS[0]);
  if (first === undefined) return { kind: "absent" };
  if (first.genuine !== "t") return { kind: "unreadable", why: "schema fieldgate is not as install makes it" };
  if (first.readable !== "t") return { kind: "unreadable", why: "this role may not read fieldgate.secret" };
  const [row] = await query<{ value: string }>(
    client,
    "reading fieldgate.secret",
    "SELECT value FROM fieldgate.secret",
  );
  if (row === undefined) return { kind: "unreadable", why: "fieldgate.secret has no row" };
  return { kind: "installed", secret: row.value, warnings: warningsOf(found) };
}

function readTriggers(client: Client): Promise<readonly TriggerRow[]> {
  return query<TriggerRow>(
    client,
    "looking for the DDL trigger",
    `SELECT e.evtname AS name, e.evtenabled AS enabled, obj_description(e.oid, 'pg_event_trigger') AS mark,
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
    return enabled === "A" ? [] : [`event trigger ${name} is not ENABLE ALWAYS: replica sessions do not fire it`];
  });
  if (found.some((trigger) => trigger.mark !== TRIGGER_MARK)) {
    warnings.push("the trigger is of another version of Fieldgate");
  }
  return warnings;
}

/**
 * Installs the trigger, or makes an installed one as this version has it; `role` may read the secret then. Throws
 * GuardError("postgres-refused") when the session's role may not create event triggers; nothing is changed then.
 */
export async function installTrigger(client: Client, role: string): Promise<"installed" | "renewed" | "unchanged"> {
  const before = await readTriggers(client);
  await query(client, "installing the DDL trigger", installSql(role));
  if (before.length === 0) return "installed";
  return warningsOf(before).length === 0 ? "unchanged" : "renewed";
}

/** Throws GuardError("postgres-refused") when there is something else in the schema, or without the right. */
export async function uninstallTrigger(client: Client): Promise<"removed" | "absent"> {
  const before = await readTriggers(client);
  await query(client, "removing the DDL trigger", uninstallSql());
  return before.length === 0 ? "absent" : "removed";
}
