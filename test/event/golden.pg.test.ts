import { expect, test } from "vitest";
import type { Column } from "../../src/table/column.ts";
import { fieldOf } from "../../src/event/field.ts";
import { envelopeSchema } from "../../src/event/envelope/schema.ts";
import { readTables } from "../../src/postgres/catalog.ts";
import { quoteTable } from "../../src/table/quote.ts";
import { source, type OwnSession } from "../postgres/follow.ts";
import { modesOf, outOfScope, type ColumnCase } from "./debezium-case.ts";
import { cases, change, MARK, shapeOf, rowEncoderOf } from "./row.ts";
import type { Json } from "../../src/json.ts";

interface TableCase extends ColumnCase {
  readonly create_table: string;
  readonly insert: string;
  readonly value_asserted: boolean | "partial";
}

interface Golden {
  readonly id: string;
  readonly create_table: string;
  readonly config: Readonly<Record<string, string>>;
  readonly topic: string;
  readonly value_avro_schema: Json;
}

const EXTENSIONS = "CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION ltree; CREATE EXTENSION isn";
const all = cases("debezium-cases.jsonl") as readonly TableCase[];
const golden = cases("debezium-golden-events.jsonl") as readonly Golden[];

interface Made {
  readonly columns: readonly Column[];
  /** The texts of the inserted row, by column. */
  readonly row: Readonly<Record<string, string | null>>;
}

/** Creates a table as Debezium's tests do, reads the catalog, and rolls everything back. */
async function made(app: OwnSession, ddl: readonly string[], insert: string | undefined): Promise<Made> {
  await app.query("BEGIN");
  try {
    for (const statement of ddl) await app.query(statement);
    if (insert !== undefined) await app.query(insert);
    await app.query("SET LOCAL search_path = pg_catalog");
    const { rows } = await app.query<{ schema: string; name: string }>(
      `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' ORDER BY c.oid DESC LIMIT 1`,
    );
    const [table] = await readTables(app, rows);
    const quoted = table === undefined ? "" : quoteTable(table);
    const { rows: values } = await app.query<Record<string, string | null>>(`SELECT * FROM ${quoted}`);
    return { columns: table?.columns ?? [], row: values[0] ?? {} };
  } finally {
    await app.query("ROLLBACK");
  }
}

/** Cases that need PostGIS or pgvector. */
const isMissing = ({ create_table }: TableCase): boolean => /postgis|vector/i.test(create_table);

test("tables created in PostgreSQL get Debezium's fields and bytes", async () => {
  await using from = await source(EXTENSIONS);
  const tried = all.filter((one) => outOfScope(one) === undefined && !isMissing(one) && one.pgoutput?.kind !== "u");
  const tables = Map.groupBy(tried, (one) => JSON.stringify([one.pre_ddl, one.create_table, one.insert]));
  const wrong: unknown[] = [];
  for (const group of tables.values()) {
    const [first] = group;
    if (first === undefined) continue;
    const { columns, row } = await made(from.app, [...first.pre_ddl, first.create_table], first.insert);
    for (const one of group) {
      const column = columns.find(({ name }) => name === one.column);
      const difference = column === undefined ? "no column" : differenceOf(one, column, row[one.column] ?? null);
      if (difference !== undefined) wrong.push([one.id, difference]);
    }
  }
  expect(wrong).toEqual([]);
});

/** The difference from the case's field and bytes; undefined: none. */
function differenceOf(one: TableCase, column: Column, text: string | null): unknown {
  const modes = modesOf(one.config);
  const mapped = fieldOf(column, modes);
  if (mapped.kind === "left-out") return mapped.finding.message;
  const { name: _, ...avro } = mapped.field.avro;
  if (JSON.stringify(avro) !== JSON.stringify(one.expected_avro_field)) return avro;
  if (one.expected_avro_binary_hex === undefined || one.value_asserted !== true) return undefined;
  const encoder = rowEncoderOf(shapeOf("p.public.t", [mapped.field], []), { modes });
  const body = encoder.change(change("insert", [text]), MARK)[0]?.value?.toString("hex", 5) ?? "";
  return body.startsWith(`0002${one.expected_avro_binary_hex}14332e372e30`) ? undefined : [text, body.slice(0, 100)];
}

test("whole tables get the envelope that Debezium and AvroConverter register, character by character", async () => {
  await using from = await source(EXTENSIONS);
  const wrong: string[] = [];
  for (const one of golden) {
    const ddl = all.find(({ create_table }) => create_table === one.create_table)?.pre_ddl ?? [];
    const { columns } = await made(from.app, [...ddl, one.create_table], undefined);
    const fields = columns.flatMap((column) => {
      const mapped = fieldOf(column, modesOf(one.config));
      return mapped.kind === "field" ? [mapped.field] : [];
    });
    if (JSON.stringify(envelopeSchema(one.topic, fields)) !== JSON.stringify(one.value_avro_schema)) {
      wrong.push(
        `${one.id}\n${JSON.stringify(envelopeSchema(one.topic, fields))}\n${JSON.stringify(one.value_avro_schema)}`,
      );
    }
  }
  expect(wrong).toEqual([]);
});
