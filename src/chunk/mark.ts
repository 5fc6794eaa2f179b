import type { LogicalMessage } from "../wal/message.ts";

/** The prefix of our marks in the log, which are never published. */
export const MARK_PREFIX = "fieldgate.chunk";

/** The kind and nonce of a window's low or high mark, or of a catalog read's mark; undefined for any other message. */
export function markOf(
  message: LogicalMessage,
): { readonly kind: "low" | "high" | "catalog-read"; readonly nonce: string } | undefined {
  if (message.prefix !== MARK_PREFIX || !message.transactional) return undefined;
  const [kind, nonce] = message.content.toString("latin1").split(":");
  return (kind === "low" || kind === "high" || kind === "catalog-read") && nonce !== undefined
    ? { kind, nonce }
    : undefined;
}
