import type { ConnectorView, TroubleView } from "../../api/api.ts";
import { visibleIn } from "../../visible.ts";
import { PIPE, type Screen } from "../screen.ts";

/**
 * What `amendments` prints beside the amendments, because it makes the list or the events incomplete: connectors that do
 * not read the log, tables that are not captured, and columns and rows that are in no event. `asked`: tables or topics;
 * empty for all.
 */

type Connectors = readonly ConnectorView[];

/** Connectors that do not read the log, so that later changes are not known. */
export function troubleTexts(
  connectors: Connectors,
  asked: readonly string[],
  screen: Screen = PIPE,
): readonly string[] {
  return visibleIn(connectors).flatMap(({ name, trouble, tables }) => {
    const isAsked = asked.length === 0 || tables.length === 0 || tables.some((table) => isCalled(table, asked));
    return trouble === undefined || !isAsked ? [] : [troubleText({ ...trouble, connector: name }, screen)];
  });
}

export function troubleText(
  { connector, status, what, since, next }: TroubleView & { readonly connector: string },
  screen: Screen,
): string {
  const text = `${screen.paint("bad", status)}: connector ${connector}, ${screen.since(since)}: ${what}`;
  return next === null ? text : `${text}\n  next: ${next}`;
}

/** Tables that are not captured, columns that are in no event, and tables whose rows cannot be read. */
export function leftOutTexts(connectors: Connectors, asked: readonly string[]): readonly string[] {
  return visibleIn(connectors).flatMap(({ tables, notCaptured }) => [
    ...notCaptured
      .filter(({ table }) => asked.length === 0 || asked.includes(table))
      .map(({ table, why, next }) => `not captured: ${table}: ${why}\n  next: ${next}`),
    ...tables.filter((table) => asked.length === 0 || isCalled(table, asked)).flatMap(leftOutOf),
  ]);
}

/** True if every column of every table that was asked about is in the events, or has an amendment. */
export function isComplete(connectors: Connectors, asked: readonly string[]): boolean {
  return troubleTexts(connectors, asked).length === 0 && leftOutTexts(connectors, asked).length === 0;
}

function leftOutOf({ table, leftOut = [], keyless }: ConnectorView["tables"][number]): readonly string[] {
  return [
    ...leftOut.map(({ why }) => `left out of ${table}: ${why}`),
    ...(keyless === true ? [`no key: ${table} has no snapshot, and its rows are never read again`] : []),
  ];
}

/** True if one of the names is the table's or its topic's. */
export function isCalled(
  { table, topic }: Pick<ConnectorView["tables"][number], "table" | "topic">,
  names: readonly string[],
): boolean {
  return names.includes(table) || names.includes(topic);
}
