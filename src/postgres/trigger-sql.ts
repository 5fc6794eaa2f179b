import { createHash } from "node:crypto";
import { quoteIdentifier } from "./quote.ts";
import { TABLE_JSON } from "./table-json.ts";

/** The event triggers; the first one stands for the whole. */
export const TRIGGERS = ["fieldgate_ddl_command_end", "fieldgate_sql_drop", "fieldgate_table_rewrite"] as const;

/** Tables described in one message, tables only named in it, and the description's bytes: above, they are only named. */
const MAX_DESCRIBED = 100;
const MAX_NAMED = 1000;
const MAX_BYTES = 1_000_000;

/**
 * What every function runs under. A definer's rights with the search path pinned, as no other role's function or
 * operator may run with them. The session's own settings must not change how a default is written (compare `PINNED` in
 * connection.ts), nor make a statement of the user wait for a lock or for a compiler.
 */
const SETTINGS = `SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' SET DateStyle = 'ISO'
  SET IntervalStyle = 'postgres' SET extra_float_digits = '3' SET bytea_output = 'hex' SET quote_all_identifiers = off
  SET standard_conforming_strings = on SET lock_timeout = '250ms' SET jit = off`;

/**
 * The bytes of a message, or NULL when no table is affected. `held`: tables this command holds a lock on, so what we
 * read of them is what they are when it commits. `near`: others it reaches (of a type, a schema, partitions). They are
 * described if the transaction holds a lock on them, else only named, for the reader to look at: another transaction
 * may be changing them. A REPEATABLE READ transaction reads the catalog as of its start, and of a row that others and
 * itself changed since it sees two versions: there all tables are only named. A partitioned table counts as rewritten
 * when one of its partitions is.
 */
const CONTENT = `CREATE OR REPLACE FUNCTION fieldgate.content(
    command text, held oid[], near oid[], created oid[], dropped json) RETURNS bytea
LANGUAGE plpgsql ${SETTINGS} AS $fieldgate$
DECLARE
  fresh boolean := current_setting('transaction_isolation') IN ('read committed', 'read uncommitted');
  rewritten text := coalesce(current_setting('fieldgate.rewritten', true), '');
  tables json;
  look json;
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
    SELECT p.oid, fresh AND p.at <= ${MAX_DESCRIBED} AND (p.direct OR p.oid = ANY (ARRAY(
             SELECT l.relation FROM pg_locks l WHERE l.locktype = 'relation' AND l.granted AND l.pid = pg_backend_pid()
           ))) AS exact
      FROM present p WHERE p.at <= ${MAX_NAMED}
  )
  SELECT json_agg(json_build_object(
           'change', CASE WHEN c.oid = ANY (created) THEN 'created' ELSE 'changed' END,
           'rewrite', CASE WHEN rewritten <> '' THEN (
             SELECT bit_or(substring(rewritten FROM '(?:^| )' || p.oid || ':(\\d{1,4})')::int)
               FROM (SELECT c.oid UNION SELECT t.relid FROM pg_partition_tree(c.oid) t) AS p) END,
           'table', ${TABLE_JSON.replaceAll("\n", "\n  ")}) ORDER BY c.oid) FILTER (WHERE k.exact),
         json_agg(DISTINCT k.oid::bigint) FILTER (WHERE NOT k.exact), json_agg(DISTINCT k.oid::bigint)
    INTO tables, look, everything
    FROM known k JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace;
  IF everything IS NULL AND dropped IS NULL THEN RETURN NULL; END IF;
  IF octet_length(tables::text) > ${MAX_BYTES} THEN tables := NULL; look := everything; END IF;
  RETURN fieldgate.signed(json_build_object(
    'format', 1, 'command', command, 'role', session_user, 'xid', pg_current_xact_id()::text,
    'time', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
    'tables', coalesce(tables, '[]'), 'dropped', coalesce(dropped, '[]'), 'look', coalesce(look, '[]'))::text);
END $fieldgate$`;

/** A hash over a hash: over the text alone, whoever reads one message could sign a longer one (length extension). */
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
           array_agg(d.objid) FILTER (WHERE d.classid = 'pg_type'::regclass),
           array_agg(d.objid) FILTER (WHERE d.classid = 'pg_namespace'::regclass AND d.command_tag = 'ALTER SCHEMA')
      INTO held, created, types, schemas
      FROM pg_event_trigger_ddl_commands() d
      LEFT JOIN pg_index i ON i.indexrelid = d.objid AND d.classid = 'pg_class'::regclass;
    IF types IS NOT NULL OR schemas IS NOT NULL THEN
      WITH RECURSIVE made_of(type) AS (
        SELECT unnest(types)
        UNION SELECT y.oid FROM made_of m JOIN pg_type y ON (y.typtype = 'd' AND y.typbasetype = m.type)
                                           OR (y.typoutput = 'array_out'::regproc AND y.typelem = m.type)
      )
      SELECT array_agg(u.oid) INTO near FROM (
        SELECT a.attrelid AS oid FROM made_of m JOIN pg_attribute a ON a.atttypid = m.type
         WHERE a.attnum > 0 AND NOT a.attisdropped
        UNION SELECT c.oid FROM pg_class c WHERE c.relnamespace = ANY (schemas) AND c.relkind IN ('r', 'p')) u;
    END IF;
    content := fieldgate.content(tg_tag, held, near, created, NULL);`,
);

/**
 * A dropped column of a table comes here too when ALTER TABLE did not do it (DROP TYPE … CASCADE). A dropped index does
 * not say whose it was: its table is among those the transaction has locked against others.
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

/** Comes before the rows are written anew; the message at the command's end says it. */
const ON_TABLE_REWRITE = `CREATE OR REPLACE FUNCTION fieldgate.on_table_rewrite() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER ${SETTINGS} AS $fieldgate$
BEGIN
  PERFORM set_config('fieldgate.rewritten', concat_ws(' ', nullif(current_setting('fieldgate.rewritten', true), ''),
    pg_event_trigger_table_rewrite_oid() || ':' || pg_event_trigger_table_rewrite_reason()), true);
EXCEPTION WHEN OTHERS OR ASSERT_FAILURE THEN NULL;
END $fieldgate$`;

/**
 * Whatever goes wrong while the content is made is caught: the user's command goes on, and the message says which error.
 * The message itself is written outside of that block: from inside, it would reach readers after the row that
 * carries the new column. The error's own message is not signed: nothing in it is believed.
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

/** A new event trigger takes the place of the old one when the transaction commits: no command is missed. */
function eventTrigger(name: string, event: string, procedure: string, tags: readonly string[]): string {
  const filter = tags.length === 0 ? "" : ` WHEN TAG IN (${tags.map((tag) => `'${tag}'`).join(", ")})`;
  return `DROP EVENT TRIGGER IF EXISTS ${name};
CREATE EVENT TRIGGER ${name} ON ${event}${filter} EXECUTE FUNCTION fieldgate.${procedure}();
ALTER EVENT TRIGGER ${name} ENABLE ALWAYS`;
}

// CREATE SCHEMA may have tables in it. A command that is not listed costs nothing.
const END_TAGS = ["ALTER TABLE", "CREATE TABLE", "CREATE SCHEMA", "CREATE INDEX", "ALTER TYPE", "ALTER DOMAIN"];
const DROP_TAGS = ["DROP TABLE", "DROP INDEX", "DROP SCHEMA", "DROP OWNED", "DROP TYPE", "DROP DOMAIN"];

const FUNCTIONS = [SIGNED, CONTENT, ON_DDL_COMMAND_END, ON_SQL_DROP, ON_TABLE_REWRITE];

const EVENT_TRIGGERS = [
  eventTrigger(TRIGGERS[0], "ddl_command_end", "on_ddl_command_end", [...END_TAGS, "ALTER SCHEMA"]),
  eventTrigger(TRIGGERS[1], "sql_drop", "on_sql_drop", [...DROP_TAGS, "DROP EXTENSION"]),
  eventTrigger(TRIGGERS[2], "table_rewrite", "on_table_rewrite", []),
];

/** Which text made the triggers: their comment. Another text, older or newer, has another mark. */
export const TRIGGER_MARK = `fieldgate ${createHash("sha256")
  .update([...FUNCTIONS, ...EVENT_TRIGGERS].join(";"))
  .digest("hex")
  .slice(0, 12)}`;

/** Whoever comes first may make a schema of this name: what is in it must be ours before anything runs from it,
 * and the owner's default privileges let nobody else put something there. */
const OWN_SCHEMA = `DO $fieldgate$ BEGIN
  IF EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = 'fieldgate'
              AND n.nspowner <> (SELECT r.oid FROM pg_roles r WHERE r.rolname = current_user)) THEN
    RAISE EXCEPTION 'schema fieldgate belongs to another role' USING ERRCODE = '42501',
      HINT = 'install as its owner, or drop it if it is not Fieldgate''s';
  END IF;
END $fieldgate$;
CREATE SCHEMA IF NOT EXISTS fieldgate;
DO $fieldgate$
DECLARE grantee text;
BEGIN
  FOR grantee IN SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
      FROM pg_namespace n, aclexplode(n.nspacl) a
     WHERE n.nspname = 'fieldgate' AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner LOOP
    EXECUTE 'REVOKE CREATE ON SCHEMA fieldgate FROM ' || grantee;
  END LOOP;
END $fieldgate$`;

/**
 * Made by the server, so it is in no text and no server log. The column is added to a row that exists: that rewrites
 * the table, and a rewrite is in no publication, not even one FOR ALL TABLES. Default privileges of the owner
 * may have granted the new table to others: that is taken back. A table without its row is of a dump that left it out.
 */
const SECRET = `DO $fieldgate$
DECLARE grantee text;
BEGIN
  IF to_regclass('fieldgate.secret') IS NOT NULL THEN
    IF EXISTS (SELECT FROM fieldgate.secret) THEN RETURN; END IF;
    DROP TABLE fieldgate.secret;
  END IF;
  CREATE TABLE fieldgate.secret (one boolean PRIMARY KEY CHECK (one));
  FOR grantee IN SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
      FROM pg_class c, aclexplode(c.relacl) a
     WHERE c.oid = 'fieldgate.secret'::regclass AND a.grantee <> c.relowner LOOP
    EXECUTE 'REVOKE ALL ON fieldgate.secret FROM ' || grantee;
  END LOOP;
  INSERT INTO fieldgate.secret VALUES (true);
  ALTER TABLE fieldgate.secret ADD COLUMN value text NOT NULL DEFAULT encode(sha256(convert_to(
    gen_random_uuid()::text || gen_random_uuid() || gen_random_uuid() || gen_random_uuid(), 'UTF8')), 'hex');
  ALTER TABLE fieldgate.secret ALTER COLUMN value DROP DEFAULT;
END $fieldgate$`;

/** The same for functions: only their owner may sign. */
const OWN_FUNCTIONS = `DO $fieldgate$
DECLARE granted record;
BEGIN
  FOR granted IN SELECT p.oid::regprocedure AS name, CASE a.grantee WHEN 0 THEN 'PUBLIC'
                        ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
      FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
     WHERE p.pronamespace = 'fieldgate'::regnamespace AND a.grantee <> p.proowner LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %s', granted.name, granted.grantee);
  END LOOP;
END $fieldgate$`;

/**
 * Everything `fieldgate trigger install` does, in one transaction, to be run by whoever may create event triggers.
 * Running it again changes nothing but what another version made otherwise; the secret stays.
 */
export function installSql(role: string): string {
  return script([
    OWN_SCHEMA,
    SECRET,
    ...FUNCTIONS,
    OWN_FUNCTIONS,
    ...EVENT_TRIGGERS,
    ...TRIGGERS.map((name) => `COMMENT ON EVENT TRIGGER ${name} IS '${TRIGGER_MARK}'`),
    `GRANT USAGE ON SCHEMA fieldgate TO ${quoteIdentifier(role)};
GRANT SELECT ON fieldgate.secret TO ${quoteIdentifier(role)}`,
  ]);
}

/** Takes everything away that `installSql` made. Fails, and then takes nothing, if others put something beside it. */
export function uninstallSql(): string {
  return script([
    TRIGGERS.map((name) => `DROP EVENT TRIGGER IF EXISTS ${name}`).join(";\n"),
    `DROP FUNCTION IF EXISTS fieldgate.on_ddl_command_end(), fieldgate.on_sql_drop(), fieldgate.on_table_rewrite(),
  fieldgate.content(text, oid[], oid[], oid[], json), fieldgate.signed(text)`,
    "DROP TABLE IF EXISTS fieldgate.secret",
    "DROP SCHEMA IF EXISTS fieldgate",
  ]);
}

function script(statements: readonly string[]): string {
  return [
    "BEGIN",
    "SET LOCAL search_path = pg_catalog, pg_temp",
    "SET LOCAL client_min_messages = warning",
    ...statements,
    "COMMIT",
  ]
    .map((statement) => `${statement};\n`)
    .join("\n");
}
