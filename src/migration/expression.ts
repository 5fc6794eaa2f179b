import type { Node } from "libpg-query";

import { ownValue } from "../json.ts";

/**
 * Writes the expression of a default as pg_get_expr would, as precisely as the events' schema needs it: whether it is a
 * literal, a number, or begins with a call. How a literal is written also depends on the column's type (constant.ts).
 */

/** The text of a String node; empty for any other node. */
export function textOf(node: Node): string {
  return "String" in node ? (node.String.sval ?? "") : "";
}

/** The default's text; undefined means NULL, which is no default. */
export function expressionText(node: Node): string | undefined {
  return "A_Const" in node && node.A_Const.isnull === true ? undefined : written(node);
}

/** A quoted literal, as pg_get_expr writes it: with standard_conforming_strings, so a backslash is a plain character. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const OTHER = "(expression)";

function written(node: Node | undefined): string {
  if (node === undefined) return OTHER;
  if ("A_Const" in node) return constantText(node.A_Const);
  if ("TypeCast" in node) return castText(node.TypeCast);
  if ("FuncCall" in node) return callText(node.FuncCall);
  if ("SQLValueFunction" in node) return nowText(node.SQLValueFunction);
  if ("A_Expr" in node) return operatorText(node.A_Expr);
  if ("CoalesceExpr" in node) return `COALESCE(${listText(node.CoalesceExpr.args)})`;
  if ("MinMaxExpr" in node) {
    return `${node.MinMaxExpr.op === "IS_LEAST" ? "LEAST" : "GREATEST"}(${listText(node.MinMaxExpr.args)})`;
  }
  if ("CollateClause" in node) {
    return `(${written(node.CollateClause.arg)} COLLATE ${(node.CollateClause.collname ?? []).map(textOf).join(".")})`;
  }
  if ("A_ArrayExpr" in node) return `ARRAY[${listText(node.A_ArrayExpr.elements)}]`;
  if ("BoolExpr" in node) return `(${(node.BoolExpr.args ?? []).map(written).join(" AND ")})`;
  return OTHER;
}

function listText(nodes: readonly Node[] | undefined): string {
  return (nodes ?? []).map(written).join(", ");
}

function constantText(constant: Extract<Node, { A_Const: unknown }>["A_Const"]): string {
  if (constant.isnull === true) return "NULL";
  if (constant.ival !== undefined) return String(constant.ival.ival ?? 0);
  if (constant.fval !== undefined) return constant.fval.fval ?? "0";
  if (constant.boolval !== undefined) return String(constant.boolval.boolval === true);
  if (constant.sval !== undefined) return `${quoteLiteral(constant.sval.sval ?? "")}::text`;
  return constant.bsval?.bsval === undefined ? OTHER : `B'${constant.bsval.bsval.replace(/^b/i, "")}'`;
}

/** A literal takes the cast's type at once; anything else is cast, which pg_get_expr writes in parentheses. */
function castText({ arg, typeName }: Extract<Node, { TypeCast: unknown }>["TypeCast"]): string {
  const names = (typeName?.names ?? []).map(textOf);
  const name = `${names.at(-1) ?? ""}${(typeName?.arrayBounds ?? []).length > 0 ? "[]" : ""}`;
  if (arg !== undefined && "A_Const" in arg) {
    const { sval, ival, boolval } = arg.A_Const;
    if (sval !== undefined) return literalText(sval.sval ?? "", name);
    const sameType = (ival !== undefined && name === "int4") || (boolval !== undefined && name === "bool");
    if (sameType) return constantText(arg.A_Const);
  }
  const inner = written(arg);
  return ownValue(TYPE_OF_NOW, inner) === name ? inner : `(${inner})::${name}`;
}

/** The types of the current time. A cast to the type that a value has already leaves no trace. */
const TYPE_OF_NOW: Readonly<Record<string, string>> = {
  CURRENT_TIMESTAMP: "timestamptz",
  CURRENT_TIME: "timetz",
  CURRENT_DATE: "date",
  LOCALTIMESTAMP: "timestamp",
  LOCALTIME: "time",
};

function literalText(text: string, type: string): string {
  if (type === "bool") return String(/^\s*(t|tr|tru|true|y|ye|yes|on|1)\s*$/i.test(text));
  return `${quoteLiteral(text)}::${type}`;
}

function callText({ funcname, args, funcformat }: Extract<Node, { FuncCall: unknown }>["FuncCall"]): string {
  const names = (funcname ?? []).map(textOf);
  const [first, second] = args ?? [];
  if (funcformat === "COERCE_SQL_SYNTAX" && names.at(-1) === "timezone") {
    return `(${written(second)} AT TIME ZONE ${written(first)})`;
  }
  return `${names.filter((name) => name !== "pg_catalog").join(".")}(${listText(args)})`;
}

function nowText({
  op = "SVFOP_CURRENT_USER",
  typmod,
}: Extract<Node, { SQLValueFunction: unknown }>["SQLValueFunction"]): string {
  const name = op.replace("SVFOP_", "").replace(/_N$/, "");
  if (!/TIME|DATE/.test(name)) return name;
  return op.endsWith("_N") ? `${name}(${typmod ?? 0})` : name;
}

/** `-5` may be parsed as an operator and a number. */
function operatorText({ name, lexpr, rexpr, kind }: Extract<Node, { A_Expr: unknown }>["A_Expr"]): string {
  const operator = (name ?? []).map(textOf).at(-1) ?? "";
  if (kind === "AEXPR_NULLIF") return `NULLIF(${written(lexpr)}, ${written(rexpr)})`;
  if (kind !== undefined && kind !== "AEXPR_OP") return OTHER;
  if (lexpr !== undefined) return `(${written(lexpr)} ${operator} ${written(rexpr)})`;
  const number = written(rexpr);
  if (operator === "-" && /^\d/.test(number)) return `-${number}`;
  return operator === "+" && /^\d/.test(number) ? number : `(${operator} ${number})`;
}
