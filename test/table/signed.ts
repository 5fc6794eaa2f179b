import { createHash } from "node:crypto";

export const SECRET = "of-the-database";

/** Signs as postgres/trigger-sql.ts does; its tests on a real server show that the two agree. */
export function signed(payload: string, secret = SECRET): string {
  const inner = createHash("sha256").update(secret).update(payload).digest();
  return `${createHash("sha256").update(secret).update(inner).digest("hex")} ${payload}`;
}
