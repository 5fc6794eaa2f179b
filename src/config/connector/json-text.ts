import { parseDocument } from "yaml";

export type JsonText =
  | { readonly kind: "object"; readonly value: Readonly<Record<string, unknown>> }
  | { readonly kind: "wrong"; readonly reason: string };

/**
 * Reads a JSON object. The reason names line and column and never quotes the text, as V8's own message does: a
 * password could be on that line. A key written twice is wrong too (JSON.parse would take the last silently).
 */
export function readJsonObject(text: string): JsonText {
  // JSON is a subset of YAML, whose parser tells the place without needing the text in the message.
  const document = parseDocument(text, { schema: "json", logLevel: "silent" });
  const [error] = document.errors;
  const at = error?.linePos?.[0];
  const place = at === undefined ? "" : ` at line ${at.line}, column ${at.col}`;
  if (error?.code === "DUPLICATE_KEY") return { kind: "wrong", reason: `has a key twice${place}` };
  const value = parsed(text);
  if (value === undefined) return { kind: "wrong", reason: `is not JSON${place}` };
  if (!isObject(value)) return { kind: "wrong", reason: "is not a JSON object: { … }" };
  return { kind: "object", value };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** undefined is no JSON value, so it can say "not JSON". */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
