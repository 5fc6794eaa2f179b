/**
 * A type of an extension is recognised by its name. Its owner's composite or range type of that name is not it, and gets
 * its schema's name too. Only a superuser can create a base type.
 */
const TYPE_NAME = `CASE WHEN y.typtype IN ('b', 'd', 'e') THEN y.typname
                         ELSE y.typnamespace::regnamespace || '.' || y.typname END`;

/**
 * The types selected by `roots` (a SELECT of one column of OIDs) and the types they are built from, as a JSON list of
 * rows for src/table/json.ts. Built-in types other than arrays and domains are left out.
 */
function typesJson(roots: string): string {
  return `(WITH RECURSIVE of_type(oid) AS (
              ${roots}
             UNION
             SELECT CASE WHEN y.typtype = 'd' THEN y.typbasetype ELSE y.typelem END
               FROM of_type JOIN pg_type y ON y.oid = of_type.oid
              WHERE y.typtype = 'd' OR y.typoutput = 'array_out'::regproc)
           SELECT coalesce(json_agg(json_build_object(
                    'oid', y.oid::bigint, 'name', ${TYPE_NAME},
                    'kind', CASE WHEN y.typtype = 'd' THEN 'domain' WHEN y.typtype = 'e' THEN 'enum'
                                 WHEN y.typoutput = 'array_out'::regproc THEN 'array' ELSE 'named' END,
                    'of', CASE WHEN y.typtype = 'd' THEN y.typbasetype ELSE y.typelem END::bigint,
                    'typmod', y.typtypmod,
                    'labels', (SELECT json_agg(l.enumlabel ORDER BY l.enumsortorder) FROM pg_enum l
                                WHERE l.enumtypid = y.oid),
                    'ids', (SELECT json_agg(l.oid::bigint ORDER BY l.enumsortorder) FROM pg_enum l
                             WHERE l.enumtypid = y.oid)) ORDER BY y.oid), '[]')
             FROM of_type JOIN pg_type y ON y.oid = of_type.oid
            WHERE y.oid >= 16384 OR y.typtype = 'd' OR y.typoutput = 'array_out'::regproc)`;
}

/**
 * SQL: true for a column of the table `c` that contains no nulls. A NOT NULL constraint that is NOT VALID proves
 * nothing about older rows.
 */
const NOT_NULL = `a.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint v WHERE v.conrelid = c.oid
                     AND v.contype = 'n' AND NOT v.convalidated AND v.conkey = ARRAY[a.attnum])`;

/** SQL: the unique indexes of the table `c` that can be a key, because they contain each row exactly once. */
const KEYS = `(SELECT k.* FROM
               (SELECT x.relname, i.indisprimary, i.indnkeyatts,
                       CASE c.relreplident WHEN 'i' THEN i.indisreplident WHEN 'd' THEN i.indisprimary ELSE false END
                         AS identifies,
                       (SELECT json_agg(a.attnum ORDER BY u.at)
                          FROM unnest(i.indkey) WITH ORDINALITY AS u(attnum, at)
                          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.attnum AND ${NOT_NULL}
                         WHERE u.at <= i.indnkeyatts) AS key
                  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                 WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
                   AND i.indpred IS NULL AND i.indexprs IS NULL) AS k
              WHERE json_array_length(k.key) = k.indnkeyatts) AS k`;

/**
 * An SQL expression for one table as JSON, for `parseTable`: `c` is its pg_class row, `n` its pg_namespace row. Works
 * on PostgreSQL 14 and later. It needs `search_path = pg_catalog`, which also qualifies the names in default
 * expressions and types. A NOT NULL constraint that is NOT VALID (PostgreSQL 18) proves nothing about existing rows, so
 * such a column does not count as notNull. If pg_get_expr were given the table's OID, it would wait for a migration's
 * lock on the table. A default refers to no columns, so the OID is not needed.
 */
export const TABLE_JSON = `json_build_object(
    'oid', c.oid::bigint, 'schema', n.nspname, 'name', c.relname, 'maxAttnum', c.relnatts,
    'filenode', c.relfilenode::bigint, 'estimatedRows', c.reltuples::bigint,
    'replicaIdentity', CASE c.relreplident WHEN 'd' THEN 'default' WHEN 'n' THEN 'nothing'
                                           WHEN 'f' THEN 'full' ELSE 'index' END,
    'keys', (SELECT coalesce(json_agg(k.key ORDER BY k.identifies DESC, k.indisprimary DESC, k.relname), '[]') FROM ${KEYS}),
    'identified', coalesce((SELECT k.key FROM ${KEYS} WHERE k.identifies), '[]'),
    'types', ${typesJson("SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped")},
    'columns', (SELECT coalesce(json_agg(json_build_object(
                  'attnum', a.attnum, 'name', a.attname, 'oid', a.atttypid::bigint, 'typmod', a.atttypmod,
                  'typeName', format_type(a.atttypid, a.atttypmod),
                  'notNull', ${NOT_NULL},
                  'defaultExpr', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, 0) END,
                  'missing', CASE WHEN a.atthasmissing THEN (a.attmissingval::text::text[])[1] END,
                  'identity', a.attidentity <> '', 'generated', a.attgenerated <> '',
                  'version', a.xmin::text) ORDER BY a.attnum), '[]')
                 FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))`;

/**
 * SQL: what a partitioned table has in place of a file: a negative digest of the files of its partitions `f`, on every
 * level. A command that rewrites them all changes it.
 */
export const PARTITIONS_FILE = `-abs(hashtextextended(
    string_agg(f.oid || '=' || f.relfilenode, ',' ORDER BY f.oid), 0) % (1::bigint << 52))`;

const FILE = `CASE c.relkind WHEN 'p' THEN coalesce((
    WITH RECURSIVE below(oid) AS (
      SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = c.oid
      UNION SELECT i.inhrelid FROM below b JOIN pg_inherits i ON i.inhparent = b.oid)
    SELECT ${PARTITIONS_FILE} FROM below b JOIN pg_class f ON f.oid = b.oid), 0) ELSE c.relfilenode::bigint END`;

/** TABLE_JSON as the catalog is read. The trigger, which reports each rewrite, does not look at partitions' files. */
export const CATALOG_TABLE_JSON = TABLE_JSON.replace("c.relfilenode::bigint", FILE);

/** An SQL expression for the types whose OIDs are in `$1::text[]`, for `parseTypes`. */
export const TYPES_JSON = typesJson("SELECT w.oid::oid FROM unnest($1::text[]) AS w(oid)");
