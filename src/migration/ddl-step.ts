import * as z from "zod";

const name = z.string().min(1).max(200);
/**
 * The name as written in the statement. `path`: the schemas that SET search_path gave for a name without one. `ifThere`:
 * the statement does nothing if there is no such table.
 */
const tableName = z.strictObject({
  schema: name.optional(),
  name,
  path: z.array(name).max(100).optional(),
  ifThere: z.boolean().optional(),
  /** ALTER TABLE ONLY: the tables that inherit from it do not change. */
  only: z.boolean().optional(),
});
/** `name` is the name in pg_type (`int4`); a user-defined type keeps the schema that it is written with. */
const typeName = z.strictObject({
  name,
  modifiers: z.array(z.number().int()).max(10),
  array: z.boolean(),
});
/** As pg_get_expr writes it, except for what depends on the column's type (constant.ts). */
const expression = z.string().max(10_000);
const column = z.strictObject({
  name,
  type: typeName,
  notNull: z.boolean(),
  defaultExpr: expression.optional(),
  identity: z.boolean(),
  generated: z.boolean(),
  key: z.boolean(),
});

/** What `IF [NOT] EXISTS (SELECT … FROM pg_catalog or information_schema)` in a DO block asks for. */
const condition = z.strictObject({
  /** An IF is decided once, when its first step's turn comes. */
  id: z.number().int(),
  exists: z.boolean(),
  of: z.enum(["column", "table", "type", "constraint", "index"]),
  schema: name.optional(),
  table: name.optional(),
  name,
});

const of = {
  line: z.number().int().min(1),
  /** The file's name, if the migration has several files. */
  file: z.string().max(1000).optional(),
  /** The step is taken only if all of these hold when its turn comes. */
  only: z.array(condition).max(10).optional(),
};
const ofTable = { ...of, table: tableName };
const ofType = { ...of, type: tableName };
const labels = z.array(z.string().max(200)).max(10_000);

/**
 * One thing that a statement does to a table or a type, in the migration's order. `line` is the line of the statement,
 * counted from 1.
 */
export const ddlStepSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("add"), ...ofTable, column, unlessThere: z.boolean() }),
  z.strictObject({ kind: z.literal("drop"), ...ofTable, column: name, ifThere: z.boolean() }),
  z.strictObject({ kind: z.literal("rename"), ...ofTable, column: name, to: name }),
  z.strictObject({ kind: z.literal("retype"), ...ofTable, column: name, type: typeName }),
  z.strictObject({ kind: z.literal("null"), ...ofTable, column: name, notNull: z.boolean() }),
  z.strictObject({ kind: z.literal("default"), ...ofTable, column: name, defaultExpr: expression.optional() }),
  z.strictObject({ kind: z.literal("identity"), ...ofTable, column: name, identity: z.boolean() }),
  /** DROP EXPRESSION: a generated column becomes an ordinary one. */
  z.strictObject({ kind: z.literal("not-generated"), ...ofTable, column: name }),
  /** ADD PRIMARY KEY, over columns or USING INDEX. */
  z.strictObject({
    kind: z.literal("key"),
    ...ofTable,
    columns: z.array(name).max(1600),
    name: name.optional(),
    index: name.optional(),
  }),
  /** A unique index or constraint. `usable`: it has every row, without expressions, and is checked at once. */
  z.strictObject({
    kind: z.literal("unique"),
    ...ofTable,
    columns: z.array(name).max(1600),
    name: name.optional(),
    usable: z.boolean(),
    unlessThere: z.boolean(),
  }),
  /** A constraint that changes nothing for readers, such as a foreign key. PostgreSQL may choose its name. */
  z.strictObject({ kind: z.literal("constraint"), ...ofTable, name: name.optional() }),
  z.strictObject({ kind: z.literal("drop-constraint"), ...ofTable, name, ifThere: z.boolean() }),
  z.strictObject({ kind: z.literal("rename-constraint"), ...ofTable, name, to: name }),
  z.strictObject({ kind: z.literal("drop-index"), ...of, index: tableName }),
  z.strictObject({ kind: z.literal("rename-index"), ...of, index: tableName, to: name }),
  z.strictObject({
    kind: z.literal("replica-identity"),
    ...ofTable,
    identity: z.enum(["default", "full", "nothing", "index"]),
    index: name.optional(),
  }),
  /** `cascade`: the tables that reference it are emptied, too. */
  z.strictObject({ kind: z.literal("truncate"), ...ofTable, cascade: z.boolean() }),
  z.strictObject({
    kind: z.literal("row-security"),
    ...ofTable,
    change: z.enum(["enable", "disable", "force", "no-force"]),
  }),
  z.strictObject({ kind: z.literal("rename-table"), ...ofTable, to: name }),
  z.strictObject({ kind: z.literal("move-table"), ...ofTable, schema: name }),
  /** `parent`: the table of which it is a partition. */
  z.strictObject({
    kind: z.literal("create-table"),
    ...ofTable,
    unlessThere: z.boolean().optional(),
    parent: tableName.optional(),
  }),
  z.strictObject({ kind: z.literal("drop-table"), ...ofTable, ifThere: z.boolean() }),
  z.strictObject({ kind: z.literal("attach"), ...ofTable, partition: tableName }),
  z.strictObject({ kind: z.literal("detach"), ...ofTable, partition: tableName }),
  z.strictObject({ kind: z.literal("drop-schema"), ...of, schema: name }),
  z.strictObject({ kind: z.literal("rename-schema"), ...of, schema: name, to: name }),
  z.strictObject({ kind: z.literal("create-enum"), ...ofType, labels }),
  z.strictObject({ kind: z.literal("create-domain"), ...ofType, base: typeName }),
  /** A composite or range type. */
  z.strictObject({ kind: z.literal("create-type"), ...ofType }),
  /** `next`: the label before which, or after which, the new one is inserted. */
  z.strictObject({
    kind: z.literal("add-label"),
    ...ofType,
    label: z.string().max(200),
    next: z.string().max(200).optional(),
    after: z.boolean(),
    unlessThere: z.boolean(),
  }),
  z.strictObject({ kind: z.literal("rename-label"), ...ofType, label: z.string().max(200), to: z.string().max(200) }),
  z.strictObject({ kind: z.literal("rename-type"), ...ofType, to: name }),
  z.strictObject({ kind: z.literal("move-type"), ...ofType, schema: name }),
  z.strictObject({ kind: z.literal("drop-type"), ...ofType, cascade: z.boolean() }),
  /** After it, the database may have the types of extensions that events can carry. */
  z.strictObject({ kind: z.literal("create-extension"), ...of }),
  /** SELECT of a function, which is harmless only if it is one of PostgreSQL's own. */
  z.strictObject({ kind: z.literal("call"), ...of, function: tableName }),
  /** A statement that is not understood. */
  z.strictObject({ kind: z.literal("unread"), ...of, table: tableName.optional(), what: z.string().max(500) }),
]);

export type DdlStep = z.infer<typeof ddlStepSchema>;
export type TableName = z.infer<typeof tableName>;
export type TypeName = z.infer<typeof typeName>;
export type NewColumn = z.infer<typeof column>;
export type Condition = z.infer<typeof condition>;
/** A step without its place. */
export type Act = DdlStep extends infer One ? (One extends DdlStep ? Omit<One, "line" | "file"> : never) : never;
