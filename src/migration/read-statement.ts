import type { CreateStmt, DropStmt, Node, RenameStmt, SelectStmt, TruncateStmt } from "libpg-query";

import type { Act, TableName } from "./ddl-step.ts";
import { textOf } from "./expression.ts";
import { readAlterTable, readIndex, tableOf, typeOf, unread } from "./read-alter.ts";

/**
 * Turns one parsed statement into steps. The most important rule: a statement that might change a captured table and is
 * not understood becomes a step `unread`, so that the absence of findings never means that something was overlooked.
 */

/** Statements that change neither the columns of a table, nor its key, nor its name. */
const HARMLESS = new Set([
  "TransactionStmt",
  "CommentStmt",
  "GrantStmt",
  "GrantRoleStmt",
  "InsertStmt",
  "UpdateStmt",
  "DeleteStmt",
  "MergeStmt",
  "VacuumStmt",
  "LockStmt",
  "ConstraintsSetStmt",
  "CreateFunctionStmt",
  "AlterFunctionStmt",
  "CreateTrigStmt",
  "CreateEventTrigStmt",
  "AlterEventTrigStmt",
  "CreatePolicyStmt",
  "AlterPolicyStmt",
  "RuleStmt",
  "ViewStmt",
  "RefreshMatViewStmt",
  "CreateSeqStmt",
  "AlterSeqStmt",
  "AlterDomainStmt",
  "DefineStmt",
  "CreateCastStmt",
  "CreatePublicationStmt",
  "CreateStatsStmt",
  "AlterStatsStmt",
  "CreateRoleStmt",
  "AlterRoleStmt",
  "DropRoleStmt",
  "AlterOwnerStmt",
  "ReassignOwnedStmt",
  "AlterObjectDependsStmt",
  "ReindexStmt",
  "ClusterStmt",
  "CheckPointStmt",
  "AlterDefaultPrivilegesStmt",
  "CreateFdwStmt",
  "CreateForeignServerStmt",
  "AlterForeignServerStmt",
  "CreateUserMappingStmt",
  "CreateTableSpaceStmt",
  "SecLabelStmt",
  "NotifyStmt",
  "ListenStmt",
  "UnlistenStmt",
  "PrepareStmt",
  "DeallocateStmt",
  "LoadStmt",
  "VariableShowStmt",
]);

/** What one statement does to tables and types, in order. */
export function readStatement(stmt: Node): readonly Act[] {
  if ("AlterTableStmt" in stmt) return readAlterTable(stmt.AlterTableStmt);
  if ("IndexStmt" in stmt) return readIndex(stmt.IndexStmt);
  if ("RenameStmt" in stmt) return readRename(stmt.RenameStmt);
  if ("DropStmt" in stmt) return readDrop(stmt.DropStmt);
  if ("CreateStmt" in stmt) return readCreate(stmt.CreateStmt);
  if ("CreateForeignTableStmt" in stmt) return readCreate(stmt.CreateForeignTableStmt.base ?? {});
  if ("CreateTableAsStmt" in stmt) {
    const { into, objtype, query, if_not_exists: unlessThere } = stmt.CreateTableAsStmt;
    const calls = into?.skipData === true ? [] : readCalls(query);
    if (objtype !== "OBJECT_TABLE" || into?.rel?.relpersistence === "t") return calls;
    return [{ kind: "create-table", table: tableOf(into?.rel), unlessThere: unlessThere === true }, ...calls];
  }
  if ("CreateSchemaStmt" in stmt) {
    const { schemaname, schemaElts } = stmt.CreateSchemaStmt;
    return (schemaElts ?? []).flatMap(readStatement).map((act) => inSchema(act, schemaname));
  }
  if ("AlterObjectSchemaStmt" in stmt) {
    const { objectType, relation, object, newschema: schema = "" } = stmt.AlterObjectSchemaStmt;
    if (objectType === "OBJECT_TABLE") return [{ kind: "move-table", table: tableOf(relation), schema }];
    if (isType(objectType) && object !== undefined) return [{ kind: "move-type", type: namedBy(object), schema }];
    return objectType === "OBJECT_EXTENSION" ? [unread("ALTER EXTENSION … SET SCHEMA")] : [];
  }
  if ("CopyStmt" in stmt) return readCalls(stmt.CopyStmt.query);
  if ("TruncateStmt" in stmt) return readTruncate(stmt.TruncateStmt);
  if ("SelectStmt" in stmt) return readSelect(stmt.SelectStmt);
  if ("ExplainStmt" in stmt) return stmt.ExplainStmt.query === undefined ? [] : readStatement(stmt.ExplainStmt.query);
  return readTypeStatement(stmt) ?? readOther(stmt);
}

function readOther(stmt: Node): readonly Act[] {
  const [kind = "a statement"] = Object.keys(stmt);
  const written = writtenTable(stmt);
  if (written !== undefined && isOfCatalog(written)) return [unread(`a change of the catalog ${written.name}`)];
  if (HARMLESS.has(kind)) return [];
  if ("VariableSetStmt" in stmt) {
    const { name } = stmt.VariableSetStmt;
    return name === "standard_conforming_strings" && readOff(stmt.VariableSetStmt.args) ? [unread(`SET ${name}`)] : [];
  }
  if ("DiscardStmt" in stmt || "AlterRoleSetStmt" in stmt || "AlterDatabaseSetStmt" in stmt) return [];
  if ("CreateExtensionStmt" in stmt) return [{ kind: "create-extension" }];
  if ("AlterSystemStmt" in stmt) {
    const { name = "" } = stmt.AlterSystemStmt.setstmt ?? {};
    return /^wal_|wal_senders|slot|replication/.test(name) ? [unread(`ALTER SYSTEM SET ${name}`)] : [];
  }
  if ("AlterPublicationStmt" in stmt) {
    const { pubname = "", action } = stmt.AlterPublicationStmt;
    return action === "AP_AddObjects"
      ? []
      : [unread(`ALTER PUBLICATION ${pubname}, which decides what of the tables is in the log`)];
  }
  return [unread(kind.replace(/Stmt$/, ""))];
}

/** The table whose rows a statement changes. */
function writtenTable(stmt: Node): TableName | undefined {
  if ("InsertStmt" in stmt) return tableOf(stmt.InsertStmt.relation);
  if ("UpdateStmt" in stmt) return tableOf(stmt.UpdateStmt.relation);
  if ("DeleteStmt" in stmt) return tableOf(stmt.DeleteStmt.relation);
  return "MergeStmt" in stmt ? tableOf(stmt.MergeStmt.relation) : undefined;
}

/** PostgreSQL keeps names that begin with `pg_` for itself only in schemas, but its catalog is found first. */
function isOfCatalog({ schema, name }: TableName): boolean {
  return schema === "pg_catalog" || (schema === undefined && name.startsWith("pg_"));
}

function readOff(args: readonly Node[] | undefined): boolean {
  return JSON.stringify(args ?? []).includes('"off"') || JSON.stringify(args ?? []).includes('"boolval":{}');
}

/** Statements about types; undefined for any other. */
function readTypeStatement(stmt: Node): readonly Act[] | undefined {
  if ("CreateEnumStmt" in stmt) {
    const { typeName, vals } = stmt.CreateEnumStmt;
    return [{ kind: "create-enum", type: nameOf(typeName), labels: (vals ?? []).map(textOf) }];
  }
  if ("CreateDomainStmt" in stmt) {
    const { domainname, typeName } = stmt.CreateDomainStmt;
    const base = typeOf(typeName);
    const type = nameOf(domainname);
    return [base === undefined ? { kind: "create-type", type } : { kind: "create-domain", type, base }];
  }
  if ("CreateRangeStmt" in stmt) return [{ kind: "create-type", type: nameOf(stmt.CreateRangeStmt.typeName) }];
  if ("CompositeTypeStmt" in stmt) return [{ kind: "create-type", type: tableOf(stmt.CompositeTypeStmt.typevar) }];
  if ("AlterTypeStmt" in stmt) return [];
  if (!("AlterEnumStmt" in stmt)) return undefined;
  const { typeName, oldVal, newVal = "", newValNeighbor: next, newValIsAfter, skipIfNewValExists } = stmt.AlterEnumStmt;
  const type = nameOf(typeName);
  if (oldVal !== undefined) return [{ kind: "rename-label", type, label: oldVal, to: newVal }];
  const unlessThere = skipIfNewValExists === true;
  return [{ kind: "add-label", type, label: newVal, next, after: newValIsAfter === true, unlessThere }];
}

function readCreate({ relation, inhRelations, partbound, if_not_exists: unlessThere }: CreateStmt): readonly Act[] {
  if (relation?.relpersistence === "t") return [];
  const [above] = (inhRelations ?? []).flatMap((node) => ("RangeVar" in node ? [node.RangeVar] : []));
  const parent = partbound === undefined || above === undefined ? undefined : tableOf(above);
  return [{ kind: "create-table", table: tableOf(relation), unlessThere: unlessThere === true, parent }];
}

function readTruncate({ relations, behavior }: TruncateStmt): readonly Act[] {
  const cascade = behavior === "DROP_CASCADE";
  return (relations ?? []).flatMap((node): readonly Act[] => {
    if (!("RangeVar" in node)) return [];
    const { inh } = node.RangeVar;
    const table = tableOf(node.RangeVar);
    return [{ kind: "truncate", table: inh === true ? table : { ...table, only: true }, cascade }];
  });
}

function inSchema(act: Act, schema: string | undefined): Act {
  return "table" in act && act.table !== undefined && act.table.schema === undefined
    ? ({ ...act, table: { ...act.table, schema } } satisfies Act)
    : act;
}

function readDrop({
  removeType = "OBJECT_TABLE",
  objects = [],
  missing_ok: lenient,
  behavior,
}: DropStmt): readonly Act[] {
  const ifThere = lenient === true;
  const cascade = behavior === "DROP_CASCADE";
  const what = `DROP ${removeType.replace("OBJECT_", "").replaceAll("_", " ")}`;
  if (removeType === "OBJECT_TABLE" || removeType === "OBJECT_FOREIGN_TABLE") {
    return objects.map((object) => ({ kind: "drop-table", table: namedBy(object), ifThere }));
  }
  if (removeType === "OBJECT_INDEX") return objects.map((object) => ({ kind: "drop-index", index: namedBy(object) }));
  if (isType(removeType)) return objects.map((object) => ({ kind: "drop-type", type: namedBy(object), cascade }));
  if (removeType === "OBJECT_SCHEMA") {
    return cascade ? objects.map((object) => ({ kind: "drop-schema", schema: namedBy(object).name })) : [];
  }
  if (removeType === "OBJECT_PUBLICATION") return [unread(`${what}, which decides what of the tables is in the log`)];
  const reaches = cascade && !REACHES_NO_COLUMN.has(removeType);
  return reaches ? [unread(`${what} … CASCADE`)] : [];
}

/** Dropped with CASCADE, these take along views, rules and triggers at most. */
const REACHES_NO_COLUMN = new Set([
  "OBJECT_VIEW",
  "OBJECT_MATVIEW",
  "OBJECT_TRIGGER",
  "OBJECT_RULE",
  "OBJECT_POLICY",
  "OBJECT_EVENT_TRIGGER",
]);

function isType(objectType: string | undefined): boolean {
  return objectType === "OBJECT_TYPE" || objectType === "OBJECT_DOMAIN";
}

function readRename(stmt: RenameStmt): readonly Act[] {
  const { renameType, relationType, relation, object, subname = "", newname: to = "", missing_ok: lenient } = stmt;
  const table = tableOf(relation, lenient === true);
  switch (renameType) {
    case "OBJECT_TABLE":
      return [{ kind: "rename-table", table, to }];
    case "OBJECT_COLUMN":
      return relationType === "OBJECT_TABLE" ? [{ kind: "rename", table, column: subname, to }] : [];
    case "OBJECT_TABCONSTRAINT":
      return [{ kind: "rename-constraint", table, name: subname, to }];
    case "OBJECT_INDEX":
      return [{ kind: "rename-index", index: table, to }];
    case "OBJECT_SCHEMA":
      return [{ kind: "rename-schema", schema: subname, to }];
    case "OBJECT_TYPE":
    case "OBJECT_DOMAIN":
      return object === undefined ? [unread("RENAME")] : [{ kind: "rename-type", type: namedBy(object), to }];
    case "OBJECT_ATTRIBUTE":
      return [unread("ALTER TYPE of a composite type")];
    default:
      return [];
  }
}

/** Functions of PostgreSQL that end a connector, although they change no table. */
const ENDS_SLOTS = /^pg_(drop_replication_slot|replication_slot_advance|logical_slot_get_\w+)$/;

function readSelect(select: SelectStmt): readonly Act[] {
  const into = select.intoClause?.rel;
  const made: readonly Act[] =
    into === undefined || into.relpersistence === "t" ? [] : [{ kind: "create-table", table: tableOf(into) }];
  return [...made, ...readCalls(select)];
}

/** The calls of functions in a part of a parsed statement, each function once. */
export function readCalls(node: unknown): readonly Act[] {
  return callsIn(node).map((name) =>
    ENDS_SLOTS.test(name.name) ? unread(`SELECT ${name.name}`) : { kind: "call", function: name },
  );
}

function callsIn(node: unknown): readonly TableName[] {
  const found = new Map<string, TableName>();
  const look = (part: unknown): void => {
    if (Array.isArray(part)) return part.forEach(look);
    if (typeof part !== "object" || part === null) return;
    if ("FuncCall" in part) {
      const { funcname } = part.FuncCall as { readonly funcname?: readonly Node[] }; // a node of libpg-query's tree
      const name = nameOf(funcname);
      found.set(JSON.stringify(name), name);
    }
    Object.values(part).forEach(look);
  };
  look(node);
  return [...found.values()];
}

function nameOf(names: readonly Node[] | undefined): TableName {
  const parts = (names ?? []).map(textOf);
  return { schema: parts.at(-2), name: parts.at(-1) ?? "" };
}

function namedBy(object: Node): TableName {
  if ("List" in object) return nameOf(object.List.items);
  if ("TypeName" in object) return nameOf(object.TypeName.names);
  return nameOf([object]);
}
