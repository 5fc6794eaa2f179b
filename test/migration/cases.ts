/**
 * Migrations as tools and people write them. `truth` is what really runs in the database, if that is a different text.
 * `asks`: a person has to look, because rows stop, because the database lacks what the migration names, or because it
 * cannot be read.
 */
export interface Case {
  readonly sql: string;
  readonly truth?: string;
  readonly asks?: "stops" | "missing" | "unread";
}

const up = "ALTER TABLE customers ADD COLUMN nick text;";

export const CASES: Readonly<Record<string, readonly (string | Case)[]>> = {
  "up and down sections": [
    {
      sql: `-- +goose Up\n-- +goose StatementBegin\n${up}\n-- +goose StatementEnd\n\n-- +goose Down\nALTER TABLE customers DROP COLUMN nick;`,
      truth: up,
    },
    { sql: `-- +goose NO TRANSACTION\n-- +goose UP\n${up}\n-- +goose DOWN\nDROP TABLE customers;`, truth: up },
    {
      sql: `-- migrate:up transaction:false\n${up}\n\n-- migrate:down\nALTER TABLE customers DROP COLUMN nick;`,
      truth: up,
    },
    { sql: `-- +migrate Up notransaction\n${up}\n-- +migrate Down\nALTER TABLE customers DROP nick;`, truth: up },
    { sql: `-- Up Migration\n${up}\n\n-- Down Migration\nALTER TABLE customers DROP COLUMN zip;`, truth: up },
    { sql: `-- rambler up\n${up}\n-- rambler down\nALTER TABLE customers DROP COLUMN zip;`, truth: up },
    { sql: `${up}\n---- create above / drop below ----\nALTER TABLE customers DROP COLUMN zip;`, truth: up },
    { sql: `-- // add nick\n${up}\n-- //@UNDO\nALTER TABLE customers DROP COLUMN zip;`, truth: up },
    { sql: `# --- !Ups\n${up}\n# --- !Downs\nALTER TABLE customers DROP COLUMN zip;`, truth: up },
    { sql: `-- Up\n${up}\n-- Down\nALTER TABLE customers DROP COLUMN zip;`, truth: up },
    { sql: `-- down\n${up}`, truth: up },
    {
      sql: `-- +goose Up\nALTER TABLE customers DROP COLUMN zip;\n-- +goose Down\nALTER TABLE customers ADD COLUMN zip text;`,
      truth: "ALTER TABLE customers DROP COLUMN zip",
    },
    {
      sql: `-- liquibase formatted sql\n-- changeset a:1\n${up}\n-- rollback ALTER TABLE customers DROP COLUMN nick;`,
      truth: up,
    },
  ],
  "table swaps": [
    {
      sql: `CREATE TABLE customers_v2 (LIKE customers INCLUDING ALL);
        ALTER TABLE customers RENAME TO customers_v1; ALTER TABLE customers_v2 RENAME TO customers; DROP TABLE customers_v1 CASCADE;`,
      asks: "stops",
    },
    {
      sql: "SELECT * INTO copy FROM customers; ALTER TABLE customers SET SCHEMA archive; ALTER TABLE copy RENAME TO customers;",
      asks: "stops",
    },
    {
      sql: "ALTER TABLE shop.orders RENAME TO orders_old; ALTER TABLE archive.orders DROP CONSTRAINT orders_pkey; ALTER TABLE archive.orders SET SCHEMA shop;",
      asks: "stops",
    },
    { sql: "DROP TABLE audit;", asks: "stops" },
    { sql: "DROP SCHEMA shop CASCADE;", asks: "stops" },
    {
      sql: "ALTER TABLE customers RENAME TO people; ALTER TABLE people ADD COLUMN nick text; ALTER TABLE people RENAME TO customers;",
    },
    "ALTER TABLE customers RENAME TO people;",
    "ALTER TABLE shop.orders SET SCHEMA archive_2025;".replace("archive_2025", "public"),
    "ALTER SCHEMA shop RENAME TO store; ALTER TABLE store.orders ADD COLUMN gift boolean;",
    {
      sql: "ALTER SCHEMA archive RENAME TO history; CREATE SCHEMA archive; CREATE TABLE IF NOT EXISTS customers (id int);",
    },
  ],
  "keys by unique index": [
    "CREATE UNIQUE INDEX audit_at ON audit (at);",
    "CREATE UNIQUE INDEX audit_who ON audit (who);",
    "CREATE UNIQUE INDEX audit_part ON audit (at) WHERE who IS NOT NULL;",
    "CREATE UNIQUE INDEX audit_lower ON audit (lower(what));",
    "ALTER TABLE audit ALTER COLUMN who SET NOT NULL; ALTER TABLE audit ADD UNIQUE (who, at);",
    "ALTER TABLE audit ADD CONSTRAINT audit_u UNIQUE (at) DEFERRABLE;",
    "DROP INDEX codes_code;",
    "CREATE UNIQUE INDEX codes_new ON codes (region, code); DROP INDEX codes_code;",
    "ALTER TABLE codes ADD PRIMARY KEY USING INDEX codes_code;",
    "ALTER TABLE codes ADD PRIMARY KEY (region, code);",
    "CREATE UNIQUE INDEX a_codes ON codes (region);",
    "ALTER TABLE codes ALTER COLUMN code DROP NOT NULL;",
    "ALTER TABLE codes DROP COLUMN code;",
    "ALTER TABLE codes RENAME COLUMN code TO short;",
    "ALTER INDEX codes_code RENAME TO z_codes; CREATE UNIQUE INDEX b_codes ON codes (code, region);",
    "ALTER TABLE audit ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY UNIQUE;",
    "ALTER TABLE audit ADD COLUMN n bigserial PRIMARY KEY;",
    "ALTER TABLE shop.orders DROP CONSTRAINT orders_pkey, ADD PRIMARY KEY (number);",
    "ALTER TABLE shop.orders DROP CONSTRAINT orders_pkey;",
    "ALTER TABLE shop.orders REPLICA IDENTITY USING INDEX orders_number;",
    "ALTER TABLE shop.orders REPLICA IDENTITY FULL;",
    `ALTER TABLE "Account" DROP CONSTRAINT "Account_pkey", ADD CONSTRAINT "Account_pkey" PRIMARY KEY ("id", "userId");`,
    `ALTER TABLE "Account" RENAME CONSTRAINT "Account_pkey" TO "pk"; ALTER TABLE "Account" DROP CONSTRAINT "pk";`,
  ],
  partitions: [
    "CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
    "CREATE TABLE events_old (LIKE events); ALTER TABLE events ATTACH PARTITION events_old FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');",
    "ALTER TABLE events DETACH PARTITION events_2025;",
    "DROP TABLE events_2025;",
    "ALTER TABLE events ADD COLUMN kind text NOT NULL DEFAULT 'click';",
    "CREATE INDEX events_body ON events USING gin (body);",
  ],
  "transactions that are rolled back": [
    { sql: `BEGIN; ALTER TABLE customers DROP COLUMN zip; ROLLBACK; BEGIN; ${up} COMMIT;`, truth: up },
    {
      sql: `START TRANSACTION; SAVEPOINT a; ALTER TABLE customers DROP age; SAVEPOINT b; ${up} ROLLBACK TO a; RELEASE a; COMMIT;`,
      truth: "SELECT 1",
    },
    {
      sql: `BEGIN; SET LOCAL search_path = shop; ALTER TABLE orders ADD COLUMN gift boolean; COMMIT; ${up}`,
      truth: `ALTER TABLE shop.orders ADD COLUMN gift boolean; ${up}`,
    },
    { sql: "ALTER TABLE customers DROP COLUMN zip; ROLLBACK;", truth: "SELECT 1", asks: "unread" },
    { sql: `BEGIN; ${up} ABORT AND CHAIN; ALTER TABLE customers DROP COLUMN zip; ROLLBACK;`, truth: "SELECT 1" },
  ],
  "defaults as PostgreSQL stores them": [
    "ALTER TABLE customers ADD d1 date DEFAULT '1 Feb 2024' NOT NULL, ADD d2 timestamp DEFAULT '2024-02-01T10:00:00', ADD d3 timestamptz DEFAULT '2024-02-01 10:00+02';",
    "ALTER TABLE customers ADD i1 interval DEFAULT '1 week' NOT NULL, ADD i2 interval DEFAULT 'P1DT2H';",
    "ALTER TABLE customers ADD u uuid DEFAULT 'B7A1F6A0-5F5A-4F63-9B1A-0C3AD4F9C111' NOT NULL;",
    `ALTER TABLE customers ADD j jsonb DEFAULT '{"b":1,"a":[1,2]}' NOT NULL, ADD k json DEFAULT '{"b":1}';`,
    "ALTER TABLE customers ADD n1 numeric(6,2) DEFAULT '007.5' NOT NULL, ADD n2 integer DEFAULT '007', ADD n3 bigint DEFAULT '-5', ADD n4 numeric DEFAULT 1e3;",
    "ALTER TABLE customers ADD f1 double precision DEFAULT '1.50', ADD f2 real DEFAULT -2.5, ADD f3 float DEFAULT '1e2';",
    "ALTER TABLE customers ADD b1 boolean DEFAULT 'yes' NOT NULL, ADD b2 boolean DEFAULT '0', ADD b3 boolean DEFAULT 'off'::boolean;",
    "ALTER TABLE customers ADD t1 text DEFAULT 'a\\b', ADD t2 varchar(5) DEFAULT 'it''s'::varchar, ADD t3 text DEFAULT E'tab\\t', ADD t4 char(2) DEFAULT 'x' NOT NULL;",
    "ALTER TABLE customers ADD c1 integer DEFAULT 0::integer, ADD c2 bigint DEFAULT 0::bigint, ADD c3 numeric DEFAULT 1.5::numeric, ADD c4 timestamptz DEFAULT CURRENT_TIMESTAMP::timestamptz;",
    "ALTER TABLE customers ADD e1 timestamptz DEFAULT now() + interval '1 day', ADD e2 date DEFAULT (now() AT TIME ZONE 'utc')::date, ADD e3 timestamp DEFAULT (now() AT TIME ZONE 'utc'), ADD e4 date DEFAULT CURRENT_DATE + 1;",
    "ALTER TABLE customers ADD g1 text DEFAULT lower('X') || 'y', ADD g2 text DEFAULT 'a' || 'b', ADD g3 integer DEFAULT 2 * 3, ADD g4 text DEFAULT COALESCE(NULL, 'x'), ADD g5 text DEFAULT md5(random()::text);",
    "ALTER TABLE customers ADD s integer DEFAULT nextval('public.goose_db_version_id_seq'), ADD l level DEFAULT 'gold'::level NOT NULL, ADD m email DEFAULT 'a@b';",
    "ALTER TABLE customers ADD p inet DEFAULT '10.0.0.1/32', ADD q cidr DEFAULT '10.0.0.0/8', ADD r daterange DEFAULT '[2024-01-01,2024-01-31]', ADD b bit(3) DEFAULT '101';",
    "ALTER TABLE customers ADD tm time DEFAULT '10:00', ADD tz timetz DEFAULT '10:00+00', ADD mo money DEFAULT 5, ADD bt bytea DEFAULT '\\xDEADBEEF', ADD ar int[] DEFAULT '{1,2}' NOT NULL;",
    "ALTER TABLE customers ALTER balance SET DEFAULT '10', ALTER zip SET DEFAULT '', ALTER age SET DEFAULT -1, ALTER active SET DEFAULT 'f', ALTER level DROP DEFAULT;",
    "ALTER TABLE customers ALTER level SET DEFAULT 'silver'; ALTER TABLE shop.orders ALTER state DROP DEFAULT, ALTER total SET DEFAULT 0;",
    { sql: "ALTER TABLE customers ADD at timestamptz DEFAULT 'now';", asks: "unread" },
  ],
  "statements that change nothing for readers": [
    "SET lock_timeout = '5s'; SET LOCAL statement_timeout = 0; RESET lock_timeout;",
    "ALTER TABLE shop.orders DROP CONSTRAINT orders_customer; ALTER TABLE shop.orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers NOT VALID; ALTER TABLE shop.orders VALIDATE CONSTRAINT orders_customer;",
    "ALTER TABLE shop.orders DROP CONSTRAINT orders_total, ADD CONSTRAINT orders_total CHECK (total > 0);",
    "ALTER TABLE customers ADD CHECK (age > 0); ALTER TABLE customers DROP CONSTRAINT customers_age_check;",
    "COMMENT ON TABLE customers IS 'x'; COMMENT ON COLUMN customers.zip IS 'y';",
    "DROP INDEX customers_zip; CREATE INDEX customers_zip_2 ON customers (zip, age); REINDEX TABLE customers;",
    "CREATE VIEW v AS SELECT id FROM customers; DROP VIEW v CASCADE; CREATE MATERIALIZED VIEW m AS SELECT 1; DROP MATERIALIZED VIEW m;",
    "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; CREATE TRIGGER t BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION touch(); ALTER TABLE customers DISABLE TRIGGER t; DROP TRIGGER t ON customers;",
    "CREATE RULE r AS ON DELETE TO countries DO INSTEAD NOTHING; DROP RULE r ON countries;",
    "ALTER TABLE customers ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON customers USING (true); ALTER TABLE customers SET (fillfactor = 80), ALTER zip SET STATISTICS 100, ALTER zip SET STORAGE EXTERNAL;",
    "CREATE SEQUENCE sq; ALTER SEQUENCE sq RESTART 5; SELECT setval('sq', 10), pg_catalog.set_config('lock_timeout', '1s', true); DROP SEQUENCE sq;",
    "CREATE TYPE mood AS ENUM ('a'); ALTER TYPE mood ADD VALUE 'b'; DROP TYPE mood; ALTER DOMAIN email ADD CHECK (VALUE <> '');",
    "INSERT INTO countries VALUES (1, 'a;b'), (2, '--'); UPDATE customers SET zip = upper(zip); DELETE FROM countries; ANALYZE customers; TRUNCATE audit; LOCK TABLE audit;",
    "ALTER TABLE countries ADD COLUMN iso text NOT NULL, DROP COLUMN name; ALTER TABLE countries DROP CONSTRAINT countries_pkey; DROP TABLE countries;",
    "CREATE TABLE other (id int PRIMARY KEY, l level); ALTER TABLE other ADD COLUMN x int; DROP TABLE IF EXISTS nothing;",
    "GRANT SELECT ON customers TO PUBLIC; REVOKE SELECT ON customers FROM PUBLIC; ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO PUBLIC;",
    "COPY countries (id, name) FROM stdin;\n1\t'; DROP TABLE customers;\n\\.\n".replace("COPY", "-- from a dump\nCOPY"),
    "CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN n > 0 THEN n * 2 END; END; DROP FUNCTION twice(int);",
  ],
  "names that the database does not have": [
    { sql: "ALTER TABLE costumers ADD COLUMN x int;", truth: "SELECT 1", asks: "missing" },
    { sql: `ALTER TABLE "Customers" ADD COLUMN x int;`, truth: "SELECT 1", asks: "missing" },
    { sql: "ALTER TABLE sales.orders ADD COLUMN x int;", truth: "SELECT 1", asks: "missing" },
    { sql: "ALTER TABLE customers ADD COLUMN x mood;", truth: "SELECT 1", asks: "missing" },
    { sql: "ALTER TABLE customers DROP COLUMN nick;", truth: "SELECT 1", asks: "missing" },
    { sql: "ALTER TABLE customers DROP CONSTRAINT customers_name;", truth: "SELECT 1", asks: "missing" },
    { sql: "SELECT migrate_customers();", truth: "SELECT 1", asks: "unread" },
    "ALTER TABLE IF EXISTS costumers ADD COLUMN x int; ALTER TABLE customers DROP COLUMN IF EXISTS nick, DROP CONSTRAINT IF EXISTS nope;",
    { sql: "ALTER TABLE orders ADD COLUMN gift boolean;", truth: "ALTER TABLE shop.orders ADD COLUMN gift boolean;" },
    {
      sql: "SET search_path TO archive, shop; ALTER TABLE orders ADD COLUMN gift boolean;",
      truth: "ALTER TABLE archive.orders ADD COLUMN gift boolean;",
    },
    {
      sql: "SELECT set_config('search_path', 'shop', false); ALTER TABLE orders ADD COLUMN gift boolean;",
      truth: "ALTER TABLE shop.orders ADD COLUMN gift boolean;",
    },
    {
      sql: "ALTER TABLE ${flyway:defaultSchema}.customers ADD COLUMN x int;",
      truth: "ALTER TABLE customers ADD COLUMN x int;",
    },
    { sql: "ALTER TABLE :schema.customers ADD COLUMN x int;", truth: "ALTER TABLE customers ADD COLUMN x int;" },
  ],
  "blocks and functions": [
    "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'customers' AND column_name = 'nick') THEN ALTER TABLE customers ADD COLUMN nick text; ALTER TABLE customers ALTER nick SET NOT NULL; END IF; END $$;",
    "DO $$ BEGIN IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'public.customers'::regclass AND attname = 'zip' AND NOT attisdropped) THEN ALTER TABLE customers RENAME COLUMN zip TO postcode; ELSE ALTER TABLE customers ADD COLUMN postcode text; END IF; END $$;",
    "DO $$ BEGIN CREATE TYPE mood AS ENUM ('a', 'b'); EXCEPTION WHEN duplicate_object THEN NULL; END $$; ALTER TABLE customers ADD COLUMN mood mood NOT NULL DEFAULT 'a';",
    "DO $$ BEGIN ALTER TABLE customers ADD COLUMN zip text; EXCEPTION WHEN duplicate_column THEN RAISE NOTICE 'there already'; END $$;",
    "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typname = 'level') THEN CREATE TYPE level AS ENUM ('x'); END IF; EXECUTE 'ALTER TABLE customers ADD COLUMN second level'; END $$;",
    "DO $$ BEGIN IF to_regclass('public.countries') IS NOT NULL THEN EXECUTE format('ALTER TABLE %I.%I ADD COLUMN gift boolean', 'shop', 'orders'); END IF; END $$;",
    "DO $$ DECLARE r record; BEGIN FOR r IN SELECT id FROM customers LOOP UPDATE customers SET zip = '' WHERE id = r.id; END LOOP; END $$;",
    {
      sql: "DO $$ DECLARE t text; BEGIN FOR t IN SELECT 'customers' LOOP EXECUTE 'ALTER TABLE ' || t || ' ADD COLUMN nick text'; END LOOP; END $$;",
      asks: "unread",
    },
    {
      sql: "DO $$ BEGIN IF (SELECT count(*) FROM customers) = 0 THEN ALTER TABLE customers DROP COLUMN zip; END IF; END $$;",
      asks: "unread",
    },
    {
      sql: `CREATE FUNCTION add_nick() RETURNS void LANGUAGE sql AS 'ALTER TABLE customers ADD COLUMN nick text'; SELECT add_nick(); DROP FUNCTION add_nick();`,
    },
    {
      sql: `CREATE PROCEDURE add_nick() LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE customers ADD COLUMN nick text; END $$; CALL add_nick();`,
    },
  ],
  "types and columns": [
    "CREATE TYPE size AS ENUM ('s', 'l'); ALTER TABLE customers ADD COLUMN size size NOT NULL DEFAULT 's', ADD COLUMN sizes size[];",
    "ALTER TYPE level ADD VALUE 'platinum' AFTER 'gold';",
    "ALTER TYPE level ADD VALUE IF NOT EXISTS 'gold';",
    "ALTER TYPE level RENAME VALUE 'gold' TO 'platinum';",
    "ALTER TYPE level RENAME TO grade; ALTER TYPE shop.state SET SCHEMA public;",
    "CREATE TYPE level2 AS ENUM ('bronze', 'gold'); ALTER TABLE customers ALTER level DROP DEFAULT, ALTER level TYPE level2 USING level::text::level2, ALTER level SET DEFAULT 'gold'; DROP TYPE level;",
    "DROP TYPE shop.state CASCADE;",
    "CREATE DOMAIN percent AS numeric(5,2) CHECK (VALUE BETWEEN 0 AND 100); ALTER TABLE customers ADD COLUMN discount percent DEFAULT 0;",
    "CREATE TYPE address AS (street text, city text); ALTER TABLE customers ADD COLUMN home address;",
    "ALTER TABLE shop.orders ALTER COLUMN total_cents DROP EXPRESSION;",
    "ALTER TABLE shop.orders ADD COLUMN net numeric GENERATED ALWAYS AS (total * 0.8) STORED;",
    "ALTER TABLE shop.orders ALTER COLUMN note TYPE varchar(200), ALTER COLUMN customer_id TYPE bigint; ALTER TABLE customers ALTER balance TYPE numeric(14,2), ALTER age TYPE text USING age::text;",
    "ALTER TABLE customers ALTER COLUMN id DROP IDENTITY; ALTER TABLE customers ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (START 100);",
    "ALTER TABLE customers ADD COLUMN a citext, ADD COLUMN b pg_lsn, ADD COLUMN c tsquery, ADD COLUMN d int4multirange, ADD COLUMN e xml;",
    "ALTER TABLE customers DROP COLUMN zip, ADD COLUMN zip integer;",
    "ALTER TABLE customers ADD COLUMN zip2 text; UPDATE customers SET zip2 = zip; ALTER TABLE customers DROP COLUMN zip; ALTER TABLE customers RENAME zip2 TO zip;",
    "ALTER TABLE customers ADD COLUMN x text; ALTER TABLE customers DROP COLUMN x;",
    "ALTER TABLE customers ALTER zip SET NOT NULL, ALTER name DROP NOT NULL;",
    "ALTER TABLE customers DROP COLUMN id CASCADE;",
  ],
  "psql commands": [
    { sql: `\\set ON_ERROR_STOP on\n\\timing\nSET client_min_messages = warning;\n${up}\n\\echo done\n`, truth: up },
    {
      sql: `\\restrict abc\nSELECT pg_catalog.set_config('search_path', '', false);\nALTER TABLE ONLY public.customers ADD COLUMN nick text;\n\\unrestrict abc\n`,
      truth: up,
    },
    { sql: "\\i more.sql\n", truth: "SELECT 1", asks: "unread" },
    {
      sql: "SELECT 'ALTER TABLE customers DROP COLUMN zip' \\gexec\n",
      truth: "ALTER TABLE customers DROP COLUMN zip",
      asks: "unread",
    },
    { sql: "DROP PUBLICATION fieldgate;", truth: "SELECT 1", asks: "unread" },
    { sql: "ALTER TABLE customers SET UNLOGGED;", truth: "SELECT 1", asks: "unread" },
    { sql: "SELECT pg_drop_replication_slot('fieldgate');", truth: "SELECT 1", asks: "unread" },
  ],
};
