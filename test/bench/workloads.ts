/**
 * What the contenders read: a table, and a procedure that writes the rows of one round in transactions of a certain size.
 */

export interface Workload {
  readonly name: "narrow" | "wide" | "full" | "single";
  readonly what: string;
  /** Rows of one round. */
  readonly rows: number;
  readonly perTransaction: number;
  /** Creates the table `t`, with the rows that the rounds change. */
  readonly table: string;
  /** Changes the rows from `first` to `last`, in PL/pgSQL. `round` makes a value that differs each time. */
  readonly change: string;
  /** False if each round changes the same rows. */
  readonly adds: boolean;
}

const NARROW =
  "CREATE TABLE t (id bigint PRIMARY KEY, name text NOT NULL, amount int NOT NULL, at timestamptz NOT NULL)";
const ADD_NARROW = "INSERT INTO t SELECT i, 'customer ' || i, i % 1000, now() FROM generate_series(first, last) i";

const WIDE = `CREATE TABLE t (id bigint PRIMARY KEY, name text NOT NULL, email text, city text, street text, note text,
  amount numeric(12,2), price numeric(12,2), quantity int, visits int, score float8, ratio float8, active boolean,
  paid boolean, born date, seen timestamptz, made timestamptz NOT NULL, changed timestamp, token uuid, tags jsonb)`;
const WIDE_ROW = `i, 'customer ' || i, 'customer' || i || '@example.com', 'Amsterdam', 'Prinsengracht ' || i % 900,
  'a note of middling length about customer ' || i, i % 10000 / 7.0, i % 500 / 3.0, i % 1000, i % 77, i / 3.0, 0.25,
  i % 2 = 0, i % 3 = 0, '1990-01-01'::date + (i % 9000)::int, now(), now(), now()::timestamp,
  md5(i::text)::uuid, '{"source": "bench", "level": 3}'::jsonb`;

export function workloadsOf(scale: number): readonly Workload[] {
  const rows = (full: number): number => Math.round((full * scale) / 1000) * 1000;
  return [
    {
      name: "narrow",
      what: "INSERT of 4 columns, 100 rows a transaction",
      rows: rows(400_000),
      perTransaction: 100,
      table: NARROW,
      change: ADD_NARROW,
      adds: true,
    },
    {
      name: "wide",
      what: "INSERT of 20 columns, 100 rows a transaction",
      rows: rows(200_000),
      perTransaction: 100,
      table: WIDE,
      change: `INSERT INTO t SELECT ${WIDE_ROW} FROM generate_series(first, last) i`,
      adds: true,
    },
    {
      name: "full",
      what: "UPDATE of 20 columns with REPLICA IDENTITY FULL, 100 rows a transaction",
      rows: rows(120_000),
      perTransaction: 100,
      table: `${WIDE}; ALTER TABLE t REPLICA IDENTITY FULL;
        INSERT INTO t SELECT ${WIDE_ROW} FROM generate_series(1, ${rows(120_000)}) i`,
      change: "UPDATE t SET visits = round, note = 'changed in round ' || round WHERE id BETWEEN first AND last",
      adds: false,
    },
    {
      name: "single",
      what: "INSERT of 4 columns, one row a transaction",
      rows: rows(200_000),
      perTransaction: 1,
      table: NARROW,
      change: ADD_NARROW,
      adds: true,
    },
  ];
}

/** `CALL change(first, last, round)` changes these rows and commits after each transaction's worth. */
export function procedureOf({ change, perTransaction }: Workload): string {
  return `CREATE PROCEDURE change(first_row bigint, last_row bigint, round int) LANGUAGE plpgsql AS $$
    DECLARE first bigint := first_row; last bigint;
    BEGIN
      WHILE first <= last_row LOOP
        last := least(first + ${perTransaction - 1}, last_row);
        ${change};
        COMMIT;
        first := last + 1;
      END LOOP;
    END $$`;
}
