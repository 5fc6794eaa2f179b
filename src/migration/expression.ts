import type { Node } from "libpg-query";

/** A String node's text; empty for another. */
export function textOf(node: Node): string {
  return "String" in node ? (node.String.sval ?? "") : "";
}

/**
 * A default as pg_get_expr would write it, as far as the events' schema looks: a literal is itself, a call is a call;
 * whatever else is `(expression)`, which no schema takes for a default. undefined: NULL.
 */
export function expressionText(node: Node): string | undefined {
  if ("A_Const" in node) return constantText(node.A_Const);
  if ("TypeCast" in node) {
    const { arg, typeName } = node.TypeCast;
    const inner = arg && expressionText(arg);
    const name = (typeName?.names ?? []).map(textOf).at(-1) ?? "";
    if (name === "bool" && inner?.startsWith("'") === true) return String(inner.startsWith("'t"));
    return inner === undefined ? undefined : inner.startsWith("'") ? `${inner.replace(/::text$/, "")}::${name}` : inner;
  }
  if ("FuncCall" in node) return `${(node.FuncCall.funcname ?? []).map(textOf).join(".")}()`;
  if ("SQLValueFunction" in node) return timeNow(node.SQLValueFunction.op);
  if ("A_Expr" in node) return signed(node.A_Expr.name ?? [], node.A_Expr.lexpr, node.A_Expr.rexpr);
  return OTHER;
}

const OTHER = "(expression)";

function constantText(constant: Extract<Node, { A_Const: unknown }>["A_Const"]): string | undefined {
  if (constant.isnull === true) return undefined;
  if (constant.ival !== undefined) return String(constant.ival.ival ?? 0);
  if (constant.fval !== undefined) return constant.fval.fval ?? "0";
  if (constant.boolval !== undefined) return String(constant.boolval.boolval === true);
  if (constant.sval !== undefined) return `'${(constant.sval.sval ?? "").replaceAll("'", "''")}'::text`;
  return constant.bsval?.bsval === undefined ? OTHER : `B'${constant.bsval.bsval.replace(/^b/i, "")}'`;
}

function timeNow(op: string | undefined): string {
  const name = (op ?? "").replace("SVFOP_", "").replace(/_N$/, "");
  return /TIME|DATE/.test(name) ? name : OTHER;
}

/** `-5` is an operator and a number. */
function signed(name: readonly Node[], left: Node | undefined, right: Node | undefined): string {
  const number = right === undefined || left !== undefined ? undefined : expressionText(right);
  const isMinus = name.length === 1 && name[0] !== undefined && textOf(name[0]) === "-";
  return isMinus && number !== undefined && /^\d/.test(number) ? `-${number}` : OTHER;
}
