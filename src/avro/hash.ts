import { createHash } from "node:crypto";
import { type Json, stableText } from "../json.ts";

/** The identity of a schema or contract: sha256, in hex, of the whole JSON with sorted keys. */
export function schemaHash(json: Json): string {
  return createHash("sha256").update(stableText(json)).digest("hex");
}
