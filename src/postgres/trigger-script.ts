import { quoteIdentifier } from "../table/quote.ts";
import { EVENT_TRIGGERS, FUNCTIONS, TRIGGER_MARK, TRIGGERS } from "./trigger-sql.ts";

/**
 * The scripts of `fieldgate trigger install` and `uninstall`: the schema, the secret and the rights around the functions
 * and event triggers of trigger-sql.ts. Each script is one transaction.
 */

/**
 * Any role with the right to create schemas could have created one with this name. So the schema must belong to the
 * role that installs before anything in it runs, and no other role may create anything in it, not even through default
 * privileges.
 */
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
 * The server generates the secret, so no SQL text or server log contains it. The column with the secret is added to an
 * existing row: this rewrites the table, and publications do not send rewrites, not even with FOR ALL TABLES. Rights
 * that the owner's default privileges granted on the new table are revoked. A table without its row was restored from a
 * dump that excluded the row, and is created again.
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

/** Revokes all rights on the functions, because only their owner may sign. */
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
 * Everything that `fieldgate trigger install` does, in one transaction. The role that runs it must be allowed to create
 * event triggers. Running it again updates what a different version installed, and keeps the secret.
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

/** Removes everything that `installSql` creates. Fails and removes nothing if the schema contains anything else. */
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
