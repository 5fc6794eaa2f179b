import { type Node, parseSync, type SelectStmt } from "libpg-query";

import { ownValue } from "../json.ts";
import type { Condition } from "./ddl-step.ts";
import { textOf } from "./expression.ts";

/**
 * Reads what `IF` in a DO block asks for, where it asks the catalog whether something exists. Most migrations that may
 * run twice are written this way.
 */

/** A condition that has not been numbered yet. */
type Asked = Omit<Condition, "id">;

/** All of these must hold; undefined if the expression asks for anything else. */
export function conditionsOf(expression: string): readonly Asked[] | undefined {
  try {
    const stmt = parseSync(`SELECT ${expression}`).stmts?.[0]?.stmt;
    const [target] = stmt !== undefined && "SelectStmt" in stmt ? (stmt.SelectStmt.targetList ?? []) : [];
    return target !== undefined && "ResTarget" in target ? read(target.ResTarget.val, true) : undefined;
  } catch {
    return undefined;
  }
}

/** The opposite of a single condition; undefined if there are several. */
export function opposite([first, ...more]: readonly Condition[]): readonly Condition[] | undefined {
  return first === undefined || more.length > 0 ? undefined : [{ ...first, exists: !first.exists }];
}

function read(node: Node | undefined, exists: boolean): readonly Asked[] | undefined {
  if (node === undefined) return undefined;
  if ("BoolExpr" in node) {
    const { boolop, args = [] } = node.BoolExpr;
    if (boolop === "NOT_EXPR") return read(args[0], !exists);
    if (boolop !== "AND_EXPR" || !exists) return undefined;
    const all = args.map((arg) => read(arg, exists));
    return all.every((one) => one !== undefined) ? all.flat() : undefined;
  }
  if ("NullTest" in node) return readNullTest(node.NullTest, exists);
  if (!("SubLink" in node) || node.SubLink.subLinkType !== "EXISTS_SUBLINK") return undefined;
  const { subselect } = node.SubLink;
  const found = subselect !== undefined && "SelectStmt" in subselect ? readQuery(subselect.SelectStmt) : undefined;
  return found === undefined ? undefined : [{ ...found, exists }];
}

/** `to_regclass('public.customers') IS NULL`. */
function readNullTest(
  { arg, nulltesttype }: Extract<Node, { NullTest: unknown }>["NullTest"],
  exists: boolean,
): readonly Asked[] | undefined {
  if (arg === undefined || !("FuncCall" in arg)) return undefined;
  const name = (arg.FuncCall.funcname ?? []).map(textOf).at(-1);
  const of = name === "to_regclass" ? "table" : name === "to_regtype" ? "type" : undefined;
  const [given] = arg.FuncCall.args ?? [];
  const text = given === undefined ? undefined : literalOf(given);
  if (of === undefined || text === undefined) return undefined;
  return [{ exists: exists === (nulltesttype === "IS_NOT_NULL"), of, ...splitName(text) }];
}

/** By the relation that is asked, the columns that name what is asked for, its table and its schema. */
const CATALOG: Readonly<
  Record<
    string,
    { readonly of: Condition["of"]; readonly name: string; readonly table?: string; readonly schema?: string }
  >
> = {
  columns: { of: "column", name: "column_name", table: "table_name", schema: "table_schema" },
  pg_attribute: { of: "column", name: "attname", table: "attrelid" },
  tables: { of: "table", name: "table_name", schema: "table_schema" },
  pg_tables: { of: "table", name: "tablename", schema: "schemaname" },
  pg_class: { of: "table", name: "relname", schema: "nspname" },
  pg_type: { of: "type", name: "typname", schema: "nspname" },
  table_constraints: { of: "constraint", name: "constraint_name", table: "table_name", schema: "table_schema" },
  pg_constraint: { of: "constraint", name: "conname", table: "conrelid" },
  pg_indexes: { of: "index", name: "indexname", table: "tablename", schema: "schemaname" },
};

/** Tests that are true of everything that is asked for. */
const ALWAYS = new Set([
  "table_catalog",
  "attisdropped",
  "attnum",
  "relkind",
  "typtype",
  "table_type",
  "contype",
  "constraint_type",
]);

function readQuery(select: SelectStmt): Omit<Asked, "exists"> | undefined {
  const relations = (select.fromClause ?? []).flatMap(relationsIn);
  const asked = relations.map((name) => ownValue(CATALOG, name)).find((one) => one !== undefined);
  const known = relations.every((name) => ownValue(CATALOG, name) === asked || name === "pg_namespace");
  const tests = select.whereClause === undefined ? [] : testsIn(select.whereClause);
  if (asked === undefined || !known || tests === undefined) return undefined;
  const valueOf = (column: string | undefined) => tests.find((test) => test.column === column)?.value;
  const columns = new Set([asked.name, asked.table, asked.schema, ...ALWAYS]);
  const name = valueOf(asked.name);
  if (name === undefined || tests.some(({ column }) => !columns.has(column))) return undefined;
  const table = valueOf(asked.table);
  const qualified = table === undefined ? undefined : splitName(table);
  const schema = valueOf(asked.schema) ?? qualified?.schema;
  return { of: asked.of, name, table: qualified?.name, schema };
}

function relationsIn(node: Node): readonly string[] {
  if ("RangeVar" in node) return [node.RangeVar.relname ?? ""];
  if (!("JoinExpr" in node)) return [""];
  const { larg, rarg } = node.JoinExpr;
  return [larg, rarg].flatMap((one) => (one === undefined ? [""] : relationsIn(one)));
}

interface Test {
  readonly column: string;
  readonly value: string | undefined;
}

/** Comparisons joined by AND; undefined if there is anything else. */
function testsIn(node: Node): readonly Test[] | undefined {
  if ("BoolExpr" in node && node.BoolExpr.boolop === "AND_EXPR") {
    const all = (node.BoolExpr.args ?? []).map(testsIn);
    return all.every((one) => one !== undefined) ? all.flat() : undefined;
  }
  if ("BoolExpr" in node && node.BoolExpr.boolop === "NOT_EXPR") {
    const column = columnOf(node.BoolExpr.args?.[0]);
    return column === "attisdropped" ? [] : undefined;
  }
  if (!("A_Expr" in node)) return undefined;
  const { kind, name, lexpr, rexpr } = node.A_Expr;
  const column = columnOf(lexpr);
  const operator = (name ?? []).map(textOf).join();
  if (column === undefined || rexpr === undefined || kind !== "AEXPR_OP") return undefined;
  if (ALWAYS.has(column)) return [];
  if (operator !== "=") return undefined;
  const value = literalOf(rexpr);
  if (value === undefined) return isLink(column) ? [] : undefined;
  return [{ column, value }];
}

/** A comparison of two OIDs joins the catalog's relations. */
function isLink(column: string): boolean {
  return /namespace$|^oid$/.test(column);
}

function columnOf(node: Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if ("TypeCast" in node) return columnOf(node.TypeCast.arg);
  if (!("ColumnRef" in node)) return undefined;
  return (node.ColumnRef.fields ?? []).map(textOf).at(-1);
}

/** A quoted text, also as `'customers'::regclass` or `current_schema()`. */
function literalOf(node: Node): string | undefined {
  if ("TypeCast" in node) return node.TypeCast.arg === undefined ? undefined : literalOf(node.TypeCast.arg);
  return "A_Const" in node ? node.A_Const.sval?.sval : undefined;
}

function splitName(text: string): { readonly name: string; readonly schema: string | undefined } {
  const parts = text.match(/"(?:[^"]|"")+"|[^.]+/g) ?? [text];
  const [name = text, schema] = parts.map(plain).toReversed();
  return { name, schema };
}

function plain(part: string): string {
  return part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.toLowerCase();
}
