import { createHash } from "node:crypto";
import { type Json, stableText } from "../json.ts";

/** Identity of a schema or contract: sha256, hex, over the whole JSON with its keys sorted. */
export function schemaHash(json: Json): string {
  return createHash("sha256").update(stableText(json)).digest("hex");
}
