import { ownValue } from "../json.ts";
import type { AlterTableCmd, AlterTableStmt, ColumnDef, Node, ParseResult, RangeVar, RenameStmt } from "libpg-query";

import { expressionText, textOf } from "./expression.ts";
import type { NewColumn, DdlStep, TableName, TypeName } from "./ddl-step.ts";

/**
 * Turns a migration, parsed with PostgreSQL's own grammar, into the steps that change tables. The most important rule:
 * a statement that might change a captured table and is not understood becomes a step `unread`, so that the absence of
 * findings never means that something was overlooked.
 */

/** A step without its line. */
type Act = DdlStep extends infer One ? (One extends DdlStep ? Omit<One, "line"> : never) : never;

/** What a parsed migration does to tables, in order. Queries, indexes, grants and comments yield no steps. */
export function readDdlSteps(sql: string, parsed: ParseResult): readonly DdlStep[] {
  const bytes = Buffer.from(sql);
  return (parsed.stmts ?? []).flatMap(({ stmt, stmt_location: at }) => {
    const line = lineOf(bytes, at ?? 0);
    return stmt === undefined ? [] : readStatement(stmt).map((act) => ({ ...act, line }));
  });
}

/**
 * The line of a statement's first word. `offset`, in bytes, is where the white space and comments before the statement
 * start.
 */
function lineOf(sql: Buffer, offset: number): number {
  const rest = sql.toString("utf8", offset);
  const blank = /^(?:\s|--[^\n]*(?:\n|$)|\/\*[^]*?\*\/)*/.exec(rest)?.[0] ?? "";
  return `${sql.toString("utf8", 0, offset)}${blank}`.split("\n").length;
}

/** Statements that do not change the columns of any table. */
const HARMLESS = new Set([
  "TransactionStmt",
  "IndexStmt",
  "CommentStmt",
  "GrantStmt",
  "InsertStmt",
  "UpdateStmt",
  "DeleteStmt",
  "MergeStmt",
  "ExplainStmt",
  "VacuumStmt",
  "TruncateStmt",
  "LockStmt",
  "CreateFunctionStmt",
  "CreateTrigStmt",
  "CreatePolicyStmt",
  "ViewStmt",
  "RefreshMatViewStmt",
  "CreateSeqStmt",
  "AlterSeqStmt",
  "CreateEnumStmt",
  "CreateDomainStmt",
  "CreateSchemaStmt",
  "CreateExtensionStmt",
  "CreatePublicationStmt",
  "CreateStatsStmt",
  "CreateRoleStmt",
  "AlterRoleStmt",
  "AlterOwnerStmt",
  "ReindexStmt",
  "AlterDefaultPrivilegesStmt",
]);

function readStatement(stmt: Node): readonly Act[] {
  if ("AlterTableStmt" in stmt) return readAlterTable(stmt.AlterTableStmt);
  if ("RenameStmt" in stmt) return readRename(stmt.RenameStmt);
  if ("CreateStmt" in stmt) return [{ kind: "create-table", table: tableOf(stmt.CreateStmt.relation) }];
  if ("DropStmt" in stmt) {
    const { removeType, objects, missing_ok: ifThere, behavior } = stmt.DropStmt;
    if (removeType === "OBJECT_TABLE") {
      return (objects ?? []).map((object) => ({
        kind: "drop-table",
        table: namedBy(object),
        ifThere: ifThere === true,
      }));
    }
    const harmless = behavior !== "DROP_CASCADE" && removeType !== "OBJECT_SCHEMA";
    return harmless ? [] : [unread(`DROP ${(removeType ?? "").replace("OBJECT_", "").replaceAll("_", " ")} … CASCADE`)];
  }
  if ("AlterObjectSchemaStmt" in stmt) {
    const { objectType, relation, newschema } = stmt.AlterObjectSchemaStmt;
    if (objectType !== "OBJECT_TABLE") return [unread("ALTER … SET SCHEMA")];
    return [{ kind: "move-table", table: tableOf(relation), schema: newschema ?? "" }];
  }
  if ("AlterEnumStmt" in stmt) return [unread("ALTER TYPE of an enum, whose labels are listed in the events' schema")];
  if ("SelectStmt" in stmt) return stmt.SelectStmt.intoClause === undefined ? [] : [unread("SELECT INTO")];
  if ("VariableSetStmt" in stmt) {
    return stmt.VariableSetStmt.name === "search_path"
      ? [unread("SET search_path: write each table with its schema instead")]
      : [];
  }
  const [kind = "a statement"] = Object.keys(stmt);
  return HARMLESS.has(kind) ? [] : [unread(kind === "DoStmt" ? "a DO block" : kind.replace(/Stmt$/, ""))];
}

function unread(what: string, table?: TableName): Act {
  return { kind: "unread", table, what };
}

function tableOf(relation: RangeVar | undefined): TableName {
  return { schema: relation?.schemaname, name: relation?.relname ?? "" };
}

function namedBy(object: Node): TableName {
  const parts = "List" in object ? (object.List.items ?? []).map(textOf) : [textOf(object)];
  return { schema: parts.at(-2), name: parts.at(-1) ?? "" };
}

function readRename({ renameType, relationType, relation, subname, newname }: RenameStmt): readonly Act[] {
  const table = tableOf(relation);
  const to = newname ?? "";
  if (renameType === "OBJECT_TABLE") return [{ kind: "rename-table", table, to }];
  if (renameType === "OBJECT_COLUMN" && relationType === "OBJECT_TABLE") {
    return [{ kind: "rename", table, column: subname ?? "", to }];
  }
  return renameType === "OBJECT_TYPE" ? [unread("ALTER TYPE … RENAME")] : [];
}

function readAlterTable({ relation, cmds, objtype }: AlterTableStmt): readonly Act[] {
  if (objtype !== "OBJECT_TABLE") return objtype === "OBJECT_TYPE" ? [unread("ALTER TYPE of a composite type")] : [];
  const table = tableOf(relation);
  return (cmds ?? []).flatMap((cmd) => ("AlterTableCmd" in cmd ? readAlterCommand(table, cmd.AlterTableCmd) : []));
}

/** Commands of ALTER TABLE that change neither columns, nor the key, nor the name. */
const ELSEWHERE =
  /^AT_(ValidateConstraint|AlterConstraint|SetStatistics|SetOptions|ResetOptions|SetStorage|SetCompression|ClusterOn|DropCluster|SetLogged|SetAccessMethod|SetTableSpace|SetRelOptions|ResetRelOptions|(Enable|Disable|Force|NoForce)\w*|ChangeOwner|ReplicaIdentity|SetIdentity|AddIndex)$/;

function readAlterCommand(
  table: TableName,
  { subtype, name = "", def, missing_ok: lenient }: AlterTableCmd,
): readonly Act[] {
  switch (subtype) {
    case "AT_AddColumn":
      return def !== undefined && "ColumnDef" in def ? readAddColumn(table, def.ColumnDef, lenient === true) : [];
    case "AT_DropColumn":
      return [{ kind: "drop", table, column: name, ifThere: lenient === true }];
    case "AT_AlterColumnType": {
      const type = def !== undefined && "ColumnDef" in def ? typeOf(def.ColumnDef) : undefined;
      return type === undefined
        ? [unread(`the type of ${name}`, table)]
        : [{ kind: "retype", table, column: name, type }];
    }
    case "AT_SetNotNull":
    case "AT_DropNotNull":
      return [{ kind: "null", table, column: name, notNull: subtype === "AT_SetNotNull" }];
    case "AT_ColumnDefault":
      return [{ kind: "default", table, column: name, defaultExpr: def && expressionText(def) }];
    case "AT_AddConstraint":
      return def !== undefined && "Constraint" in def ? readConstraint(table, def.Constraint) : [];
    case "AT_DropConstraint":
      return [unread(`DROP CONSTRAINT ${name}, which changes the events' key if it is the primary key`, table)];
    default:
      return ELSEWHERE.test(subtype ?? "") ? [] : [unread(`ALTER TABLE … ${subtype ?? ""}`, table)];
  }
}

function readConstraint(
  table: TableName,
  { contype, keys, indexname }: Extract<Node, { Constraint: unknown }>["Constraint"],
) {
  const columns = (keys ?? []).map(textOf);
  if (contype === "CONSTR_NOTNULL") {
    return columns.map((column): Act => ({ kind: "null", table, column, notNull: true }));
  }
  if (contype !== "CONSTR_PRIMARY") return [];
  const act: Act = indexname === undefined ? { kind: "key", table, columns } : unread(`PRIMARY KEY USING INDEX`, table);
  return [act];
}

function readAddColumn(table: TableName, def: ColumnDef, unlessThere: boolean): readonly Act[] {
  const type = typeOf(def);
  if (type === undefined) return [unread(`the type of ${def.colname ?? ""}`, table)];
  return [{ kind: "add", table, column: columnOf(def, type), unlessThere }];
}

const SERIAL: Readonly<Record<string, string>> = {
  smallserial: "int2",
  serial2: "int2",
  serial: "int4",
  serial4: "int4",
  bigserial: "int8",
  serial8: "int8",
};

function columnOf(def: ColumnDef, type: TypeName): NewColumn {
  const all = (def.constraints ?? []).flatMap((node) => ("Constraint" in node ? [node.Constraint] : []));
  const has = (contype: string) => all.some((one) => one.contype === contype);
  const serial = ownValue(SERIAL, type.name);
  const raw = all.find((one) => one.contype === "CONSTR_DEFAULT")?.raw_expr;
  const identity = has("CONSTR_IDENTITY");
  const key = has("CONSTR_PRIMARY");
  return {
    name: def.colname ?? "",
    type: serial === undefined ? type : { ...type, name: serial },
    notNull: has("CONSTR_NOTNULL") || identity || key || serial !== undefined,
    defaultExpr: serial === undefined ? raw && expressionText(raw) : "nextval('serial'::regclass)",
    identity,
    generated: has("CONSTR_GENERATED"),
    key,
  };
}

/** Undefined for %TYPE, SETOF and modifiers that are not numbers. */
function typeOf({ typeName }: ColumnDef): TypeName | undefined {
  const { names = [], typmods = [], arrayBounds = [], pct_type: other, setof } = typeName ?? {};
  const texts = names.map(textOf);
  const name = texts[0] === "pg_catalog" ? texts[1] : texts.join(".");
  const modifiers = typmods.map((node) =>
    "A_Const" in node ? (node.A_Const.ival?.ival ?? (node.A_Const.ival ? 0 : NaN)) : NaN,
  );
  if (name === undefined || name === "" || other === true || setof === true || modifiers.some(Number.isNaN))
    return undefined;
  return { name, modifiers, array: arrayBounds.length > 0 };
}
