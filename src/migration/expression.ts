import type { Node } from "libpg-query";

/** The text of a String node; empty for any other node. */
export function textOf(node: Node): string {
  return "String" in node ? (node.String.sval ?? "") : "";
}

/**
 * A default as pg_get_expr would write it, as precisely as the events' schema needs it: a literal or a call is written
 * out, and anything else becomes `(expression)`, from which no schema default is derived. Undefined means NULL.
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
  if ("SQLValueFunction" in node) return nowText(node.SQLValueFunction.op);
  if ("A_Expr" in node) return negativeNumber(node.A_Expr.name ?? [], node.A_Expr.lexpr, node.A_Expr.rexpr);
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

function nowText(op: string | undefined): string {
  const name = (op ?? "").replace("SVFOP_", "").replace(/_N$/, "");
  return /TIME|DATE/.test(name) ? name : OTHER;
}

/** `-5` is parsed as an operator and a number. */
function negativeNumber(name: readonly Node[], left: Node | undefined, right: Node | undefined): string {
  const number = right === undefined || left !== undefined ? undefined : expressionText(right);
  const isMinus = name.length === 1 && name[0] !== undefined && textOf(name[0]) === "-";
  return isMinus && number !== undefined && /^\d/.test(number) ? `-${number}` : OTHER;
}
