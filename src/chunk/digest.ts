import { createHash } from "node:crypto";

/** Names a row without its key, which is a value. */
export function digestOfKey(key: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(key)).digest("hex").slice(0, 32);
}
