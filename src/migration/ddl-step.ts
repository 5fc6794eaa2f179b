import * as z from "zod";

const name = z.string().min(1).max(200);
/** The name as written in the statement. Without a schema, it means the captured table with this name. */
const tableName = z.strictObject({ schema: name.optional(), name });
/** `name` is the name in pg_type (`int4`); a user-defined type keeps the schema that it is written with. */
const typeName = z.strictObject({
  name,
  modifiers: z.array(z.number().int()).max(10),
  array: z.boolean(),
});
const column = z.strictObject({
  name,
  type: typeName,
  notNull: z.boolean(),
  /** As pg_get_expr would write it; only literals and calls. */
  defaultExpr: z.string().max(10_000).optional(),
  identity: z.boolean(),
  generated: z.boolean(),
  key: z.boolean(),
});

const of = { line: z.number().int().min(1), table: tableName };

/**
 * One thing that a statement does to a table, in the migration's order. `line` is the line of the statement, counted
 * from 1.
 */
export const ddlStepSchema = z.discriminatedUnion("kind", [
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
  /** A statement that is not understood, such as a DO block, a change to an enum's labels, or ATTACH PARTITION. */
  z.strictObject({ kind: z.literal("unread"), line: of.line, table: tableName.optional(), what: z.string().max(500) }),
]);

export type DdlStep = z.infer<typeof ddlStepSchema>;
export type TableName = z.infer<typeof tableName>;
export type TypeName = z.infer<typeof typeName>;
export type NewColumn = z.infer<typeof column>;
