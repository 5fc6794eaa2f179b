import { type Node, parseSync } from "libpg-query";

/**
 * Migration tools fill in placeholders before they send a statement: `${schema}.customers`, `{{schema}}.customers`,
 * `:schema.customers`. A schema that is left open does not matter where only one schema has such a table.
 */
const OPEN = [
  String.raw`\$\{[^}\n]*\}`,
  String.raw`\{\{[^}\n]*\}\}`,
  String.raw`#\{[^}\n]*\}`,
  String.raw`(?<![:\w]):"?[A-Za-z_]\w*"?`,
];
const AS_SCHEMA = new RegExp(`"?(?:${OPEN.join("|")})"?\\s*\\.\\s*`, "g");

/** The statement without the placeholders for schemas; undefined if it has none, or if it is no SQL then either. */
export function parseWithPlaceholders(text: string): readonly Node[] | undefined {
  const replaced = text.replace(AS_SCHEMA, "");
  if (replaced === text) return undefined;
  try {
    return (parseSync(replaced).stmts ?? []).flatMap(({ stmt }) => stmt ?? []);
  } catch {
    return undefined;
  }
}
