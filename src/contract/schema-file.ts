import { SchemaError } from "../avro/attributes.ts";
import { parseSchema } from "../avro/parse.ts";
import { describeError } from "../errors.ts";
import { lineAndColumn, readJsonText } from "../json-text.ts";
import { type Json, TOO_DEEP } from "../json.ts";

/** A schema file's JSON, or why it cannot be used, for example `customers.avsc:3:14 cannot be used: …`. */
export type SchemaFile =
  | { readonly kind: "schema"; readonly json: Json }
  | { readonly kind: "wrong"; readonly reason: string };

/** Reads the `.avsc` that a contract names at `path`; `readFile` may throw. */
export function readSchemaFile(path: string, readFile: (path: string) => string): SchemaFile {
  let text: string;
  try {
    // Java's JSON parser also skips a byte order mark.
    text = readFile(path).replace(/^\uFEFF/, "");
  } catch (error) {
    return { kind: "wrong", reason: `${path} cannot be used: ${describeError(error)}` };
  }
  const wrong = (offset: number, reason: string): SchemaFile => {
    const { line, column } = lineAndColumn(text, offset);
    return { kind: "wrong", reason: `${path}:${line}:${column} cannot be used: [schema-invalid] ${reason}` };
  };
  const read = readJsonText(text, { comments: true });
  if (read.kind === "too-deep") return wrong(0, `at /: ${TOO_DEEP}`);
  if (read.kind === "wrong") return wrong(read.offset, `not JSON: ${read.reason}`);
  try {
    parseSchema(read.json, read.numberText);
    return { kind: "schema", json: read.json };
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    const steps = error.pointer.split("/").slice(1);
    const offset = read.offsetOf(steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step)));
    return wrong(offset, shorten(error.text, error.pointer));
  }
}

/**
 * Shortens the pointer of a deeply nested place: it is too long to read, and its end is more useful than its beginning.
 */
function shorten(message: string, pointer: string): string {
  return pointer.length > 120 ? message.replace(pointer, `…${pointer.slice(-80)}`) : message;
}
