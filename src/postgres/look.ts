import type { Client } from "pg";
import type { LookedPublication, LookedTable, TablesLook } from "../capture/look.ts";
import { LSN_ZERO, type Lsn, parseLsn } from "../wal/lsn.ts";
import { query } from "./connection.ts";
import { fullName } from "../table/quote.ts";
import { PARTITIONS_FILE } from "./table-json.ts";

/**
 * Reads all tables and the publication from the catalog alone. No function here opens a table, so this never waits for
 * a migration's lock (reading the view pg_publication_tables would).
 */

interface LookRow extends Readonly<Record<string, string | null>> {
  readonly end: string;
  readonly publication: string | null;
  readonly tables: string;
  readonly enums: string;
}

export async function readTablesLook(client: Client, publication: string): Promise<TablesLook & { readonly end: Lsn }> {
  const [version] = await query<{ readonly number: string }>(
    client,
    "reading the server's version",
    "SELECT current_setting('server_version_num') AS number",
  );
  const number = Number(version?.number ?? 0);
  const statement = lookStatement(number >= 150_000 ? SCHEMAS : NO_SCHEMAS, number >= 180_000 ? UNSENT : "false");
  const [row] = await query<LookRow>(client, "looking at the tables", statement, [publication]);
  // The statement builds exactly these types.
  const tables = JSON.parse(row?.tables ?? "[]") as readonly LookedTable[];
  const enums = JSON.parse(row?.enums ?? "{}") as Readonly<Record<string, string>>;
  const found = JSON.parse(row?.publication ?? "null") as LookedPublication | null;
  return {
    end: parseLsn(row?.end ?? "") ?? LSN_ZERO,
    publication: found ?? undefined,
    tables: new Map(tables.map((table) => [table.oid, table])),
    named: new Map(tables.map((table) => [fullName(table), table])),
    enums: new Map(Object.entries(enums).map(([oid, labels]) => [Number(oid), labels])),
  };
}

// PostgreSQL 14 cannot publish schemas, and has neither column lists nor row filters; to_jsonb gives null for them
// there.
const SCHEMAS = `SELECT s.pnnspid AS nsp, 'schema:' || s.oid || '.' || s.xmin AS id
                   FROM pg_publication_namespace s JOIN pub ON s.pnpubid = pub.oid`;
const NO_SCHEMAS = "SELECT NULL::oid AS nsp, NULL::text AS id WHERE false";

// From PostgreSQL 18 on, an identity must not contain a generated column that the publication leaves out.
const UNSENT = `a.attgenerated = 'v' OR (a.attgenerated = 's'
                  AND (SELECT to_jsonb(pub) ->> 'pubgencols' FROM pub) IS DISTINCT FROM 's')`;

const generatedIn = (unsent: string) =>
  `EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped AND (${unsent}))`;

const fileJson = (c: string, n: string) => `json_build_object('table', ${c}.oid::bigint,
  'name', ${n}.nspname || '.' || ${c}.relname, 'file', ${c}.relfilenode::bigint, 'toast', ${c}.reltoastrelid::bigint,
  'version', ${c}.xmin::text)`;

// A table that is published with its schema is not sent while it is in a different one. SET SCHEMA writes a new version of
// its primary key's constraint, and of its row type.
//
// CREATE TABLE … PARTITION OF writes a table's system columns and its pg_inherits row in one command, a few steps of the
// command counter apart, and its columns in between. ATTACH PARTITION writes the columns again, at the step of the
// pg_inherits row, also where it follows the CREATE TABLE closely. Columns that were changed by a later transaction show
// neither.
const MOST_STEPS = 4;

const lookStatement = (schemas: string, unsent: string) => `
  WITH RECURSIVE pub AS (SELECT p.*, p.xmin AS made FROM pg_publication p WHERE p.pubname = $1),
  named AS (
    SELECT r.prrelid AS rel, 'table:' || r.oid || '.' || r.xmin AS id,
           coalesce(to_jsonb(r) -> 'prattrs' <> 'null', false) AS columns,
           coalesce(to_jsonb(r) -> 'prqual' <> 'null', false) AS filter
      FROM pg_publication_rel r JOIN pub ON r.prpubid = pub.oid),
  schemas AS (${schemas}),
  sent AS (
    SELECT c.oid AS rel, n.id, coalesce(n.columns, false) AS columns, coalesce(n.filter, false) AS filter
      FROM pg_class c JOIN (SELECT * FROM named) n ON n.rel = c.oid
    UNION ALL
    SELECT c.oid, s.id || '/' || coalesce(k.xmin, y.xmin), false, false
      FROM pg_class c JOIN schemas s ON s.nsp = c.relnamespace LEFT JOIN pg_type y ON y.oid = c.reltype
      LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p' WHERE c.relkind IN ('r', 'p')),
  link AS (
    SELECT i.inhrelid AS child, i.inhparent AS parent, c.relpersistence AS persistence,
           CASE WHEN a.xmin = i.xmin AND abs(i.cmin::text::bigint - a.cmin::text::bigint) <= ${MOST_STEPS} AND NOT coalesce(
                  (SELECT bool_and(u.cmin::text::bigint >= i.cmin::text::bigint) FROM pg_attribute u
                    WHERE u.attrelid = i.inhrelid AND u.attnum > 0 AND NOT u.attisdropped AND u.xmin = i.xmin), false)
                THEN NULL ELSE i.inhrelid || '.' || i.xmin END AS attached
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition
      LEFT JOIN pg_attribute a ON a.attrelid = i.inhrelid AND a.attnum = -6),
  above AS (
    SELECT child, parent, persistence, attached, child AS leaf FROM link
    UNION ALL
    SELECT link.child, link.parent, above.persistence, above.attached, above.leaf
      FROM above JOIN link ON link.child = above.parent),
  ancestor AS (SELECT DISTINCT leaf, parent FROM above),
  upward AS (
    SELECT a.leaf AS rel, json_agg(DISTINCT a.parent::bigint) AS ancestors,
           coalesce(json_agg(s.id ORDER BY s.id) FILTER (WHERE s.id IS NOT NULL), '[]') AS ids,
           coalesce(bool_or(s.columns), false) AS columns, coalesce(bool_or(s.filter), false) AS filter
      FROM ancestor a LEFT JOIN sent s ON s.rel = a.parent GROUP BY a.leaf),
  downward AS (
    SELECT parent AS rel, bool_or(persistence <> 'p') AS unlogged,
           coalesce(json_agg(DISTINCT attached) FILTER (WHERE attached IS NOT NULL), '[]') AS attached
      FROM above GROUP BY parent),
  parts AS (
    SELECT a.parent AS rel, ${PARTITIONS_FILE} AS file, json_agg(${fileJson("f", "n")}) FILTER (WHERE f.relkind = 'r') AS files,
           json_agg(quote_ident(n.nspname) || '.' || quote_ident(f.relname)) FILTER (WHERE f.relkind = 'f') AS foreigners
      FROM ancestor a JOIN pg_class f ON f.oid = a.leaf JOIN pg_namespace n ON n.oid = f.relnamespace GROUP BY a.parent),
  columns AS (
    SELECT attrelid AS rel, md5(string_agg(attnum || '=' || xmin, ',' ORDER BY attnum)) AS digest
      FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped GROUP BY attrelid),
  identity AS (
    SELECT x.indrelid AS rel, x.indisprimary AS main, x.indisreplident AS chosen, i.relname AS name,
           (x.indkey::int2[])[0:x.indnkeyatts - 1] AS columns
      FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
     WHERE x.indisunique AND x.indisvalid AND x.indislive AND x.indimmediate AND x.indpred IS NULL AND x.indexprs IS NULL
       AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = x.indrelid
                          AND a.attnum = ANY ((x.indkey::int2[])[0:x.indnkeyatts - 1]) AND (NOT a.attnotnull OR ${unsent}))),
  itself AS (
    SELECT rel, json_agg(id ORDER BY id) AS ids, bool_or(columns) AS columns, bool_or(filter) AS filter FROM sent GROUP BY rel)
  SELECT pg_current_wal_insert_lsn() AS end,
    (SELECT json_build_object('identity', oid || '.' || made, 'allTables', puballtables, 'viaRoot', pubviaroot,
       'operations', array_remove(ARRAY[CASE WHEN pubinsert THEN 'insert' END, CASE WHEN pubupdate THEN 'update' END,
                       CASE WHEN pubdelete THEN 'delete' END, CASE WHEN pubtruncate THEN 'truncate' END], NULL))
       FROM pub) AS publication,
    (SELECT coalesce(json_object_agg(e.enumtypid::bigint, e.labels), '{}') FROM
       (SELECT enumtypid, md5(convert_to(string_agg(oid || '=' || enumlabel, ',' ORDER BY oid), 'UTF8')) AS labels
          FROM pg_enum GROUP BY enumtypid) AS e) AS enums,
    (SELECT coalesce(json_agg(json_build_object('oid', c.oid::bigint, 'schema', n.nspname, 'name', c.relname,
       'partitioned', c.relkind = 'p',
       'persistence', CASE WHEN d.unlogged THEN 'u' ELSE c.relpersistence END, 'file', CASE c.relkind WHEN 'p' THEN coalesce(p.file, 0) ELSE c.relfilenode::bigint END,
       'files', CASE c.relkind WHEN 'p' THEN coalesce(p.files, '[]') ELSE json_build_array(${fileJson("c", "n")}) END,
       'foreign', coalesce(p.foreigners, '[]'), 'columns', coalesce(a.digest, ''),
       'readable', has_table_privilege(c.oid, 'SELECT'), 'usable', has_schema_privilege(n.oid, 'USAGE'),
       'hidden', row_security_active(c.oid),
       'identified', k.identified, 'remedy', CASE WHEN NOT k.identified THEN coalesce(
         (SELECT CASE WHEN bool_or(o.main) THEN 'DEFAULT' ELSE 'USING INDEX ' || quote_ident(min(o.name)) END
            FROM identity o WHERE o.rel = c.oid HAVING count(*) > 0),
         CASE WHEN NOT ${generatedIn(unsent)} THEN 'FULL' END) END,
       'covers', CASE WHEN c.relreplident <> 'f' THEN coalesce(k.columns, '{}') END,
       'ancestors', coalesce(u.ancestors, '[]'), 'own', coalesce(i.ids, '[]'), 'above', coalesce(u.ids, '[]'),
       'columnList', coalesce(i.columns, false) OR coalesce(u.columns, false),
       'rowFilter', coalesce(i.filter, false) OR coalesce(u.filter, false),
       'generated', coalesce((SELECT to_jsonb(pub) ->> 'pubgencols' FROM pub) = 's', false) AND EXISTS (
         SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attgenerated = 's' AND NOT a.attisdropped),
       'attached', coalesce(d.attached, '[]'))), '[]')
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN itself i ON i.rel = c.oid LEFT JOIN upward u ON u.rel = c.oid LEFT JOIN downward d ON d.rel = c.oid
       LEFT JOIN parts p ON p.rel = c.oid LEFT JOIN columns a ON a.rel = c.oid
       LEFT JOIN identity y ON y.rel = c.oid
         AND CASE c.relreplident WHEN 'd' THEN y.main WHEN 'i' THEN y.chosen ELSE false END
       CROSS JOIN LATERAL (SELECT y.columns, CASE c.relreplident WHEN 'f' THEN NOT ${generatedIn(unsent)}
                                             ELSE y.rel IS NOT NULL END AS identified) k
      WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
        AND n.nspname NOT IN ('information_schema', 'fieldgate') AND c.relname <> 'spatial_ref_sys') AS tables`;
