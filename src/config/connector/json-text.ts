import { lineAndColumn, readJsonText } from "../../json-text.ts";

export type JsonText =
  | { readonly kind: "object"; readonly value: Readonly<Record<string, unknown>> }
  | { readonly kind: "wrong"; readonly reason: string };

/**
 * Reads a JSON object. The reason names line and column and never quotes the text, as V8's own message does: a
 * password could be on that line. A key written twice is wrong too (JSON.parse would take the last silently).
 */
export function readJsonObject(text: string): JsonText {
  const read = readJsonText(text, { comments: false });
  if (read.kind === "too-deep") return { kind: "wrong", reason: "is nested too deeply" };
  if (read.kind === "wrong") return { kind: "wrong", reason: `is not JSON${placeText(text, read.offset)}` };
  if (read.repeatedKey !== undefined) {
    return { kind: "wrong", reason: `has a key twice${placeText(text, read.repeatedKey)}` };
  }
  if (!isObject(read.json)) return { kind: "wrong", reason: "is not a JSON object: { … }" };
  return { kind: "object", value: read.json };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function placeText(text: string, offset: number): string {
  const { line, column } = lineAndColumn(text, offset);
  return ` at line ${line}, column ${column}`;
}
