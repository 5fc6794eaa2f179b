/** A type, an expression for its default, and values, all in SQL. */
export interface TypedColumn {
  readonly name: string;
  readonly type: string;
  readonly byDefault: string;
  readonly values: readonly [string, string];
}

const column = (name: string, type: string, byDefault: string, ...values: [string, string]): TypedColumn => ({
  name,
  type,
  byDefault,
  values,
});

/** Run before the tables are created: user-defined types, and extensions that are part of PostgreSQL. */
export const TYPES = `
  create extension citext; create extension hstore; create extension ltree; create extension isn;
  create type mood as enum ('sad', 'ok', 'happy');
  create domain price as numeric(8, 2) check (value >= 0);
  create domain discount as price;
  create type pair as (a int, b text)`;

/** Tables by kind of column. Each column appears three times: nullable, with a default, and NOT NULL with the default. */
export const TABLES: Readonly<Record<string, readonly TypedColumn[]>> = {
  numbers: [
    column("small", "smallint", "7", "1", "-32768"),
    column("int", "integer", "-1", "2147483647", "-2147483648"),
    column("big", "bigint", "5000000000", "9007199254740993", "-9223372036854775808"),
    column("real", "real", "1.5", "3.4e38", "'-Infinity'"),
    column("double", "double precision", "'2.25'", "0.1", "'NaN'"),
    column("fixed", "numeric(10,2)", "1.5", "12.3", "-99999999.99"),
    column("whole", "numeric(5)", "3", "99999", "-1"),
    column("free", "numeric", "1.5", "12345678901234567890.123456789", "-0.000100"),
    column("cash", "money", "'1.00'", "'12.34'", "'-1234.56'"),
    column("id_of", "oid", "1", "4294967295", "0"),
    column("truth", "boolean", "true", "false", "true"),
  ],
  texts: [
    column("text", "text", "'so'", "'žš\"\\'", "''"),
    column("varying", "varchar(5)", "'abc'", "'ab   '", "'vwxyz'"),
    column("fixed", "char(5)", "'ab'", "'a'", "'abcde'"),
    column("single", '"char"', "'x'", "'y'", "''"),
    column("free_case", "citext", "'Ab'", "'Hello'", "''"),
    column(
      "uuid",
      "uuid",
      "gen_random_uuid()",
      "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
      "'00000000-0000-0000-0000-000000000001'",
    ),
    column("mood", "mood", "'ok'", "'sad'", "'happy'"),
    column("json", "json", "'{ }'", `'{"a" :  [1, null]}'`, "'null'"),
    column("jsonb", "jsonb", `'{"a":1}'`, `'{"b": 2, "a": "x"}'`, "'[]'"),
    column("xml", "xml", "'<a/>'", "'<b>x</b>'", "'<c a=\"1\"/>'"),
    column("isbn", "isbn", "'0-393-04002-X'", "'978-0-393-04002-9'", "'0-14-044913-2'"),
    column("path", "ltree", "'a.b'", "'Top.Science'", "''"),
    column("pairs", "hstore", "'a=>1'", `'"key"=>"va lue", b=>NULL'`, "''"),
    column("words", "tsvector", "'a'", "to_tsvector('english', 'The quick brown fox')", "''"),
  ],
  bytes: [
    column("bytes", "bytea", "'\\x01'", "'\\x00ff10'", "''"),
    column("bit", "bit", "B'1'", "B'0'", "B'1'"),
    column("bits", "bit(10)", "B'0000000001'", "B'1010101010'", "B'0000000000'"),
    column("some_bits", "bit varying(12)", "B'101'", "B'111111111'", "B''"),
    column("any_bits", "bit varying", "B'1'", "B'10000000000000001'", "B'0'"),
    column("inet", "inet", "'10.0.0.1'", "'192.168.0.0/24'", "'::1'"),
    column("cidr", "cidr", "'10.0.0.0/8'", "'192.168.100.128/25'", "'2001:4f8:3:ba::/64'"),
    column("mac", "macaddr", "'08:00:2b:01:02:03'", "'08:00:2b:01:02:04'", "'00:00:00:00:00:00'"),
    column("mac8", "macaddr8", "'08:00:2b:01:02:03:04:05'", "'08:00:2b:ff:fe:01:02:03'", "'00:00:00:00:00:00:00:00'"),
    column("point", "point", "'(1,2)'", "'(1.5,-2)'", "'(0,0)'"),
    column("price", "price", "1.00", "12.30", "0"),
    column("discount", "discount", "1.00", "12.30", "0"),
  ],
  times: [
    column("date", "date", "'2020-01-02'", "'2017-09-15'", "'1900-02-28'"),
    column("time", "time", "'04:05:06'", "'04:05:11.789123'", "'23:59:59.999999'"),
    column("time3", "time(3)", "'04:05:06.1'", "'04:05:11.789'", "'00:00:00'"),
    column("timetz", "timetz", "'04:05:06+02'", "'04:05:11.789+02:30'", "'00:00:00-08'"),
    column(
      "stamp",
      "timestamp",
      "'2020-01-02 03:04:05'",
      "'2017-09-15 04:05:11.789123'",
      "'1969-12-31 23:59:59.999999'",
    ),
    column("stamp3", "timestamp(3)", "now()", "'2017-09-15 04:05:11.789'", "'1900-01-01 00:00:00.5'"),
    column(
      "stamptz",
      "timestamptz",
      "'2020-01-02 03:04:05+00'",
      "'2017-09-15 04:05:11.789123+02'",
      "'1969-12-31 23:59:59-08'",
    ),
    column("stamptz0", "timestamptz(0)", "now()", "'2017-09-15 04:05:11+02'", "'2020-02-29 00:00:00+00'"),
    column("span", "interval", "'1 day'", "'1 year 2 mons 3 days 04:05:06.78'", "'-1 mons -00:00:00.000001'"),
  ],
  ranges: [
    column("ints", "int4range", "'[1,5)'", "'[1,10)'", "'empty'"),
    column("bigs", "int8range", "'[1,5)'", "'(,5]'", "'empty'"),
    column("nums", "numrange", "'[1,5)'", "'(1.5,2.5]'", "'empty'"),
    column("stamps", "tsrange", "'empty'", "'[2020-01-01 00:00,2020-01-02 12:30)'", "'(,)'"),
    column("stamptzs", "tstzrange", "'empty'", "'[2020-01-01 00:00+02,2020-01-02 12:30+00)'", "'(,)'"),
    column("dates", "daterange", "'empty'", "'[2020-01-01,2020-01-05]'", "'(,)'"),
    column("multi", "int4multirange", "'{}'", "'{[1,2),[3,4)}'", "'{}'"),
    column("pair", "pair", "row(1, 'a')", "row(2, 'b c')", "row(null, '')"),
    column("query", "tsquery", "'a'", "'fat & rat'", "'a'"),
    column("lsn", "pg_lsn", "'0/1'", "'16/B374D848'", "'0/0'"),
  ],
  arrays: [
    column("smalls", "smallint[]", "'{1}'", "'{1,NULL,-2}'", "'{}'"),
    column("ints", "integer[]", "'{1}'", "'{1,NULL,-2}'", "'{}'"),
    column("bigs", "bigint[]", "'{1}'", "'{9007199254740993}'", "'{}'"),
    column("reals", "real[]", "'{1}'", "'{1.5,NaN}'", "'{}'"),
    column("doubles", "double precision[]", "'{1}'", "'{0.1,-Infinity}'", "'{}'"),
    column("truths", "boolean[]", "'{t}'", "'{t,f,NULL}'", "'{}'"),
    column("texts", "text[]", "'{a}'", `'{"a b",NULL,"NULL","q\\"uote"}'`, "'{}'"),
    column("varyings", "varchar(5)[]", "'{a}'", "'{abc}'", "'{}'"),
    column("chars", "char(3)[]", "'{a}'", "'{a,abc}'", "'{}'"),
    column("fixeds", "numeric(10,2)[]", "'{1}'", "'{1.5,NULL}'", "'{}'"),
    column("frees", "numeric[]", "'{1}'", "'{1.50,100}'", "'{}'"),
    column("uuids", "uuid[]", "'{}'", "'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'", "'{}'"),
    column("moods", "mood[]", "'{}'", "'{sad,happy}'", "'{}'"),
    column("bytes", "bytea[]", "'{}'", `array['\\x01'::bytea, '\\xff00']`, "'{}'"),
    column("dates", "date[]", "'{}'", "'{2020-01-02}'", "'{}'"),
    column("stamps", "timestamp[]", "'{}'", `'{"2020-01-02 03:04:05.123456"}'`, "'{}'"),
    column("stamptzs", "timestamptz[]", "'{}'", `'{"2020-01-02 03:04:05.1+02"}'`, "'{}'"),
    column("timetzs", "timetz[]", "'{}'", "'{04:05:06+02}'", "'{}'"),
    column("jsons", "json[]", "'{}'", `array['{"a": 1}'::json]`, "'{}'"),
    column("jsonbs", "jsonb[]", "'{}'", `array['{"a": 1}'::jsonb]`, "'{}'"),
    column("inets", "inet[]", "'{}'", "'{10.0.0.1}'", "'{}'"),
    column("ranges", "int4range[]", "'{}'", `'{"[1,5)"}'`, "'{}'"),
    column("oids", "oid[]", "'{}'", "'{4294967295}'", "'{}'"),
    column("paths", "ltree[]", "'{}'", "'{a.b}'", "'{}'"),
    column("cases", "citext[]", "'{}'", "'{Ab}'", "'{}'"),
    column("stores", "hstore[]", "'{}'", `array['a=>1'::hstore]`, "'{}'"),
    column("cashes", "money[]", "'{}'", "'{1.00}'", "'{}'"),
    column("names", "name[]", "'{}'", "'{a}'", "'{}'"),
    column("spans", "interval[]", "'{}'", `'{"1 day"}'`, "'{}'"),
    column("points", "point[]", "'{}'", `'{"(1,2)"}'`, "'{}'"),
  ],
};

/** Defaults that Fieldgate does not support, followed by what Debezium 3.6.1 does differently, or only from 3.7 on. */
export const APART: readonly TypedColumn[] = [
  column("concat", "text", "'a' || 'b'", "'x'", "'y'"),
  column("who", "text", "current_user", "'x'", "'y'"),
  column("day_after", "date", "'2020-01-01'::date + 1", "'2020-01-02'", "'2020-01-03'"),
  column("beyond", "bigint", "9007199254740993", "1", "2"),
  column("negative_scale", "numeric(3,-2)", "100", "12345", "-99900"),
  column("name", "name", "'n'", "'pg_class'", "''"),
  column("times", "time[]", "'{}'", "'{04:05:06.123456}'", "'{}'"),
  column("box", "box", "'(1,1),(0,0)'", "'(2,2),(0,0)'", "'(1,1),(0,0)'"),
  column("segment", "lseg", "'[(0,0),(1,1)]'", "'[(0,0),(2,2)]'", "'[(0,0),(1,1)]'"),
  column("track", "path", "'[(0,0),(1,1)]'", "'((0,0),(1,1),(2,0))'", "'[(0,0),(1,1)]'"),
  column("polygon", "polygon", "'((0,0),(1,1),(2,0))'", "'((0,0),(1,1),(2,0))'", "'((0,0),(1,1),(2,0))'"),
  column("circle", "circle", "'<(0,0),1>'", "'<(1,2),3>'", "'<(0,0),1>'"),
  column("line", "line", "'{1,2,3}'", "'{1,-1,0}'", "'{1,2,3}'"),
];

/** The statements that create a table and change its rows: two with values, one with NULLs, one with defaults, an update and a delete. */
export function tableOf(
  name: string,
  columns: readonly TypedColumn[],
): {
  readonly create: string;
  readonly changes: readonly string[];
} {
  const kinds = columns.flatMap((one) => [
    `"${one.name}" ${one.type}`,
    `"${one.name}_d" ${one.type} default ${one.byDefault}`,
    `"${one.name}_n" ${one.type} not null default ${one.byDefault}`,
  ]);
  const row = (id: number, value: (one: TypedColumn) => readonly string[]) =>
    `insert into ${name} values (${[id, ...columns.flatMap(value)].join(", ")})`;
  const changes = [
    row(1, ({ values: [first] }) => [first, first, first]),
    row(2, ({ values: [, second] }) => [second, second, second]),
    row(3, ({ values: [first] }) => ["null", "null", first]),
    `insert into ${name} (id) values (4)`,
    `update ${name} set ${columns.map((one) => `"${one.name}" = ${one.values[1]}`).join(", ")} where id = 1`,
    `delete from ${name} where id = 1`,
  ];
  // Nothing is stored out of line, so an update logs every value.
  const create = `create table ${name} (id int primary key, ${kinds.join(", ")}) with (toast_tuple_target = 8160)`;
  return { create, changes };
}
