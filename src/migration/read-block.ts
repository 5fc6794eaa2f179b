import { type CreateFunctionStmt, parsePlPgSQLSync, parseSync } from "libpg-query";

import { conditionsOf, opposite } from "./condition.ts";
import type { Act, Condition } from "./ddl-step.ts";
import { textOf } from "./expression.ts";
import { unread } from "./read-alter.ts";
import { readCalls, readStatement } from "./read-statement.ts";

/**
 * Reads DO blocks, and functions that a migration creates and then calls. A statement inside an IF gets the IF's
 * condition if it asks whether something exists. What depends on anything else becomes a step `unread`.
 */

/** What a DO block or a call runs. `text` is the whole statement, or the body of a function in SQL. */
export type Body =
  | { readonly kind: "block"; readonly text: string }
  | { readonly kind: "plpgsql" | "sql" | "other"; readonly name: string; readonly text: string };

/** A function's body, with the function's name; undefined if the statement has no name. */
export function bodyOf({ funcname, options }: CreateFunctionStmt, text: string): Extract<Body, { name: string }> {
  const name = (funcname ?? []).map(textOf).at(-1) ?? "";
  const option = (of: string) =>
    (options ?? []).flatMap((node) => ("DefElem" in node && node.DefElem.defname === of ? [node.DefElem.arg] : []))[0];
  const language = option("language");
  const named = language === undefined ? "" : textOf(language).toLowerCase();
  if (named === "plpgsql") return { kind: "plpgsql", name, text };
  const source = option("as");
  const [first] = source !== undefined && "List" in source ? (source.List.items ?? []) : [];
  return named === "sql" && first !== undefined
    ? { kind: "sql", name, text: textOf(first) }
    : { kind: "other", name, text };
}

/** What has been read of the migration so far: its functions by name, and how many conditions it has. */
export interface Migration {
  readonly functions: Map<string, Body>;
  conditions: number;
}

export function readBlock(body: Body, migration: Migration, depth = 0): readonly Act[] {
  if (depth > 10) return [unread("functions that call each other")];
  try {
    switch (body.kind) {
      case "sql":
        return readSql(body.text, { migration, depth, variables: new Map() });
      case "other":
        return [unread(`the function ${body.name}`)];
      case "block":
      case "plpgsql":
        return readFunctions(parsePlPgSQLSync(body.text), { migration, depth, variables: new Map() });
      default:
        return body satisfies never;
    }
  } catch {
    return [unread(body.kind === "block" ? "a DO block" : `the function ${body.name}`)];
  }
}

interface Context {
  readonly migration: Migration;
  readonly depth: number;
  /** What the block's variables were last set to, as an expression. */
  readonly variables: Map<string, string>;
  /** Inside an IF or a loop, where it is not known whether a variable is set. */
  readonly inside?: true;
}

function readSql(text: string, { migration, depth }: Context): readonly Act[] {
  return (parseSync(text).stmts ?? []).flatMap(({ stmt }) => {
    if (stmt === undefined) return [];
    if ("DoStmt" in stmt) return readBlock({ kind: "block", text }, migration, depth + 1);
    return readStatement(stmt).flatMap((act) => called(act, migration, depth));
  });
}

/** A call of a function that the migration creates does what the function's body does. */
export function called(act: Act, migration: Migration, depth = 0): readonly Act[] {
  const body = act.kind === "call" ? migration.functions.get(act.function.name) : undefined;
  return body === undefined ? [act] : readBlock(body, migration, depth + 1);
}

/** The values that variables are declared with are computed first. */
function readFunctions(tree: unknown, context: Context): readonly Act[] {
  const functions = isRecord(tree) ? partsIn(tree["plpgsql_funcs"]) : [];
  return functions.flatMap(({ of }) => [
    ...readExpressions(of["datums"], context),
    ...partsIn([of["action"]]).flatMap((part) => readPart(part, context)),
  ]);
}

/** A node of PL/pgSQL's tree, for which libpg-query has no types: one key, such as PLpgSQL_stmt_if. */
interface Part {
  readonly kind: string;
  readonly of: Readonly<Record<string, unknown>>;
}

function partsIn(list: unknown): readonly Part[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((node: unknown) => {
    const [entry] = isRecord(node) ? Object.entries(node) : [];
    return entry !== undefined && isRecord(entry[1]) ? [{ kind: entry[0], of: entry[1] }] : [];
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The text of an expression or a statement inside a part. */
function queryOf(value: unknown): string {
  const inner = isRecord(value) ? value["PLpgSQL_expr"] : undefined;
  const query = isRecord(inner) ? inner["query"] : undefined;
  return typeof query === "string" ? query : "";
}

/** What the functions that are called in the expressions of a part do. Statements inside the part are left out. */
function readExpressions(part: unknown, context: Context): readonly Act[] {
  if (Array.isArray(part)) return part.flatMap((one: unknown) => readExpressions(one, context));
  if (!isRecord(part)) return [];
  return Object.entries(part).flatMap(([name, value]) => {
    if (STATEMENTS.test(name)) return [];
    return name === "PLpgSQL_expr" ? readExpression(queryOf(part), context) : readExpressions(value, context);
  });
}

const STATEMENTS = /^(?:body|stmts|then_body|else_body|else_stmts|elsif_list|case_when_list|exceptions)$/;
const ASSIGNED = /^\s*[\w."$]+(?:\[[^\]]*\])*\s*:?=\s*/;

/** An expression, an assignment, or a query. */
function readExpression(text: string, { migration, depth }: Context): readonly Act[] {
  if (!/[\w"]\s*\(/.test(text)) return [];
  for (const query of [text, `SELECT ${text}`, `SELECT ${text.replace(ASSIGNED, "")}`]) {
    try {
      return readCalls(parseSync(query)).flatMap((act) => called(act, migration, depth));
    } catch {
      // Not of this form.
    }
  }
  return [unread(`${text.slice(0, 100)} in a block`)];
}

/** Whether a called function does anything is asked later, wherever it is called. */
function isCall({ kind }: Act): boolean {
  return kind === "call";
}

/** Parts that change nothing in the database by themselves. */
const HARMLESS =
  /^PLpgSQL_stmt_(assign|raise|return|return_next|return_query|getdiag|assert|open|fetch|close|exit|commit)$/;

function readPart({ kind, of }: Part, context: Context): readonly Act[] {
  noteVariable({ kind, of }, context);
  switch (kind) {
    case "PLpgSQL_stmt_block":
      return readBody(of, context);
    case "PLpgSQL_stmt_if":
      return [...readExpressions(of, context), ...readIf(of, context)];
    case "PLpgSQL_stmt_execsql": {
      // SELECT … INTO sets a variable here.
      const acts = readSql(queryOf(of["sqlstmt"]), context);
      return of["into"] === true ? acts.filter((act) => act.kind !== "create-table") : acts;
    }
    case "PLpgSQL_stmt_perform":
      return readSql(queryOf(of["expr"]), context);
    case "PLpgSQL_stmt_dynexecute":
      return readExecute(queryOf(of["query"]), context);
    default:
      return [...readExpressions(of, context), ...(HARMLESS.test(kind) ? [] : readUnlessEmpty(kind, of, context))];
  }
}

/** Remembers what a variable is set to: by an assignment, by SELECT … INTO, and FOUND by PERFORM. */
function noteVariable({ kind, of }: Part, { variables, inside }: Context): void {
  const set = (name: string, expression: string | undefined) => {
    if (inside === true || expression === undefined) variables.delete(name);
    else variables.set(name, expression);
  };
  if (kind === "PLpgSQL_stmt_assign") {
    const [, name, expression] = /^\s*(\w+)\s*:?=\s*([^]*)$/.exec(queryOf(of["expr"])) ?? [];
    if (name !== undefined) set(name.toLowerCase(), expression);
  }
  if (kind === "PLpgSQL_stmt_perform") set("found", `EXISTS (${queryOf(of["expr"])})`);
  if (kind !== "PLpgSQL_stmt_execsql") return;
  set("found", undefined);
  if (of["into"] !== true) return;
  const query = queryOf(of["sqlstmt"]);
  for (const name of targetsOf(of["target"])) {
    const [, counted] = /^\s*select\s+count\(\*\)\s*(from\b[^]*)$/i.exec(query) ?? [];
    const [, plain] = /^\s*select\s+((?:not\s+)?exists\s*\([^]*)$/i.exec(query) ?? [];
    set(`${name} = 0`, counted === undefined ? undefined : `NOT EXISTS (SELECT 1 ${counted})`);
    set(`${name} > 0`, counted === undefined ? undefined : `EXISTS (SELECT 1 ${counted})`);
    set(name, plain);
  }
}

function targetsOf(target: unknown): readonly string[] {
  const row = isRecord(target) ? target["PLpgSQL_row"] : undefined;
  const fields: unknown = isRecord(row) ? row["fields"] : undefined;
  if (!Array.isArray(fields)) return [];
  return fields.flatMap((field: unknown) => {
    const name = isRecord(field) ? field["name"] : undefined;
    return typeof name === "string" ? [name] : [];
  });
}

/** The expression of an IF, with what its variable was set to in place of the variable. */
function conditionText(of: Part["of"], { variables }: Context): string {
  const text = queryOf(of["cond"]).trim();
  const [, not = "", name = ""] = /^(not\s+)?(\w+(?:\s*[=>]\s*0)?)$/i.exec(text) ?? [];
  const set = variables.get(name.toLowerCase().replace(/\s*([=>])\s*/, " $1 "));
  return set === undefined ? text : `${not}(${set})`;
}

/** A loop or a CASE: it is harmless if nothing in it changes a table. */
function readUnlessEmpty(kind: string, of: Part["of"], outer: Context): readonly Act[] {
  const context: Context = { ...outer, inside: true };
  const inner = Object.entries(of).flatMap(([name, value]) => (/body|stmts|list/.test(name) ? partsIn(value) : []));
  const acts = inner.flatMap((part) =>
    part.kind === "PLpgSQL_case_when"
      ? partsIn(part.of["stmts"]).flatMap((one) => readPart(one, context))
      : readPart(part, context),
  );
  const what = kind.replace("PLpgSQL_stmt_", "");
  if (/^(for|loop|while|case|dynfor)/.test(what))
    return [...acts.filter(isCall), ...(acts.every(isCall) ? [] : [unread(`a ${what} in a block`)])];
  return [unread(`${what} in a block`)];
}

/** With an exception handler, a statement that fails is passed over. */
function readBody(of: Part["of"], context: Context): readonly Act[] {
  const acts = partsIn(of["body"]).flatMap((part) => readPart(part, context));
  const handlers = isRecord(of["exceptions"]) ? of["exceptions"]["PLpgSQL_exception_block"] : undefined;
  if (!isRecord(handlers)) return acts;
  const handled = partsIn(handlers["exc_list"]).flatMap((one) =>
    partsIn(one.of["action"]).flatMap((part) => readPart(part, context)),
  );
  if (!handled.every(isCall)) return [unread("an exception handler that changes tables")];
  return [...acts.map(lenient), ...handled];
}

function lenient(act: Act): Act {
  const table = "table" in act && act.table !== undefined ? { table: { ...act.table, ifThere: true } } : {};
  const flags = {
    ...("unlessThere" in act ? { unlessThere: true } : {}),
    ...("ifThere" in act ? { ifThere: true } : {}),
  };
  return { ...act, ...table, ...flags };
}

function readIf(of: Part["of"], outer: Context): readonly Act[] {
  const text = conditionText(of, outer);
  const context: Context = { ...outer, inside: true };
  const bodyIn = (value: unknown) => partsIn(value).flatMap((part) => readPart(part, context));
  const [then, otherwise] = [bodyIn(of["then_body"]), bodyIn(of["else_body"])];
  const elsifs = partsIn(of["elsif_list"]).flatMap((part) => [
    ...readExpressions(part.of, context),
    ...bodyIn(part.of["stmts"]),
  ]);
  const all = [...then, ...otherwise, ...elsifs];
  if (all.every(isCall)) return all;
  const asked = conditionsOf(text);
  const { migration } = context;
  const conditions = asked?.map((one) => ({ ...one, id: ++migration.conditions }));
  const not = conditions === undefined || otherwise.length === 0 ? [] : opposite(conditions);
  if (conditions === undefined || not === undefined || elsifs.length > 0) {
    return [unread(`what depends on IF ${queryOf(of["cond"]).slice(0, 100)}`)];
  }
  return [...onlyIf(then, conditions), ...onlyIf(otherwise, not)];
}

function onlyIf(acts: readonly Act[], conditions: readonly Condition[]): readonly Act[] {
  return acts.map((act) => ({ ...act, only: [...conditions, ...(act.only ?? [])] }));
}

/** EXECUTE of a text that is written out, also through format() with written-out arguments. */
function readExecute(query: string, context: Context): readonly Act[] {
  const text = constantOf(query);
  return text === undefined ? [unread(`EXECUTE ${query.slice(0, 100)}`)] : readSql(text, context);
}

function constantOf(query: string): string | undefined {
  const stmt = parseSync(`SELECT ${query}`).stmts?.[0]?.stmt;
  const [target] = stmt !== undefined && "SelectStmt" in stmt ? (stmt.SelectStmt.targetList ?? []) : [];
  const value = target !== undefined && "ResTarget" in target ? target.ResTarget.val : undefined;
  if (value === undefined) return undefined;
  if ("A_Const" in value) return value.A_Const.sval?.sval;
  if (!("FuncCall" in value) || (value.FuncCall.funcname ?? []).map(textOf).join() !== "format") return undefined;
  const args = (value.FuncCall.args ?? []).map((arg) => ("A_Const" in arg ? arg.A_Const.sval?.sval : undefined));
  if (args.some((arg) => arg === undefined)) return undefined;
  const [format = "", ...rest] = args;
  let at = 0;
  return format.replace(/%(I|L|s|%)/g, (_, kind: string) => {
    if (kind === "%") return "%";
    const arg = rest[at++] ?? "";
    if (kind === "s") return arg;
    return kind === "I" ? `"${arg.replaceAll('"', '""')}"` : `'${arg.replaceAll("'", "''")}'`;
  });
}
