import type { LogicalMessage } from "../wal/message.ts";

/** Our marks in the log; whatever follows is ours and never published. */
export const MARK_PREFIX = "fieldgate.chunk";

/** Low and high mark of a window, the mark of a look at the catalog; undefined for any other message of the log. */
export function markOf(
  message: LogicalMessage,
): { readonly kind: "low" | "high" | "look"; readonly nonce: string } | undefined {
  if (message.prefix !== MARK_PREFIX || !message.transactional) return undefined;
  const [kind, nonce] = message.content.toString("latin1").split(":");
  return (kind === "low" || kind === "high" || kind === "look") && nonce !== undefined ? { kind, nonce } : undefined;
}
