import type { Database } from "../stack/database.ts";

/** One version of a row as a trigger saw it, in the order of the log: one session writes to a table. */
export interface Version {
  readonly table: string;
  /** GAP: written while the publication did not have the table, so it is in no event. */
  readonly operation: "INSERT" | "UPDATE" | "DELETE" | "TRUNCATE" | "GAP";
  readonly id: number;
  /** The columns' texts by attnum. DELETE: as the row was. */
  readonly columns: Readonly<Record<string, string | null>>;
}

/**
 * The truth is kept beside the tables, by column number: names are what the stories play with. A row that gets another
 * key is deleted and inserted, as its events say.
 */
export async function openTruth(database: Database): Promise<void> {
  await database.query(`
    create schema law;
    create table law.versions (at bigserial primary key, relation text, operation text, id integer, columns jsonb);
    create table law.bases (relation oid primary key, base integer);
    create function law.note() returns trigger language plpgsql as $$
    declare
      columns jsonb;
      source text;
      moved boolean;
    begin
      if tg_op = 'TRUNCATE' then
        insert into law.versions (relation, operation, id, columns) values (tg_argv[0], tg_op, 0, '{}');
        return null;
      end if;
      moved := tg_op = 'UPDATE' and old.id <> new.id;
      if moved then
        insert into law.versions (relation, operation, id, columns) values (tg_argv[0], 'DELETE', old.id, '{}');
      end if;
      select string_agg(format('(%L, ($1).%I::text)', attnum + coalesce(base, 0), attname), ', ') into source
        from pg_attribute left join law.bases on relation = attrelid where attrelid = tg_relid and attnum > 0 and not attisdropped;
      execute format('select jsonb_object_agg(k, v) from (values %s) as c(k, v)', source) into columns
        using case when tg_op = 'DELETE' then old else new end;
      insert into law.versions (relation, operation, id, columns) values (tg_argv[0],
        case when current_setting('law.gap', true) = 'on' then 'GAP' when moved then 'INSERT' else tg_op end, case when tg_op = 'DELETE' then old.id else new.id end, columns);
      return null;
    end $$`);
}

/** `known`: the name that its versions are noted under. */
export function noteVersionsOf(table: string, known = table): string {
  const note = `execute function law.note('${known}')`;
  return `
    create trigger note after insert or update or delete on ${table} for each row ${note};
    create trigger note_truncate after truncate on ${table} for each statement ${note}`;
}

export async function readVersions(database: Database): Promise<ReadonlyMap<string, readonly Version[]>> {
  const rows = await database.query<Version>(
    `select relation as "table", operation, id, columns from law.versions order by at`,
  );
  return Map.groupBy(rows, ({ table }) => table);
}

/** The table as it is: by id, the columns' texts by name. */
export async function readRows(
  database: Database,
  table: string,
): Promise<ReadonlyMap<number, Readonly<Record<string, string | null>>>> {
  const names = await database.query<{ name: string }>(
    "select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped",
    [table],
  );
  const texts = names.map(({ name }) => `${name}::text as ${name}`).join(", ");
  const rows = await database.query<Record<string, string | null>>(`select ${texts} from ${table}`);
  return new Map(rows.map((row) => [Number(row["id"]), row]));
}
