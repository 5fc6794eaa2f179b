import type { Finding } from "../finding.ts";
import { fullName, type TableName } from "../table/quote.ts";

/** Sentences about columns that are in no event. */

/** A warning about generated columns, without its full stop. */
export function generatedText(table: TableName, columns: readonly string[]): { what: string; next: string } {
  const [what, are] = columns.length === 1 ? ["column", "is"] : ["columns", "are"];
  return {
    what: `${what} ${columns.join(", ")} of ${fullName(table)} ${are} generated and therefore in no event, because the log has no generated values`,
    next: "nothing if no consumer needs the value; otherwise let a trigger write it to an ordinary column",
  };
}

/** The log's line about one column that is left out from the start. */
export function leftOutLine(table: TableName, { message }: Finding): string {
  return `${fullName(table)}: ${message}`;
}
