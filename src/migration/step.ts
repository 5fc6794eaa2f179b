import * as z from "zod";

const name = z.string().min(1).max(200);
/** As the statement writes it; without a schema it is the captured table of this name. */
const tableName = z.strictObject({ schema: name.optional(), name });
/** `name`: as pg_type has it (`int4`), for a type of one's own with what schema it is written. */
const typeName = z.strictObject({
  name,
  modifiers: z.array(z.number().int()).max(10),
  array: z.boolean(),
});
const column = z.strictObject({
  name,
  type: typeName,
  notNull: z.boolean(),
  /** As pg_get_expr would write it, for literals and calls. */
  defaultExpr: z.string().max(10_000).optional(),
  identity: z.boolean(),
  generated: z.boolean(),
  key: z.boolean(),
});

const of = { line: z.number().int().min(1), table: tableName };

/** One thing a statement does to a table, in the migration's order. `line` is the statement's, from 1. */
export const stepSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("add"), ...of, column, unlessThere: z.boolean() }),
  z.strictObject({ kind: z.literal("drop"), ...of, column: name, ifThere: z.boolean() }),
  z.strictObject({ kind: z.literal("rename"), ...of, column: name, to: name }),
  z.strictObject({ kind: z.literal("retype"), ...of, column: name, type: typeName }),
  z.strictObject({ kind: z.literal("null"), ...of, column: name, notNull: z.boolean() }),
  z.strictObject({ kind: z.literal("default"), ...of, column: name, defaultExpr: z.string().max(10_000).optional() }),
  z.strictObject({ kind: z.literal("key"), ...of, columns: z.array(name).max(1600) }),
  z.strictObject({ kind: z.literal("rename-table"), ...of, to: name }),
  z.strictObject({ kind: z.literal("move-table"), ...of, schema: name }),
  z.strictObject({ kind: z.literal("create-table"), ...of }),
  z.strictObject({ kind: z.literal("drop-table"), ...of, ifThere: z.boolean() }),
  /** What it does to which table is not read: a DO block, an enum's labels, ATTACH PARTITION. */
  z.strictObject({ kind: z.literal("unread"), line: of.line, table: tableName.optional(), what: z.string().max(500) }),
]);

export type Step = z.infer<typeof stepSchema>;
export type TableName = z.infer<typeof tableName>;
export type TypeName = z.infer<typeof typeName>;
export type NewColumn = z.infer<typeof column>;
