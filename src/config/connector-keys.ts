import { z } from "zod";

import type { TableName } from "./settings.ts";

/**
 * The keys of a connector file that mean something here, each with what it must be and an example: the one
 * source of the checks, of the messages and of schemas/connector.schema.json. Names are Debezium's.
 */
export const connectorKeys = z.strictObject({
  name: key(
    text(/^[A-Za-z0-9._-]{1,100}$/),
    "be 1 to 100 letters, digits, `.`, `_` or `-`; default: the file's name without .json",
    "inventory",
  ),
  "database.hostname": key(text(/^\S+$/), "be a host name or address without spaces", "db.internal"),
  "database.port": key(wholeNumber(1, 65_535).default(5432), "be a whole number from 1 to 65535", 5432),
  "database.user": key(text(/./), "be a role that may replicate and read the tables", "fieldgate"),
  "database.password": key(
    z.string(),
    "be a text, best one taken from the environment; empty when the server asks for none",
    "${env:INVENTORY_PASSWORD}",
  ),
  "database.dbname": key(text(/./), "be the database's name", "inventory"),
  "topic.prefix": key(
    text(/^[A-Za-z0-9._-]{1,150}$/),
    "be 1 to 150 letters, digits, `.`, `_` or `-`: topics are <prefix>.<schema>.<table>",
    "inventory",
  ),
  "table.include.list": key(
    z.string().transform(tableList),
    "be a comma list of exact names, schema.table",
    "public.customers,public.orders",
  ),
  "slot.name": key(text(/^[a-z0-9_]{1,63}$/).optional(), "be 1 to 63 of a-z, 0-9 and `_`", "fieldgate_inventory"),
  "publication.name": key(
    text(/^[A-Za-z0-9_]{1,63}$/).optional(),
    "be 1 to 63 letters, digits or `_`",
    "fieldgate_inventory",
  ),
  "plugin.name": key(z.literal("pgoutput").optional(), "be pgoutput, the only plugin Fieldgate reads", "pgoutput"),
  "snapshot.mode": key(
    z.enum(["initial", "no_data"]).default("initial"),
    "be initial (publish the rows that are there) or no_data (only changes from now on)",
    "initial",
  ),
  "tombstones.on.delete": key(flag().default(true), "be true or false", true),
  "skipped.operations": key(
    z.enum(["t", "none"]).default("t"),
    "be t or none; either way a TRUNCATE is not published in this version",
    "t",
  ),
  "topic.creation.default.partitions": key(
    wholeNumber(-1, 100_000, isPositiveOrBrokers).default(-1),
    "be a whole number from 1, or -1 for the broker's default",
    6,
  ),
  "topic.creation.default.replication.factor": key(
    wholeNumber(-1, 1000, isPositiveOrBrokers).default(-1),
    "be a whole number from 1, or -1 for the broker's default",
    3,
  ),
  "topic.creation.default.cleanup.policy": key(
    z.enum(["delete", "compact", "compact,delete"]).optional(),
    "be delete, compact or compact,delete",
    "compact",
  ),
  "fieldgate.mode": key(z.literal("stream").optional(), "be stream, the only mode in this version", "stream"),
  "fieldgate.environment": key(
    text(/^[A-Za-z0-9._-]{1,100}$/).default("default"),
    "be the environment whose contracts count: letters, digits, `.`, `_` or `-`",
    "production",
  ),
  "fieldgate.release.policy": key(releasePolicy().default("contracts"), "be observe, contracts or manual", "contracts"),
  "fieldgate.judge.timeout.ms": key(wholeNumber(0, 600_000).default(3000), "be milliseconds, 0 to 600000", 3000),
  "fieldgate.backfill.max.rows": key(
    wholeNumber(0, 1e15).default(10_000_000),
    "be a number of rows, from 0",
    10_000_000,
  ),
  "fieldgate.backfill.rate": key(wholeNumber(0, 1e9).default(0), "be rows a second, 0 for no limit", 5000),
  "fieldgate.chunk.rows": key(wholeNumber(1, 1_000_000).default(1024), "be rows a chunk, 1 to 1000000", 1024),
});

/** `fieldgate.release.policy.<schema.table>` overrides the policy for one table. */
export const TABLE_POLICY_PREFIX = "fieldgate.release.policy.";
export const tablePolicy = releasePolicy();

function key<Schema extends z.ZodType>(schema: Schema, must: string, example: string | number | boolean): Schema {
  return schema.meta({ description: `Must ${must}.`, must, example });
}

function text(pattern: RegExp) {
  return z.string().trim().regex(pattern);
}

/** Debezium's files write numbers as text; JSON's own numbers are taken too. */
function wholeNumber(min: number, max: number, holds: (value: number) => boolean = () => true) {
  return z
    .union([z.int(), z.string().regex(/^\s*-?\d{1,15}\s*$/)])
    .transform(Number)
    .refine((value) => value >= min && value <= max && holds(value));
}

function isPositiveOrBrokers(value: number): boolean {
  return value !== 0;
}

function flag() {
  return z.union([z.boolean(), z.enum(["true", "false"])]).transform((value) => value === true || value === "true");
}

function releasePolicy() {
  return z.enum(["observe", "contracts", "manual", "strict"]).transform((value, context) => {
    if (value !== "strict") return value;
    context.addIssue({
      code: "custom",
      params: { reason: "cannot be `strict` in this version: use observe, contracts or manual" },
    });
    return z.NEVER;
  });
}

/** The characters that make a name of Debezium's list a regular expression. */
const REGEX = /[\\^$*+?()[\]{}|]/;

function tableList(value: string, context: z.RefinementCtx): readonly TableName[] {
  const tables = new Map<string, TableName>();
  for (const [index, entry] of value.split(",").entries()) {
    const name = entry.trim();
    const [schema, table, ...more] = name.split(".");
    const wrong = REGEX.test(name)
      ? "is a regular expression: this version takes exact names only"
      : more.length > 0 || !schema || !table
        ? "is not schema.table"
        : tables.has(name)
          ? "repeats an earlier one"
          : undefined;
    if (wrong !== undefined) context.addIssue({ code: "custom", params: { reason: `entry ${index + 1} ${wrong}` } });
    else if (schema && table) tables.set(name, { schema, name: table });
  }
  return [...tables.values()];
}
