import type { TableState } from "../../gate/state.ts";
import { fullName, quoteIdentifier, quoteTable, type TableName } from "../../table/quote.ts";
import { generatedText } from "../../words/left-out-columns.ts";
import type { Outside } from "../outside.ts";
import type { Parts } from "../session.ts";
import { warnPeople } from "../warn-people.ts";

/** Warns people of generated columns of a captured table. Their values are not in the log, so no event has them. */
export function warnOfGenerated(
  { outside }: { readonly outside: Outside },
  { shape }: TableState,
  columns: readonly string[],
): void {
  const id = `generated/${shape.topic}/${columns.join(",")}`;
  warnPeople(outside, { id, about: "table-warning", ...generatedText(shape.table, columns) });
}

/**
 * Warns people that a captured table has a new name. Its events stay in its topic, even if that of the new name
 * belongs to another table that had it before.
 */
export function warnOfRename(
  { outside, control }: Parts<"control">,
  { shape: { table, topic } }: TableState,
  before: TableName,
): void {
  const ofName = `${outside.settings["topic.prefix"]}.${fullName(table)}`;
  const isTaken = ofName !== topic && control.state.tables.has(ofName);
  const other = isTaken ? `, and ${ofName} belongs to the table that had this name before` : "";
  const what = `${fullName(before)} is now called ${fullName(table)}; its topic is still ${topic}${other}`;
  const renamed = { ...table, name: before.name };
  const back = [
    ...(table.name === before.name
      ? []
      : [`ALTER TABLE ${quoteTable(table)} RENAME TO ${quoteIdentifier(before.name)};`]),
    ...(table.schema === before.schema
      ? []
      : [`ALTER TABLE ${quoteTable(renamed)} SET SCHEMA ${quoteIdentifier(before.schema)};`]),
  ];
  const next = `nothing if that was meant; otherwise ${back.join(" ")}`;
  warnPeople(outside, { id: `renamed/${table.oid}/${fullName(table)}`, about: "tables", what, next });
}
