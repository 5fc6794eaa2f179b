import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startStack } from "../../local/stack.ts";
import { installSql } from "../../src/postgres/trigger-script.ts";
import { TRIGGER_MARK, TRIGGERS } from "../../src/postgres/trigger-sql.ts";
import { installTrigger, readTriggerSecret, uninstallTrigger } from "../../src/postgres/trigger.ts";
import { readDdl } from "../../src/table/ddl.ts";
import { decode } from "../../src/wal/decode.ts";
import { freshDatabase } from "../stack/database.ts";
import { until } from "../stack/until.ts";
import { failure, follow, type OwnSession, session, source } from "./follow.ts";
import { secretOf, type Triggered, triggered, trusted } from "./signed-ddl.ts";

const T = (name: string) => `CREATE TABLE ${name} (id int PRIMARY KEY, a text)`;

describe("a message that the trigger did not write", () => {
  let db: Triggered;
  let stranger: OwnSession;
  let role: string;
  beforeAll(async () => {
    db = await triggered(T("t"));
    role = `stranger_${db.from.database.address.database}`;
    await db.from.app.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p'; CREATE SCHEMA own AUTHORIZATION ${role}`);
    stranger = await session({ ...db.from.database.address, user: role, password: "p" });
  });
  afterAll(async () => {
    await db.from.app.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
    await stranger.end();
    await db[Symbol.asyncDispose]();
  });

  const emit = (content: string, transactional = true) =>
    stranger.query("SELECT pg_logical_emit_message($1, 'fieldgate.ddl', $2::text)", [transactional, content]);

  test.each([
    ["no JSON", "nonsense", []],
    ["no signature", '{"tables":[]}', []],
    [
      "an invalid signature",
      `${"0".repeat(64)} {"format":1,"look":[7,8,7],"dropped":[{"oid":9}],"tables":[{"table":{"oid":3}}]}`,
      [3, 9, 7, 8],
    ],
    ["an invented error", '{"error":"XX000"}', []],
    ["more bytes than a message can have", "x".repeat(1_400_000), []],
    [
      "more tables than a message can name",
      `${"0".repeat(64)} {"look":[${Array.from({ length: 5000 }, (_, i) => i + 1).join(",")}]}`,
      Array.from({ length: 100 }, (_, i) => i + 1),
    ],
  ])("is not believed: %s", async (_what, content, oids) => {
    const heard = await db.hear(() => emit(content));
    expect(heard.ddl).toMatchObject([{ kind: "untrusted", oids }]);
  });

  test("is not trusted if it is a copy of a genuine one, written later or outside of a transaction", async () => {
    const [content = ""] = (await db.run("ALTER TABLE t ADD b int")).contents;
    expect(content).toMatch(/^[0-9a-f]{64} \{"format" : 1, "command" : "ALTER TABLE"/);
    const heard = await db.hear(async () => {
      await emit(content);
      await emit(content, false);
    });
    expect(heard.ddl).toEqual([
      { kind: "untrusted", why: "it names a different transaction, so it was replayed", oids: [expect.any(Number)] },
      { kind: "untrusted", why: "it is not part of a transaction", oids: [expect.any(Number)] },
    ]);
  });

  test.each([
    "SELECT * FROM fieldgate.secret",
    "SELECT fieldgate.signed('{}')",
    "SELECT fieldgate.content('ALTER TABLE', ARRAY['public.t'::regclass::oid], NULL, NULL, NULL)",
    "SELECT fieldgate.on_ddl_command_end()",
    "CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION fieldgate.on_ddl_command_end()",
    "CREATE TRIGGER mine BEFORE INSERT ON own.t EXECUTE FUNCTION fieldgate.on_sql_drop()",
    "CREATE FUNCTION fieldgate.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER EVENT TRIGGER fieldgate_sql_drop DISABLE",
    "DROP SCHEMA fieldgate CASCADE",
  ])("cannot be signed by a role without rights: %s", async (statement) => {
    await stranger.query("CREATE TABLE IF NOT EXISTS own.t (id int)");
    expect(await failure(stranger.query(statement))).toMatchObject({ code: "42501" });
  });

  test("a role cannot make its own tables, functions or operators run by giving them the names of the catalog's", async () => {
    const heard = await db.hear(() =>
      stranger.query(
        `SET search_path = own, pg_catalog;
         CREATE TEMP TABLE pg_class (oid oid); CREATE TEMP TABLE pg_attribute (attrelid oid);
         CREATE FUNCTION own.sha256(bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT '\\x00'::bytea $$;
         CREATE FUNCTION own.same(oid, oid) RETURNS bool LANGUAGE sql AS 'SELECT false';
         CREATE OPERATOR own.= (leftarg = oid, rightarg = oid, function = own.same);
         CREATE TABLE own.u (id int, b text)`,
      ),
    );
    expect(trusted(heard)).toMatchObject([
      { role, tables: [{ change: "created", table: { name: "u", columns: [{ name: "id" }, { name: "b" }] } }] },
    ]);
  });
});

describe("the user's command succeeds, and the log has its column in order, if", () => {
  test.each([
    ["the secret has no row", "DELETE FROM fieldgate.secret", "P0002"],
    ["the secret's table is gone", "DROP TABLE fieldgate.secret", "42P01"],
    ["the signing function is gone", "DROP FUNCTION fieldgate.signed(text)", "42883"],
    [
      "a function it calls is broken",
      `CREATE OR REPLACE FUNCTION fieldgate.signed(payload text) RETURNS bytea LANGUAGE sql AS $$ SELECT (1 / (length(payload) * 0))::text::bytea $$`,
      "22012",
    ],
    [
      "a query of the catalog fails",
      `CREATE OR REPLACE FUNCTION fieldgate.content(command text, held oid[], near oid[], created oid[], dropped json)
       RETURNS bytea LANGUAGE plpgsql AS $$ BEGIN PERFORM no_such_column FROM pg_class; END $$`,
      "42703",
    ],
    [
      "an assertion fails",
      `CREATE OR REPLACE FUNCTION fieldgate.signed(payload text) RETURNS bytea LANGUAGE plpgsql AS $$ BEGIN ASSERT false; END $$`,
      "P0004",
    ],
    ["the secret has a different type", "ALTER TABLE fieldgate.secret ALTER value TYPE int USING 1", "42883"],
  ])("%s", async (_what, fault, state) => {
    await using db = await triggered(`${T("t")}; CREATE UNIQUE INDEX ti ON t (a)`);
    await db.from.app.query(fault);
    const heard = await db.run(
      "BEGIN; INSERT INTO t VALUES (1); ALTER TABLE t ADD b int DEFAULT random(); INSERT INTO t VALUES (2, '', 3); COMMIT",
      "DROP INDEX ti",
      "DROP TABLE t",
    );
    const why = `the trigger failed with SQLSTATE ${state}`;
    expect(heard.ddl).toEqual([why, why, why].map((text) => ({ kind: "untrusted", why: text, oids: [] })));
    expect(heard.words.slice(0, 5)).toEqual(["R(id a)", "I(1 )", "M(untrusted)", "R(id a b)", "I(2  3)"]);
  });

  test("another session has locked the secret", async () => {
    await using db = await triggered(T("t"));
    await using other = await session(db.from.database.address);
    await other.query("BEGIN; LOCK TABLE fieldgate.secret");
    const heard = await db.run("ALTER TABLE t ADD b int");
    expect(heard.ddl).toMatchObject([{ kind: "untrusted", why: "the trigger failed with SQLSTATE 55P03" }]);
  });

  test("the owner may not write messages: no message is written", async () => {
    await using db = await triggered(T("t"));
    const role = `owner_${db.from.database.address.database}`;
    await db.from.app.query(`CREATE ROLE ${role}; GRANT USAGE, CREATE ON SCHEMA fieldgate TO ${role};
      ALTER FUNCTION fieldgate.on_ddl_command_end() OWNER TO ${role};
      DO $$ DECLARE f regprocedure; BEGIN FOR f IN SELECT oid FROM pg_proc WHERE proname = 'pg_logical_emit_message' LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f); END LOOP; END $$`);
    const heard = await db.run("ALTER TABLE t ADD b int; INSERT INTO t VALUES (1)");
    expect(heard.words).toEqual(["R(id a b)", "I(1  )"]);
    await db.from.app.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
  });

  test("the server's wal_level is minimal", async ({ skip }) => {
    await using stack = await startStack({
      kafka: false,
      registry: false,
      postgresFlags: ["wal_level=minimal", "max_wal_senders=0"],
    });
    await using client = await session(stack.postgres);
    const { rows } = await client.query<{ wal_level: string }>("SHOW wal_level");
    skip(rows[0]?.wal_level !== "minimal", "the server is not ours to configure");
    expect(await installTrigger(client, stack.postgres.user)).toBe("installed");
    await client.query("CREATE TABLE public.t (id int); ALTER TABLE public.t ADD b int; DROP TABLE public.t");
    expect((await readTriggerSecret(client)).kind).toBe("installed");
  });

  test.each(["LATIN1", "SQL_ASCII"])("if the database's encoding is %s, the message is in UTF-8", async (encoding) => {
    await using stack = new AsyncDisposableStack();
    const admin = stack.use(await freshDatabase());
    const name = `${admin.address.database}_${encoding.toLowerCase()}`;
    await admin.query(`CREATE DATABASE ${name} ENCODING '${encoding}' TEMPLATE template0`);
    stack.defer(async () => void (await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)));
    const client = stack.use(await session({ ...admin.address, database: name }));
    await installTrigger(client, admin.address.user);
    const secret = await secretOf(client);
    await client.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [name]);
    stack.defer(async () => void (await client.query("SELECT pg_drop_replication_slot($1)", [name])));
    await client.query(`CREATE PUBLICATION p; CREATE TABLE public."café" (id int)`);
    const { rows } = await client.query<{ data: string }>(
      "SELECT encode(data, 'hex') AS data FROM pg_logical_slot_peek_binary_changes($1, NULL, NULL, 'proto_version', '1', 'publication_names', 'p', 'messages', 'true')",
      [name],
    );
    const messages = rows.map(({ data }) => decode(Buffer.from(data, "hex")));
    const xid = messages.findLast((one) => one.kind === "begin")?.xid ?? 0;
    const read = messages.flatMap((one) => (one.kind === "message" ? [readDdl(one, xid, secret)] : []));
    expect(read).toMatchObject([{ kind: "trusted", ddl: { tables: [{ table: { name: "café" } }] } }]);
  });
});

describe("the secret", () => {
  test("is in no publication, not even FOR ALL TABLES, and default privileges give nobody access", async () => {
    await using from = await source("CREATE TABLE t ()");
    const role = `reader_${from.database.address.database}`;
    await from.app
      .query(`CREATE ROLE ${role} LOGIN PASSWORD 'p'; ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO ${role}, PUBLIC;
      ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO ${role}; ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO ${role}`);
    await using followed = await follow(from);
    await installTrigger(from.client, from.database.address.user);
    const secret = await secretOf(from.client);
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    const texts = () =>
      followed.items().flatMap((item) => (item.kind === "data" ? [item.bytes.toString("latin1")] : []));
    await until(() => texts().some((text) => text.includes("secret")), "the message about the secret's table");
    await from.app.query("CREATE TABLE after_it ()");
    await until(() => texts().some((text) => text.includes("after_it")), "the message of a later transaction");
    const bytes = texts();
    expect(bytes.filter((text) => text.includes(secret))).toEqual([]);
    await using reader = await session({ ...from.database.address, user: role, password: "p" });
    expect(await failure(reader.query("CREATE TABLE fieldgate.mine ()"))).toMatchObject({ code: "42501" });
    expect(await failure(reader.query("SELECT FROM fieldgate.secret"))).toMatchObject({ code: "42501" });
    expect(await failure(reader.query("SELECT fieldgate.signed('')"))).toMatchObject({ code: "42501" });
    await from.app.query(
      `DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}; ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM PUBLIC`,
    );
  });

  test("is kept when the trigger is installed again, and what a different version installed is updated", async () => {
    await using db = await freshDatabase();
    await using client = await session(db.address);
    expect(await readTriggerSecret(client)).toEqual({ kind: "absent" });
    expect(await installTrigger(client, db.address.user)).toBe("installed");
    const secret = await secretOf(client);
    expect(await installTrigger(client, db.address.user)).toBe("unchanged");
    await client.query(`COMMENT ON EVENT TRIGGER ${TRIGGERS[0]} IS 'fieldgate 0123456789ab'; DROP EVENT TRIGGER ${TRIGGERS[1]};
      CREATE OR REPLACE FUNCTION fieldgate.on_sql_drop() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'`);
    expect(await readTriggerSecret(client)).toMatchObject({
      warnings: [
        `event trigger ${TRIGGERS[1]} is missing`,
        "the trigger was installed by a different version of Fieldgate",
      ],
    });
    expect(await installTrigger(client, db.address.user)).toBe("renewed");
    expect(await readTriggerSecret(client)).toEqual({ kind: "installed", secret, warnings: [] });
    const { rows } = await client.query<{ enabled: string; mark: string }>(
      "SELECT evtenabled AS enabled, obj_description(oid, 'pg_event_trigger') AS mark FROM pg_event_trigger",
    );
    expect(rows).toEqual(TRIGGERS.map(() => ({ enabled: "A", mark: TRIGGER_MARK })));
  });

  test.each([
    ["DISABLE", "event trigger fieldgate_ddl_command_end is disabled"],
    ["ENABLE", "event trigger fieldgate_ddl_command_end is not ENABLE ALWAYS: sessions in replica mode do not fire it"],
    [
      "ENABLE REPLICA",
      "event trigger fieldgate_ddl_command_end is not ENABLE ALWAYS: sessions in replica mode do not fire it",
    ],
  ])("is read with a warning when somebody said %s", async (how, warning) => {
    await using db = await freshDatabase();
    await using client = await session(db.address);
    await installTrigger(client, db.address.user);
    await client.query(`ALTER EVENT TRIGGER fieldgate_ddl_command_end ${how}`);
    expect(await readTriggerSecret(client)).toMatchObject({ kind: "installed", warnings: [warning] });
  });

  test("can be read only by the role it was granted to", async () => {
    await using db = await freshDatabase();
    await using client = await session(db.address);
    const role = `Fieldgate "${db.address.database}"`;
    const quoted = `"${role.replaceAll('"', '""')}"`;
    await client.query(`CREATE ROLE ${quoted} LOGIN PASSWORD 'p'`);
    await using theirs = await session({ ...db.address, user: role, password: "p" });
    await installTrigger(client, db.address.user);
    expect(await readTriggerSecret(theirs)).toEqual({
      kind: "unreadable",
      why: "this role may not read fieldgate.secret",
    });
    expect(await failure(installTrigger(theirs, role))).toMatchObject({ code: "postgres-refused" });
    await theirs.query("ROLLBACK");
    await installTrigger(client, role);
    expect(await readTriggerSecret(theirs)).toEqual(await readTriggerSecret(client));
    await client.query("DELETE FROM fieldgate.secret");
    expect(await readTriggerSecret(theirs)).toEqual({ kind: "unreadable", why: "fieldgate.secret has no row" });
    await installTrigger(client, role);
    expect(await readTriggerSecret(theirs)).toMatchObject({ kind: "installed", warnings: [] });
    await client.query(`DROP OWNED BY ${quoted}; DROP ROLE ${quoted}`);
  });

  test("is not trusted in a schema of another role, and nothing is installed there", async () => {
    await using db = await freshDatabase();
    await using client = await session(db.address);
    const role = `planter_${db.address.database}`;
    await client.query(
      `CREATE ROLE ${role} LOGIN PASSWORD 'p'; GRANT CREATE ON DATABASE ${db.address.database} TO ${role}`,
    );
    await using theirs = await session({ ...db.address, user: role, password: "p" });
    await theirs.query(
      "CREATE SCHEMA fieldgate; CREATE TABLE fieldgate.secret (value text); INSERT INTO fieldgate.secret VALUES ('mine'); GRANT ALL ON SCHEMA fieldgate TO PUBLIC; GRANT ALL ON fieldgate.secret TO PUBLIC",
    );
    expect(await readTriggerSecret(client)).toEqual({ kind: "absent" });
    expect(String(await failure(installTrigger(client, db.address.user)))).toMatch(
      /schema fieldgate belongs to another role/,
    );
    await client.query(
      "ROLLBACK; CREATE FUNCTION fieldgate.f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER fieldgate_ddl_command_end ON ddl_command_end EXECUTE FUNCTION fieldgate.f()",
    );
    expect(await readTriggerSecret(client)).toEqual({
      kind: "unreadable",
      why: "schema fieldgate differs from what `trigger install` creates",
    });
    await client.query(
      `DROP EVENT TRIGGER fieldgate_ddl_command_end; DROP SCHEMA fieldgate CASCADE; DROP OWNED BY ${role}; DROP ROLE ${role}`,
    );
  });
});

test("uninstalling removes everything, or nothing if the schema contains anything else", async () => {
  await using db = await freshDatabase();
  await using client = await session(db.address);
  await installTrigger(client, db.address.user);
  await client.query("CREATE TABLE fieldgate.theirs ()");
  expect(String(await failure(uninstallTrigger(client)))).toMatch(/cannot drop schema fieldgate/);
  await client.query("ROLLBACK; DROP TABLE fieldgate.theirs");
  expect((await readTriggerSecret(client)).kind).toBe("installed");
  expect(await uninstallTrigger(client)).toBe("removed");
  expect(await uninstallTrigger(client)).toBe("absent");
  const { rows } = await client.query(
    "SELECT FROM pg_event_trigger UNION ALL SELECT FROM pg_namespace WHERE nspname = 'fieldgate'",
  );
  expect(rows).toEqual([]);
});

test("the SQL that installs the trigger is always the same and contains no secret", () => {
  expect(installSql("a")).toBe(installSql("a"));
  expect(installSql('we"ird')).toContain('TO "we""ird"');
  expect(installSql("a")).not.toMatch(/[0-9a-f]{64}/);
});
