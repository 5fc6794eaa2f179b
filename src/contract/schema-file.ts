import { parseDocument } from "yaml";
import { readJson, withoutComments } from "../avro/json.ts";
import { parseSchema } from "../avro/parse.ts";
import { describeError } from "../errors.ts";
import { offsetOf } from "./place.ts";
import type { Json } from "../json.ts";

/** A schema file's text read, or why it is none: `customers.avsc:3:14 cannot be used: …`. */
export type SchemaFile =
  | { readonly kind: "schema"; readonly json: Json }
  | { readonly kind: "wrong"; readonly reason: string };

/** Reads the `.avsc` that a contract names at `path`; `readFile` may throw. */
export function readSchemaFile(path: string, readFile: (path: string) => string): SchemaFile {
  let text = "";
  try {
    // Java's JSON parser skips a byte order mark, too.
    text = readFile(path).replace(/^\uFEFF/, "");
    const { json, numberText } = readJson(text);
    parseSchema(json, numberText);
    return { kind: "schema", json };
  } catch (error) {
    const said = describeError(error);
    return { kind: "wrong", reason: `${path}${placeOf(text, said)} cannot be used: ${shortened(said)}` };
  }
}

/** `:3:14`, from 1; empty when the message names no place. JSON's own place, or that of Avro's pointer. */
function placeOf(text: string, said: string): string {
  if (said.startsWith("[schema-invalid] not JSON")) return lineAndColumn(text, wrongFrom(text));
  const [, pointer] = /^\[schema-invalid\] at (\/\S*):/.exec(said) ?? [];
  if (pointer === undefined) return "";
  // JSON is YAML: this tells where its values stand.
  const document = parseDocument(withoutComments(text), { prettyErrors: false, uniqueKeys: false });
  const path = pointer.split("/").filter((part) => part !== "");
  const keys = path.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  return lineAndColumn(text, offsetOf(document, keys));
}

function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

/** Where a text stops being the beginning of any JSON: V8 tells it only of some mistakes. */
function wrongFrom(text: string): number {
  const json = withoutComments(text);
  let [good, bad] = [0, json.length + 1];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (isBeginning(json.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

/** V8 says of a text that only lacks its end that it ends too early, or is wrong at its end. */
function isBeginning(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const said = describeError(error);
    return /end of JSON input|Unterminated/.test(said) || said.includes(`at position ${text.length} `);
  }
}

/** Two hundred levels make a pointer nobody reads; its end tells more than its beginning. */
function shortened(said: string): string {
  return said.replace(/at (\/\S{120,}):/, (_, pointer: string) => `at …${pointer.slice(-80)}:`);
}
