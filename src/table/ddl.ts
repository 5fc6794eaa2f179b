import { createHash, timingSafeEqual } from "node:crypto";
import * as z from "zod";
import type { LogicalMessage } from "../wal/message.ts";
import { attnum, type Table, type TableOid, tableOid } from "./column.ts";
import { tableOfJson } from "./json.ts";

/** One DDL command, as the event trigger told of it inside the command's own transaction. */
export interface Ddl {
  /** PostgreSQL's command tag: `ALTER TABLE`. */
  readonly command: string;
  /** session_user: who logged in, not the role that was SET. */
  readonly role: string;
  /** When the command ended, microseconds since the Unix epoch; the source's clock. */
  readonly time: bigint;
  readonly tables: readonly TableDdl[];
  /** More tables the command reached, which nothing more is known of: too many, too large, or not locked by it. */
  readonly look: readonly TableOid[];
}

/**
 * `table` is as of this command: later ones of the same transaction have messages of their own. The table's lock
 * does not cover its types: another transaction may have added an enum label that is not in `table` yet.
 * `rewritten`: its values may be others now, and no row event says so (a volatile default, ALTER TYPE … USING).
 */
export type TableDdl =
  | { readonly change: "changed" | "created"; readonly table: Table; readonly rewritten: boolean }
  | { readonly change: "dropped"; readonly table: Pick<Table, "oid" | "schema" | "name"> };

/** `why` holds nothing of the message. `oids`: tables it names, for a look at the catalog and nothing else. */
export type DdlMessage =
  | { readonly kind: "trusted"; readonly ddl: Ddl }
  | { readonly kind: "untrusted"; readonly why: string; readonly oids: readonly TableOid[] };

const DDL_PREFIX = "fieldgate.ddl";

/** The trigger describes tables up to 1,000,000 bytes, and names 1,000 others or dropped ones. */
const MAX_BYTES = 1_300_000;
/** What a message nobody vouches for may make us look at. */
const MAX_UNTRUSTED = 100;

/**
 * Reads a message of the trigger that `fieldgate trigger install` makes (postgres/trigger-sql.ts has its other end);
 * undefined for a message of another kind. Any role may write such messages: it is trusted only if it is part of a
 * transaction, is signed with the secret, and names that transaction. `xid` is the transaction's as Begin has it.
 */
export function readDdl(message: LogicalMessage, xid: number, secret: string | undefined): DdlMessage | undefined {
  if (message.prefix !== DDL_PREFIX) return undefined;
  const { content } = message;
  if (content.length > MAX_BYTES) return untrusted(`a message of ${content.length} bytes is not the trigger's`);
  const failed = FAILURE.exec(content.length > 100 ? "" : content.toString("latin1"));
  if (failed !== null) return untrusted(`the trigger failed with SQLSTATE ${failed[1]}`);
  const payload = content.subarray(HASH_LENGTH + 1);
  const doubt = doubtOf(message, payload, secret);
  const json = parseJson(payload);
  if (doubt !== undefined) return untrusted(doubt, oidsIn(json));
  const read = payloadSchema.safeParse(json);
  if (!read.success) return untrusted("it is signed, but of another form: another version's trigger", oidsIn(json));
  if (BigInt.asUintN(32, BigInt(read.data.xid)) !== BigInt(xid)) {
    return untrusted("it is of another transaction: it was written again", oidsIn(json));
  }
  return { kind: "trusted", ddl: ddlOf(read.data) };
}

/** What the trigger says when making the content failed: not signed, as the secret may be what is missing. */
const FAILURE = /^\{"error":"([0-9A-Z]{5})"\}$/;

const HASH_LENGTH = 64;

function doubtOf(message: LogicalMessage, payload: Buffer, secret: string | undefined): string | undefined {
  if (!message.transactional) return "it is not part of a transaction";
  if (secret === undefined) return "the trigger's secret is not known";
  const given = message.content.subarray(0, HASH_LENGTH + 1);
  const right = Buffer.from(`${signatureOf(payload, secret)} `, "latin1");
  const equal = given.length === right.length && timingSafeEqual(given, right);
  return equal ? undefined : "its signature is wrong: forged, or signed with a secret that is replaced since";
}

/** As fieldgate.signed() computes it. */
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

/** As TABLE_JSON builds it. */
const tableSchema = z.object({
  oid: table,
  schema: text,
  name: text,
  maxAttnum: z.number().int().min(0),
  filenode: z.number().int().min(0),
  estimatedRows: z.number(),
  replicaIdentity: z.enum(["default", "nothing", "full", "index"]),
  key: z.array(column),
  types: z.array(
    z.object({
      ...type,
      name: text,
      kind: z.enum(["enum", "array", "domain", "named"]),
      of: z.number().int().min(0),
      labels: z.array(text).nullable(),
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
      identity: z.boolean(),
      generated: z.boolean(),
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
});

/** pg_event_trigger_table_rewrite_reason(): 2 a volatile default, 4 another type; 1 and 8 leave the values alone. */
const OTHER_VALUES = 2 | 4;

function ddlOf(payload: z.infer<typeof payloadSchema>): Ddl {
  const live = payload.tables.map(({ change, rewrite, table: json }) => ({
    change,
    table: tableOfJson(json),
    rewritten: rewrite !== null && (rewrite & OTHER_VALUES) !== 0,
  }));
  const dropped = payload.dropped.map((gone) => ({ change: "dropped" as const, table: gone }));
  const { command, role, look } = payload;
  return { command, role, time: BigInt(payload.time), tables: [...live, ...dropped], look };
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
