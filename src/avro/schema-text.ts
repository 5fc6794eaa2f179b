import { GuardError } from "../errors.ts";
import { lineAndColumn, readJsonText, type JsonText } from "../json-text.ts";
import { TOO_DEEP } from "../json.ts";
import { fail } from "./attributes.ts";
import { parseSchema } from "./parse.ts";
import type { AvroSchema } from "./schema.ts";

/** Reads a schema's text as parseSchema reads its JSON; comments are allowed, as in Avro's Java parser. */
export function parseSchemaText(text: string): AvroSchema {
  const { json, numberText } = readAvroJson(text);
  return parseSchema(json, numberText);
}

/** Reads JSON as Avro's Java parser does. Throws `schema-invalid` for any other text. */
export function readAvroJson(text: string): Extract<JsonText, { kind: "json" }> {
  const read = readJsonText(text, { comments: true });
  if (read.kind === "json") return read;
  if (read.kind === "too-deep") return fail("", TOO_DEEP);
  const { line, column } = lineAndColumn(text, read.offset);
  throw new GuardError("schema-invalid", `not JSON at line ${line}, column ${column}: ${read.reason}`);
}
