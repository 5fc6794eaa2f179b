import { createHash, timingSafeEqual } from "node:crypto";

import { GuardError } from "../errors.ts";

/** Throws `unauthorized` unless the header is `Bearer <token>`. Takes the same time wherever the texts differ. */
export function checkBearer(header: string | undefined, token: string): void {
  const next = "set FIELDGATE_TOKEN to the token the service was started with";
  if (header === undefined) throw new GuardError("unauthorized", "this needs a token and none was sent", { next });
  const [scheme, sent, ...more] = header.split(" ");
  const known = sent !== undefined && more.length === 0 && /^bearer$/i.test(scheme ?? "") && isSame(sent, token);
  if (!known) throw new GuardError("unauthorized", "the token is not the service's", { next });
}

/** Of equal length by hashing, as timingSafeEqual needs; so the length is not told either. */
function isSame(left: string, right: string): boolean {
  return timingSafeEqual(digest(left), digest(right));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/**
 * Without a token the service listens on loopback only; then a name that is not loopback in the Host header is a
 * web page that had its own name point here (DNS rebinding).
 */
export function checkLocalName(host: string | undefined): void {
  const name = (host ?? "").replace(/:\d+$/, "");
  if (/^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(name)) return;
  throw new GuardError("unauthorized", "without a token the service answers to localhost only", {
    next: "set FIELDGATE_TOKEN for the service and its clients",
  });
}
