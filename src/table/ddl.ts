import { createHash, timingSafeEqual } from "node:crypto";
import * as z from "zod";
import type { LogicalMessage } from "../wal/message.ts";
import { attnum, type Table, type TableOid, tableOid } from "./column.ts";
import { tableOfJson } from "./json.ts";

/**
 * Reads what the DDL trigger writes into the log, and decides whether to trust it. Any role can write a logical
 * message, so a message is trusted only with a valid signature and only in the transaction that it names. An untrusted
 * message never changes what is known about a table: it can only cause a catalog read.
 */

/** One DDL command, as the event trigger reported it inside the command's own transaction. */
export interface Ddl {
  /** PostgreSQL's command tag: `ALTER TABLE`. */
  readonly command: string;
  /** session_user: the role that logged in, not the one set with SET ROLE. */
  readonly role: string;
  /** When the command ended, by the source's clock: microseconds since the Unix epoch. */
  readonly time: bigint;
  readonly tables: readonly TableDdl[];
  /**
   * Other tables that the command affected but that the message does not describe: too many, too large, or not locked
   * by it, so that they could be out of date at its commit.
   */
  readonly undescribed: readonly TableOid[];
  /** Those of them that were not locked: the command has not changed which columns they have. */
  readonly unlocked: readonly TableOid[];
}

/**
 * `table` is the table right after this command; later commands of the same transaction have their own messages. The
 * table's lock does not cover its types: another transaction may have added an enum label that `table` does not show
 * yet. `rewritten`: values may have changed without any row event (a volatile default, ALTER TYPE … USING).
 */
export type TableDdl =
  | { readonly change: "changed" | "created"; readonly table: Table; readonly rewritten: boolean }
  | { readonly change: "dropped"; readonly table: Pick<Table, "oid" | "schema" | "name"> };

/**
 * `why` quotes nothing from the message. `oids` are the tables that it names; they are read from the catalog and used
 * for nothing else.
 */
export type DdlMessage =
  | { readonly kind: "trusted"; readonly ddl: Ddl }
  | { readonly kind: "untrusted"; readonly why: string; readonly oids: readonly TableOid[] };

const DDL_PREFIX = "fieldgate.ddl";

/** The trigger describes tables in up to 1,000,000 bytes, and names up to 1,000 more, including dropped ones. */
const MAX_BYTES = 1_300_000;
/** How many tables an untrusted message can make us read from the catalog. */
const MAX_UNTRUSTED = 100;

/**
 * Reads a message from the trigger that `fieldgate trigger install` creates (see postgres/trigger-sql.ts); undefined
 * for any other message. It is trusted only if it is part of a transaction, is signed with the secret, and names that
 * transaction. `xid` is the transaction id from the Begin message.
 */
export function readDdl(message: LogicalMessage, xid: number, secret: string | undefined): DdlMessage | undefined {
  if (message.prefix !== DDL_PREFIX) return undefined;
  const { content } = message;
  if (content.length > MAX_BYTES)
    return untrusted(`a message of ${content.length} bytes is too large to be from the trigger`);
  const failed = FAILURE.exec(content.length > 100 ? "" : content.toString("latin1"));
  if (failed !== null) return untrusted(`the trigger failed with SQLSTATE ${failed[1]}`);
  const payload = content.subarray(HASH_LENGTH + 1);
  const doubt = whyDoubt(message, payload, secret);
  const json = parseJson(payload);
  if (doubt !== undefined) return untrusted(doubt, oidsIn(json));
  const read = payloadSchema.safeParse(json);
  if (!read.success)
    return untrusted("it is signed, but its format is from another version of the trigger", oidsIn(json));
  if (BigInt.asUintN(32, BigInt(read.data.xid)) !== BigInt(xid)) {
    return untrusted("it names a different transaction, so it was replayed", oidsIn(json));
  }
  return { kind: "trusted", ddl: ddlOf(read.data) };
}

/**
 * The message that the trigger writes when it fails. It is not signed, because the trigger may have failed to read the
 * secret.
 */
const FAILURE = /^\{"error":"([0-9A-Z]{5})"\}$/;

const HASH_LENGTH = 64;

function whyDoubt(message: LogicalMessage, payload: Buffer, secret: string | undefined): string | undefined {
  if (!message.transactional) return "it is not part of a transaction";
  if (secret === undefined) return "the trigger's secret could not be read";
  const given = message.content.subarray(0, HASH_LENGTH + 1);
  const right = Buffer.from(`${signatureOf(payload, secret)} `, "latin1");
  const equal = given.length === right.length && timingSafeEqual(given, right);
  return equal ? undefined : "its signature is wrong: it is forged, or the secret was replaced after it was signed";
}

/** Computes the same signature as fieldgate.signed() in the database. */
function signatureOf(payload: Buffer, secret: string): string {
  const inner = createHash("sha256").update(secret).update(payload).digest();
  return createHash("sha256").update(secret).update(inner).digest("hex");
}

function untrusted(why: string, oids: readonly TableOid[] = []): DdlMessage {
  return { kind: "untrusted", why, oids };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

const oid = z.number().int().min(1).max(0xffffffff);
const table = oid.transform(tableOid);
const column = z.number().int().min(1).max(1600).transform(attnum);
const type = { oid, typmod: z.number().int() };
const text = z.string();

/** The JSON that TABLE_JSON builds, as a schema. */
const tableSchema = z.object({
  oid: table,
  schema: text,
  name: text,
  maxAttnum: z.number().int().min(0),
  filenode: z.number().int().min(0),
  estimatedRows: z.number(),
  replicaIdentity: z.enum(["default", "nothing", "full", "index"]),
  // A trigger of an earlier version sends one key instead of all.
  key: z.array(column).optional(),
  keys: z.array(z.array(column)).optional(),
  identified: z.array(column).optional(),
  types: z.array(
    z.object({
      ...type,
      name: text,
      kind: z.enum(["enum", "array", "domain", "named"]),
      of: z.number().int().min(0),
      labels: z.array(text).nullable(),
      ids: z.array(oid).nullable().optional(),
    }),
  ),
  columns: z.array(
    z.object({
      ...type,
      attnum: column,
      name: text,
      typeName: text,
      notNull: z.boolean(),
      defaultExpr: text.nullable(),
      // The 0.1.0 trigger does not report this field.
      missing: text.nullable().optional(),
      identity: z.boolean(),
      generated: z.boolean(),
      version: text.optional(),
    }),
  ),
});

const payloadSchema = z.object({
  format: z.literal(1),
  command: text,
  role: text,
  xid: text.regex(/^\d{1,20}$/),
  time: z.number().int(),
  tables: z.array(
    z.object({
      change: z.enum(["changed", "created"]),
      rewrite: z.number().int().nullable(),
      table: tableSchema,
    }),
  ),
  dropped: z.array(z.object({ oid: table, schema: text, name: text })),
  look: z.array(table),
  // The 0.1.0 trigger does not report this field.
  unlocked: z.array(table).default([]),
});

/**
 * Bits of pg_event_trigger_table_rewrite_reason() that may change values: 2 is a volatile default, 4 a new type. 1 and
 * 8 do not change values.
 */
const OTHER_VALUES = 2 | 4;

function ddlOf(payload: z.infer<typeof payloadSchema>): Ddl {
  const live = payload.tables.map(({ change, rewrite, table: json }) => ({
    change,
    table: tableOfJson(json),
    rewritten: rewrite !== null && (rewrite & OTHER_VALUES) !== 0,
  }));
  const dropped = payload.dropped.map((gone) => ({ change: "dropped" as const, table: gone }));
  const { command, role, look: undescribed, unlocked } = payload;
  return { command, role, time: BigInt(payload.time), tables: [...live, ...dropped], undescribed, unlocked };
}

const namedSchema = z.object({
  tables: z.array(z.object({ table: z.object({ oid: table }) })).catch([]),
  dropped: z.array(z.object({ oid: table })).catch([]),
  look: z.array(table).catch([]),
});

function oidsIn(json: unknown): readonly TableOid[] {
  const named = namedSchema.safeParse(json);
  if (!named.success) return [];
  const { tables, dropped, look } = named.data;
  const all = [...tables.map((entry) => entry.table.oid), ...dropped.map((gone) => gone.oid), ...look];
  return [...new Set(all)].slice(0, MAX_UNTRUSTED);
}
