import type { Unidentified } from "../capture/identity.ts";
import { fullName, quoteTable } from "../table/quote.ts";

/** What people read about tables whose rows the log cannot identify. */

/** Of many tables, so many are named. */
const MOST_NAMED = 5;

export function namesOf(tables: readonly Unidentified[]): string {
  const named = tables.slice(0, MOST_NAMED).map(fullName).join(", ");
  const rest = tables.length - MOST_NAMED;
  return rest > 0 ? `${named} and ${rest} other ${rest === 1 ? "table" : "tables"}` : named;
}

/** The statements that let the log identify their rows. */
export function identifyNext(tables: readonly Unidentified[]): string {
  const statements = tables.slice(0, MOST_NAMED).map((table) => {
    const { remedy } = table;
    const change = remedy === null ? "ADD PRIMARY KEY (…)" : `REPLICA IDENTITY ${remedy}`;
    return `ALTER TABLE ${quoteTable(table)} ${change};`;
  });
  const rest = tables.length > MOST_NAMED ? [" and so on"] : [];
  const better = tables.some(({ remedy }) => remedy === "FULL") ? [" or give it a primary key"] : [];
  return [statements.join(" "), ...rest, ...better].join("");
}

/** Why a table must not be in a publication; "it" is the table. */
export function unidentifiedText(tables: readonly Unidentified[], isItself: boolean): string {
  if (isItself)
    return "the log cannot identify its rows, so PostgreSQL would reject UPDATE and DELETE on it once it is published";
  const partitions = `its ${tables.length === 1 ? "partition" : "partitions"} ${namesOf(tables)}`;
  return `the log cannot identify rows of ${partitions}, so PostgreSQL would reject UPDATE and DELETE on them once it is published`;
}

export function refusedWritesText(tables: readonly Unidentified[], publication: string): string {
  const are = tables.length === 1 ? "it is" : "they are";
  const their = tables.length === 1 ? "its" : "their";
  return `PostgreSQL rejects UPDATE and DELETE on ${namesOf(tables)}: ${are} in publication ${publication}, and the log cannot identify ${their} rows`;
}
