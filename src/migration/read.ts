import { hasSqlDetails, type Node, parseSync } from "libpg-query";

import { GuardError } from "../errors.ts";
import type { Act, DdlStep, TableName } from "./ddl-step.ts";
import { textOf } from "./expression.ts";
import { bodyOf, called, type Migration, readBlock } from "./read-block.ts";
import { unread } from "./read-alter.ts";
import { readCalls, readStatement } from "./read-statement.ts";
import { parseWithPlaceholders } from "./placeholder.ts";
import { splitStatements, type Statement } from "./split.ts";

/**
 * Turns the files of a migration, parsed with PostgreSQL's own grammar, into the steps that change tables. What is
 * rolled back is left out, and names without a schema get the schemas of SET search_path. libpg-query's module must be
 * loaded.
 */

export interface MigrationFile {
  /** As the user gave it; `-` is standard input. */
  readonly name: string;
  readonly text: string;
}

/** What a migration does to tables, in order. Throws `usage` with file, line and column for a syntax error. */
export function readDdlSteps(files: readonly MigrationFile[]): readonly DdlStep[] {
  const migration: Migration = { functions: new Map(), conditions: 0 };
  return files.flatMap(({ name, text }) => {
    const steps = readFile({ name, text }, migration);
    return files.length === 1 ? steps : steps.map((step) => ({ ...step, file: name }));
  });
}

/** What has been read of a file. */
interface Reading {
  steps: DdlStep[];
  /** The open transaction and its savepoints; each with what had been read when it started. */
  marks: { readonly name: string | undefined; readonly steps: number; readonly path: Path }[];
  path: Path;
  /** The path after the transaction, if SET LOCAL changed it. */
  after: Path | "same";
}

/** The schemas of SET search_path; undefined if it is not set. */
type Path = readonly string[] | undefined;

function readFile(file: MigrationFile, migration: Migration): readonly DdlStep[] {
  const reading: Reading = { steps: [], marks: [], path: undefined, after: "same" };
  const lineOf = lineCounter(file.text);
  for (const statement of splitStatements(file.text)) {
    const line = lineOf(statement.offset);
    const take = (acts: readonly Act[]) =>
      void reading.steps.push(...acts.map((act) => ({ ...withPath(act, reading.path), line })));
    const { kind } = statement;
    if (kind === "rows") {
      if (mayCall(statement, migration)) take(readRows(parse(file, statement), migration));
    } else if (kind !== "sql") take([unread(UNREAD[kind](statement.text.trim().slice(0, 80)))]);
    else for (const stmt of parse(file, statement)) readOne(reading, stmt, statement.text, migration, take);
  }
  return reading.steps;
}

/** `start`: the beginning of its text. */
const UNREAD: Readonly<Record<Exclude<Statement["kind"], "sql" | "rows">, (start: string) => string>> = {
  command: (start) => `psql's command ${start}`,
  hides: (start) => `the comment ${start}, which hides a statement`,
  undo: (start) => `what follows the comment ${start}: it may undo the migration`,
};

/** Lines must be asked for in order. */
function lineCounter(text: string): (offset: number) => number {
  let [line, at] = [1, 0];
  return (offset) => {
    for (let next = text.indexOf("\n", at); next !== -1 && next < offset; next = text.indexOf("\n", at)) {
      line++;
      at = next + 1;
    }
    return line;
  };
}

function parse(file: MigrationFile, { text, offset }: Statement): readonly Node[] {
  try {
    return (parseSync(text).stmts ?? []).flatMap(({ stmt }) => stmt ?? []);
  } catch (error) {
    const replaced = parseWithPlaceholders(text);
    if (replaced !== undefined) return replaced;
    if (!(error instanceof Error)) throw error;
    const at = offset + (hasSqlDetails(error) ? (error.sqlDetails?.cursorPosition ?? 0) : 0);
    const lines = file.text.slice(0, at).split("\n");
    const place = `${file.name}:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
    throw new GuardError("usage", `${place}: ${error.message}`, {
      next: "give SQL as it is sent to PostgreSQL, with the values of a tool's placeholders filled in",
      cause: error,
    });
  }
}

function readOne(
  reading: Reading,
  stmt: Node,
  text: string,
  migration: Migration,
  take: (acts: readonly Act[]) => void,
): void {
  if ("TransactionStmt" in stmt) return take(readTransaction(reading, stmt.TransactionStmt));
  const path = pathOf(stmt);
  if (path !== undefined) {
    if (path.local && reading.marks.length > 0 && reading.after === "same") reading.after = reading.path;
    reading.path = path.schemas;
    return;
  }
  if ("DoStmt" in stmt) return take(readBlock({ kind: "block", text }, migration));
  if ("CreateFunctionStmt" in stmt) {
    const body = bodyOf(stmt.CreateFunctionStmt, text);
    migration.functions.set(body.name, body);
    return;
  }
  if ("CallStmt" in stmt) {
    const name = (stmt.CallStmt.funccall?.funcname ?? []).map(textOf).at(-1) ?? "";
    const body = migration.functions.get(name);
    return take(body === undefined ? [unread(`CALL ${name}`)] : readBlock(body, migration));
  }
  take(readStatement(stmt).flatMap((act) => called(act, migration)));
}

/** Rows are parsed only if they may call a function of the migration: a file may have megabytes of them. */
function mayCall({ text }: Statement, { functions }: Migration): boolean {
  return [...functions.keys()].some((name) => text.includes(name));
}

function readRows(stmts: readonly Node[], migration: Migration): readonly Act[] {
  return stmts.flatMap(readCalls).flatMap((act) => (act.kind === "call" ? called(act, migration) : []));
}

type Transaction = Extract<Node, { TransactionStmt: unknown }>["TransactionStmt"];

function readTransaction(reading: Reading, { kind, savepoint_name: name, chain }: Transaction): readonly Act[] {
  const { marks } = reading;
  const mark = (of: string | undefined) => marks.push({ name: of, steps: reading.steps.length, path: reading.path });
  const rollBack = (to: number) => {
    const [kept] = marks.slice(to);
    if (kept === undefined) return;
    reading.steps = reading.steps.slice(0, kept.steps);
    reading.path = kept.path;
  };
  const end = () => {
    if (reading.after !== "same") reading.path = reading.after;
    reading.after = "same";
    marks.length = 0;
    if (chain === true) mark(undefined);
  };
  switch (kind) {
    case "TRANS_STMT_BEGIN":
    case "TRANS_STMT_START":
      if (marks.length === 0) mark(undefined);
      return [];
    case "TRANS_STMT_SAVEPOINT":
      mark(name);
      return [];
    case "TRANS_STMT_RELEASE":
    case "TRANS_STMT_ROLLBACK_TO": {
      const at = marks.findLastIndex((one) => one.name === name);
      if (at === -1) return [unread(`a savepoint ${name ?? ""} that the file does not set`)];
      if (kind === "TRANS_STMT_ROLLBACK_TO") rollBack(at);
      marks.length = kind === "TRANS_STMT_ROLLBACK_TO" ? at + 1 : at;
      return [];
    }
    case "TRANS_STMT_ROLLBACK": {
      const isOpen = marks.length > 0;
      rollBack(0);
      end();
      return isOpen ? [] : [unread("ROLLBACK without BEGIN, which undoes what the tool has started")];
    }
    case "TRANS_STMT_COMMIT":
      end();
      return [];
    default:
      return [unread("a prepared transaction")];
  }
}

/** The schemas that a statement sets as the search path; undefined if it sets none. */
function pathOf(stmt: Node): { readonly schemas: Path; readonly local: boolean } | undefined {
  if ("DiscardStmt" in stmt) return { schemas: undefined, local: false };
  if ("VariableSetStmt" in stmt && stmt.VariableSetStmt.name === "search_path") {
    const { kind, args, is_local: local } = stmt.VariableSetStmt;
    const texts = (args ?? []).flatMap((arg) => ("A_Const" in arg ? (arg.A_Const.sval?.sval ?? "") : ""));
    return { schemas: kind === "VAR_SET_VALUE" ? schemasOf(texts) : undefined, local: local === true };
  }
  const [target] = "SelectStmt" in stmt ? (stmt.SelectStmt.targetList ?? []) : [];
  const call = target !== undefined && "ResTarget" in target ? target.ResTarget.val : undefined;
  if (call === undefined || !("FuncCall" in call)) return undefined;
  const [name, value, local] = (call.FuncCall.args ?? []).map((arg) => ("A_Const" in arg ? arg.A_Const : undefined));
  if ((call.FuncCall.funcname ?? []).map(textOf).at(-1) !== "set_config" || name?.sval?.sval !== "search_path")
    return undefined;
  return { schemas: schemasOf((value?.sval?.sval ?? "").split(",")), local: local?.boolval?.boolval === true };
}

/** `"$user"` is the schema of a role that is not known here; it rarely exists. */
function schemasOf(texts: readonly string[]): readonly string[] {
  return texts.map((text) => text.trim().replaceAll('"', "")).filter((text) => text !== "" && text !== "$user");
}

/** Adds the search path to the names of a step that have no schema. */
function withPath(act: Act, path: Path): Act {
  if (path === undefined) return act;
  const entries = Object.entries(act).map(([key, value]: [string, unknown]) => [
    key,
    isName(key, value) ? { ...value, path: [...path] } : value,
  ]);
  return Object.fromEntries(entries) as Act; // the same step, with longer names
}

function isName(key: string, value: unknown): value is TableName {
  if (!/^(?:table|partition|parent|index|type)$/.test(key) || typeof value !== "object" || value === null) return false;
  return !("modifiers" in value) && !("schema" in value && value.schema !== undefined);
}
