import { createHash } from "node:crypto";
import { TABLE_JSON } from "./table-json.ts";

/**
 * The functions and event triggers that `fieldgate trigger install` creates (trigger-script.ts). They write a logical
 * message for each DDL command. The message describes the affected tables, is signed with a secret, and reaches the log
 * before the first row that has the new columns. These rules apply to all of it: a user's command must never fail or wait
 * because of us, no other role's code may run with the owner's rights, and only the owner may sign.
 *
 * A change to the text of the functions or event triggers changes TRIGGER_MARK: installed triggers then count as
 * installed by a different version until `trigger install` is run again.
 */

/** The event triggers; the trigger counts as installed if the first one exists. */
export const TRIGGERS = ["fieldgate_ddl_command_end", "fieldgate_sql_drop", "fieldgate_table_rewrite"] as const;

/**
 * Limits of one message: tables that it describes, tables that it names, and bytes. Beyond the first and the last
 * limit, tables are only named.
 */
const MAX_DESCRIBED = 100;
const MAX_NAMED = 1000;
const MAX_BYTES = 1_000_000;

/**
 * The settings of every function. The search path is pinned because the functions run with their owner's rights, so
 * that no function or operator of another role can run with them. The other settings keep the session's settings from
 * changing how a default is written (compare `PINNED` in connection.ts), and keep a user's statement from waiting for a
 * lock or for JIT compilation.
 */
const SETTINGS = `SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' SET DateStyle = 'ISO'
  SET IntervalStyle = 'postgres' SET extra_float_digits = '3' SET bytea_output = 'hex' SET quote_all_identifiers = off
  SET standard_conforming_strings = on SET lock_timeout = '250ms' SET jit = off`;

/**
 * Returns the bytes of a message, or NULL if no table is affected.
 * - `held`: tables that the command has locked, so they will be as we read them when it commits.
 * - `near`: other tables that it affects, through a type, a schema or partitions. They are described if the transaction
 *   holds a lock on them. Otherwise another transaction may be changing them, so they are only named, and the reader of
 *   the message reads the catalog. The columns of a table that is not locked (`unlocked`) are as they were: this
 *   transaction has changed only its type, its schema or its partitioned table. A REPEATABLE READ transaction sees the catalog as of its start, and sees two
 *   versions of a row that both it and others have changed since. In such a transaction all tables are only named. A
 *   partitioned table counts as rewritten if one of its partitions is.
 */
const CONTENT = `CREATE OR REPLACE FUNCTION fieldgate.content(
    command text, held oid[], near oid[], created oid[], dropped json) RETURNS bytea
LANGUAGE plpgsql ${SETTINGS} AS $fieldgate$
DECLARE
  fresh boolean := current_setting('transaction_isolation') IN ('read committed', 'read uncommitted');
  rewritten text := coalesce(current_setting('fieldgate.rewritten', true), '');
  tables json;
  look json;
  unlocked json;
  everything json;
BEGIN
  WITH RECURSIVE reached(relation, direct) AS (
    SELECT unnest(held), true UNION SELECT unnest(near), false
    UNION SELECT i.inhrelid, false FROM reached r JOIN pg_inherits i ON i.inhparent = r.relation
  ), present AS (
    SELECT c.oid, bool_or(r.direct) AS direct, row_number() OVER (ORDER BY bool_or(r.direct) DESC, c.oid) AS at
      FROM reached r JOIN pg_class c ON c.oid = r.relation
     WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.relnamespace <> 'fieldgate'::regnamespace
     GROUP BY c.oid
  ), known AS (
    SELECT p.oid, h.locked, fresh AND p.at <= ${MAX_DESCRIBED} AND h.locked AS exact
      FROM present p CROSS JOIN LATERAL (SELECT p.direct OR p.oid = ANY (ARRAY(
             SELECT l.relation FROM pg_locks l WHERE l.locktype = 'relation' AND l.granted AND l.pid = pg_backend_pid()
           )) AS locked) AS h
     WHERE p.at <= ${MAX_NAMED}
  )
  SELECT json_agg(json_build_object(
           'change', CASE WHEN c.oid = ANY (created) THEN 'created' ELSE 'changed' END,
           'rewrite', CASE WHEN rewritten <> '' THEN (
             SELECT bit_or(substring(rewritten FROM '(?:^| )' || p.oid || ':(\\d{1,4})')::int)
               FROM (SELECT c.oid UNION SELECT t.relid FROM pg_partition_tree(c.oid) t) AS p) END,
           'table', ${TABLE_JSON.replaceAll("\n", "\n  ")}) ORDER BY c.oid) FILTER (WHERE k.exact),
         json_agg(DISTINCT k.oid::bigint) FILTER (WHERE NOT k.exact),
         json_agg(DISTINCT k.oid::bigint) FILTER (WHERE NOT k.locked), json_agg(DISTINCT k.oid::bigint)
    INTO tables, look, unlocked, everything
    FROM known k JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace;
  IF everything IS NULL AND dropped IS NULL THEN RETURN NULL; END IF;
  IF octet_length(tables::text) > ${MAX_BYTES} THEN tables := NULL; look := everything; END IF;
  RETURN fieldgate.signed(json_build_object(
    'format', 1, 'command', command, 'role', session_user, 'xid', pg_current_xact_id()::text,
    'time', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
    'tables', coalesce(tables, '[]'), 'dropped', coalesce(dropped, '[]'), 'look', coalesce(look, '[]'),
    'unlocked', coalesce(unlocked, '[]'))::text);
END $fieldgate$`;

/**
 * Signs with a hash of a hash: with a single hash, a reader of a message could sign a longer one (length extension).
 */
const SIGNED = `CREATE OR REPLACE FUNCTION fieldgate.signed(payload text) RETURNS bytea
LANGUAGE plpgsql ${SETTINGS} AS $fieldgate$
DECLARE
  bytes bytea := convert_to(payload, 'UTF8');
  key bytea;
BEGIN
  SELECT convert_to(s.value, 'UTF8') INTO STRICT key FROM fieldgate.secret s;
  RETURN convert_to(encode(sha256(key || sha256(key || bytes)), 'hex') || ' ', 'UTF8') || bytes;
END $fieldgate$`;

const ON_DDL_COMMAND_END = triggerFunction(
  "on_ddl_command_end",
  `  held oid[];
  near oid[];
  created oid[];
  types oid[];
  schemas oid[];`,
  `    SELECT array_agg(CASE WHEN i.indexrelid IS NULL THEN d.objid WHEN i.indisunique THEN i.indrelid END)
             FILTER (WHERE d.classid = 'pg_class'::regclass),
           array_agg(d.objid) FILTER (WHERE d.classid = 'pg_class'::regclass AND d.command_tag = 'CREATE TABLE'),
           array_agg(coalesce(k.reltype, d.objid)) FILTER (WHERE d.classid = 'pg_type'::regclass OR k.oid IS NOT NULL),
           array_agg(d.objid) FILTER (WHERE d.classid = 'pg_namespace'::regclass AND d.command_tag = 'ALTER SCHEMA')
      INTO held, created, types, schemas
      FROM pg_event_trigger_ddl_commands() d
      LEFT JOIN pg_index i ON i.indexrelid = d.objid AND d.classid = 'pg_class'::regclass
      LEFT JOIN pg_class k ON k.oid = d.objid AND d.classid = 'pg_class'::regclass AND k.relkind = 'c';
    IF types IS NOT NULL OR schemas IS NOT NULL THEN
      WITH RECURSIVE made_of(type) AS (
        SELECT unnest(types)
        UNION SELECT y.oid FROM made_of m JOIN pg_type y ON (y.typtype = 'd' AND y.typbasetype = m.type)
                                           OR (y.typoutput = 'array_out'::regproc AND y.typelem = m.type)
      )
      SELECT array_agg(u.oid) INTO near FROM (
        SELECT a.attrelid AS oid FROM made_of m JOIN pg_attribute a ON a.atttypid = m.type
         WHERE a.attnum > 0 AND NOT a.attisdropped
        UNION SELECT c.oid FROM made_of m JOIN pg_class c ON c.reloftype = m.type
        UNION SELECT c.oid FROM pg_class c WHERE c.relnamespace = ANY (schemas) AND c.relkind IN ('r', 'p')) u;
    END IF;
    content := fieldgate.content(tg_tag, held, near, created, NULL);`,
);

/**
 * Also reports columns that a command other than ALTER TABLE has dropped (DROP TYPE … CASCADE). The event for a dropped
 * index does not name its table, but that table is among those that the transaction has locked exclusively.
 */
const ON_SQL_DROP = triggerFunction(
  "on_sql_drop",
  `  held oid[];
  dropped json;
  index_dropped boolean;`,
  `    SELECT array_agg(d.objid) FILTER (WHERE d.object_type = 'table column'),
           json_agg(json_build_object('oid', d.objid::bigint, 'schema', d.schema_name, 'name', d.object_name))
             FILTER (WHERE d.object_type = 'table' AND NOT d.is_temporary),
           bool_or(d.object_type = 'index' AND d.original)
      INTO held, dropped, index_dropped FROM pg_event_trigger_dropped_objects() d;
    IF json_array_length(dropped) > ${MAX_NAMED} THEN dropped := NULL; END IF;
    IF index_dropped THEN
      SELECT held || array_agg(l.relation) INTO held FROM pg_locks l
       WHERE l.locktype = 'relation' AND l.granted AND l.pid = pg_backend_pid()
         AND l.mode IN ('AccessExclusiveLock', 'ShareUpdateExclusiveLock');
    END IF;
    content := fieldgate.content(tg_tag, held, NULL, NULL, dropped);`,
);

/** Runs before the rows are rewritten; the message at the end of the command reports the rewrite. */
const ON_TABLE_REWRITE = `CREATE OR REPLACE FUNCTION fieldgate.on_table_rewrite() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER ${SETTINGS} AS $fieldgate$
BEGIN
  PERFORM set_config('fieldgate.rewritten', concat_ws(' ', nullif(current_setting('fieldgate.rewritten', true), ''),
    pg_event_trigger_table_rewrite_oid() || ':' || pg_event_trigger_table_rewrite_reason()), true);
EXCEPTION WHEN OTHERS OR ASSERT_FAILURE THEN NULL;
END $fieldgate$`;

/**
 * Catches every error that occurs while the content is composed, so that the user's command continues. The message then
 * contains only the SQLSTATE, and is not signed because it needs no trust. The message is written outside of the block
 * that catches errors: if it were written inside, it would reach readers after the first row that has the new column.
 */
function triggerFunction(name: string, declare: string, content: string): string {
  return `CREATE OR REPLACE FUNCTION fieldgate.${name}() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER ${SETTINGS} AS $fieldgate$
DECLARE
  content bytea;
  may_emit boolean := false;
${declare}
BEGIN
  BEGIN
    SELECT bool_and(has_function_privilege(p.oid, 'EXECUTE')) INTO may_emit FROM pg_proc p
     WHERE p.proname = 'pg_logical_emit_message' AND p.pronamespace = 'pg_catalog'::regnamespace;
${content}
  EXCEPTION WHEN OTHERS OR ASSERT_FAILURE THEN
    content := convert_to('{"error":"' || SQLSTATE || '"}', 'UTF8');
  END;
  IF may_emit AND content IS NOT NULL THEN
    PERFORM pg_logical_emit_message(true, 'fieldgate.ddl', content);
  END IF;
END $fieldgate$`;
}

/** The new event trigger replaces the old one when the transaction commits, so no command is missed. */
function eventTrigger(name: string, event: string, procedure: string, tags: readonly string[]): string {
  const filter = tags.length === 0 ? "" : ` WHEN TAG IN (${tags.map((tag) => `'${tag}'`).join(", ")})`;
  return `DROP EVENT TRIGGER IF EXISTS ${name};
CREATE EVENT TRIGGER ${name} ON ${event}${filter} EXECUTE FUNCTION fieldgate.${procedure}();
ALTER EVENT TRIGGER ${name} ENABLE ALWAYS`;
}

// CREATE SCHEMA can also create tables, and a table can inherit from a foreign one. What a column needs can be dropped
// with it (CASCADE). Commands that are not listed do not fire the triggers.
const CREATES = ["CREATE TABLE", "CREATE SCHEMA", "CREATE INDEX"];
const ALTERS = ["ALTER TABLE", "ALTER FOREIGN TABLE", "ALTER TYPE", "ALTER DOMAIN", "ALTER SCHEMA"];
const DROPS = ["DROP TABLE", "DROP INDEX", "DROP SCHEMA", "DROP OWNED", "DROP TYPE", "DROP DOMAIN", "DROP EXTENSION"];
const DROPS_BELOW = ["DROP COLLATION", "DROP FUNCTION", "DROP VIEW", "DROP MATERIALIZED VIEW", "DROP FOREIGN TABLE"];

export const FUNCTIONS = [SIGNED, CONTENT, ON_DDL_COMMAND_END, ON_SQL_DROP, ON_TABLE_REWRITE];

export const EVENT_TRIGGERS = [
  eventTrigger(TRIGGERS[0], "ddl_command_end", "on_ddl_command_end", [...CREATES, ...ALTERS]),
  eventTrigger(TRIGGERS[1], "sql_drop", "on_sql_drop", [...DROPS, ...DROPS_BELOW]),
  eventTrigger(TRIGGERS[2], "table_rewrite", "on_table_rewrite", []),
];

/**
 * The comment on the event triggers. It identifies the SQL that created them; every other version has a different mark.
 */
export const TRIGGER_MARK = `fieldgate ${createHash("sha256")
  .update([...FUNCTIONS, ...EVENT_TRIGGERS].join(";"))
  .digest("hex")
  .slice(0, 12)}`;
