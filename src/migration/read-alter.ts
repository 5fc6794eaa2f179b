import type { AlterTableCmd, AlterTableStmt, ColumnDef, IndexStmt, Node, RangeVar } from "libpg-query";

import { ownValue } from "../json.ts";
import type { Act, NewColumn, TableName, TypeName } from "./ddl-step.ts";
import { expressionText, textOf } from "./expression.ts";

/** Turns the commands of ALTER TABLE, and CREATE UNIQUE INDEX, into steps. */

type Constraint = Extract<Node, { Constraint: unknown }>["Constraint"];

export function unread(what: string, table?: TableName): Act {
  return { kind: "unread", table, what };
}

export function tableOf(relation: RangeVar | undefined, ifThere = false): TableName {
  const name = { schema: relation?.schemaname, name: relation?.relname ?? "" };
  return ifThere ? { ...name, ifThere } : name;
}

export function readAlterTable({ relation, cmds, objtype, missing_ok: ifThere }: AlterTableStmt): readonly Act[] {
  if (objtype !== "OBJECT_TABLE") return objtype === "OBJECT_TYPE" ? [unread("ALTER TYPE of a composite type")] : [];
  const name = tableOf(relation, ifThere === true);
  const table = relation?.inh === true ? name : { ...name, only: true };
  return (cmds ?? [])
    .flatMap((cmd) => ("AlterTableCmd" in cmd ? [cmd.AlterTableCmd] : []))
    .toSorted((left, right) => passOf(left) - passOf(right))
    .flatMap((cmd) => readAlterCommand(table, cmd));
}

/** PostgreSQL carries out the commands of one ALTER TABLE in this order, whatever the order in which they are written. */
function passOf({ subtype }: AlterTableCmd): number {
  if (subtype?.startsWith("AT_Drop") === true) return 0;
  if (subtype === "AT_AlterColumnType") return 1;
  return subtype === "AT_AddColumn" ? 2 : 3;
}

/** Commands of ALTER TABLE that change neither columns, nor the key, nor the name. */
const ELSEWHERE =
  /^AT_(ValidateConstraint|AlterConstraint|SetStatistics|SetOptions|ResetOptions|SetStorage|SetCompression|ClusterOn|DropCluster|DropOids|SetLogged|SetAccessMethod|SetTableSpace|SetRelOptions|ReplaceRelOptions|ResetRelOptions|(Enable|Disable|Force|NoForce)\w*|ChangeOwner|SetIdentity|SetExpression|DetachPartitionFinalize)$/;

const UNREAD: Readonly<Record<string, string>> = {
  AT_SetUnLogged: "SET UNLOGGED, after which no rows of the table are in the log",
  AT_AddInherit: "INHERIT",
  AT_DropInherit: "NO INHERIT",
};

function readAlterCommand(
  table: TableName,
  { subtype, name = "", def, missing_ok: lenient }: AlterTableCmd,
): readonly Act[] {
  const ifThere = lenient === true;
  switch (subtype) {
    case "AT_AddColumn":
      return def !== undefined && "ColumnDef" in def ? readAddColumn(table, def.ColumnDef, ifThere) : [];
    case "AT_DropColumn":
      return [{ kind: "drop", table, column: name, ifThere }];
    case "AT_AlterColumnType": {
      const type = def !== undefined && "ColumnDef" in def ? typeOf(def.ColumnDef.typeName) : undefined;
      return type === undefined
        ? [unread(`the type of ${name}`, table)]
        : [{ kind: "retype", table, column: name, type }];
    }
    case "AT_SetNotNull":
    case "AT_DropNotNull":
      return [{ kind: "null", table, column: name, notNull: subtype === "AT_SetNotNull" }];
    case "AT_ColumnDefault":
      return [{ kind: "default", table, column: name, defaultExpr: def && expressionText(def) }];
    case "AT_AddIdentity":
    case "AT_DropIdentity":
      return [{ kind: "identity", table, column: name, identity: subtype === "AT_AddIdentity" }];
    case "AT_DropExpression":
      return [{ kind: "not-generated", table, column: name }];
    case "AT_AddConstraint":
      return def !== undefined && "Constraint" in def ? readConstraint(table, def.Constraint) : [];
    case "AT_DropConstraint":
      return [{ kind: "drop-constraint", table, name, ifThere }];
    case "AT_ReplicaIdentity":
      return readIdentity(table, def);
    case "AT_EnableRowSecurity":
      return [{ kind: "row-security", table, change: "enable" }];
    case "AT_DisableRowSecurity":
      return [{ kind: "row-security", table, change: "disable" }];
    case "AT_ForceRowSecurity":
      return [{ kind: "row-security", table, change: "force" }];
    case "AT_NoForceRowSecurity":
      return [{ kind: "row-security", table, change: "no-force" }];
    case "AT_AttachPartition":
    case "AT_DetachPartition": {
      const partition = def !== undefined && "PartitionCmd" in def ? tableOf(def.PartitionCmd.name) : undefined;
      const kind = subtype === "AT_AttachPartition" ? "attach" : "detach";
      return partition === undefined ? [unread(kind, table)] : [{ kind, table, partition }];
    }
    default:
      return ELSEWHERE.test(subtype ?? "")
        ? []
        : [unread(ownValue(UNREAD, subtype ?? "") ?? `ALTER TABLE … ${subtype ?? ""}`, table)];
  }
}

const IDENTITIES: Readonly<Record<string, "default" | "full" | "nothing" | "index">> = {
  d: "default",
  f: "full",
  n: "nothing",
  i: "index",
};

function readIdentity(table: TableName, def: Node | undefined): readonly Act[] {
  if (def === undefined || !("ReplicaIdentityStmt" in def)) return [unread("REPLICA IDENTITY", table)];
  const { identity_type: type = "", name: index } = def.ReplicaIdentityStmt;
  const identity = ownValue(IDENTITIES, type);
  return identity === undefined
    ? [unread("REPLICA IDENTITY", table)]
    : [{ kind: "replica-identity", table, identity, index }];
}

function readConstraint(table: TableName, constraint: Constraint): readonly Act[] {
  const { contype, keys, indexname: index, conname: name, deferrable } = constraint;
  const columns = (keys ?? []).map(textOf);
  switch (contype) {
    case "CONSTR_NOTNULL":
      if (constraint.skip_validation === true) return [unread("NOT NULL … NOT VALID", table)];
      return columns.map((column): Act => ({ kind: "null", table, column, notNull: true }));
    case "CONSTR_PRIMARY":
      return [{ kind: "key", table, columns, index, name }];
    case "CONSTR_UNIQUE":
      // USING INDEX makes a constraint of an index that is there already.
      if (index !== undefined) return name === undefined ? [] : [renamedIndex(table, index, name)];
      return [{ kind: "unique", table, columns, name, usable: deferrable !== true, unlessThere: false }];
    default:
      return [{ kind: "constraint", table, name }];
  }
}

/** An index has the schema of its table. */
function renamedIndex({ schema }: TableName, index: string, to: string): Act {
  return { kind: "rename-index", index: { schema, name: index }, to };
}

export function readIndex(index: IndexStmt): readonly Act[] {
  if (index.unique !== true) return [];
  const params = (index.indexParams ?? []).flatMap((node) => ("IndexElem" in node ? [node.IndexElem] : []));
  const columns = params.flatMap(({ name }) => name ?? []);
  const usable = columns.length === params.length && index.whereClause === undefined;
  const table = tableOf(index.relation);
  return [{ kind: "unique", table, columns, name: index.idxname, usable, unlessThere: index.if_not_exists === true }];
}

function readAddColumn(table: TableName, def: ColumnDef, unlessThere: boolean): readonly Act[] {
  const type = typeOf(def.typeName);
  if (type === undefined) return [unread(`the type of ${def.colname ?? ""}`, table)];
  const keys = [{ String: { sval: def.colname ?? "" } }];
  const others = constraintsOf(def).filter(({ contype }) => SEPARATE.has(contype ?? ""));
  return [
    { kind: "add", table, column: columnOf(def, type), unlessThere },
    ...others.flatMap((one) => readConstraint(table, { ...one, keys })),
  ];
}

/** Constraints of a column that could be written separately. */
const SEPARATE = new Set(["CONSTR_UNIQUE", "CONSTR_FOREIGN", "CONSTR_CHECK"]);

function constraintsOf(def: ColumnDef): readonly Constraint[] {
  return (def.constraints ?? []).flatMap((node) => ("Constraint" in node ? [node.Constraint] : []));
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
  const all = constraintsOf(def);
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
export function typeOf(typeName: ColumnDef["typeName"]): TypeName | undefined {
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
