import { createHash, timingSafeEqual } from "node:crypto";

import { GuardError } from "../errors.ts";
import { type Caller, unnamedCaller } from "./scope.ts";
import type { Tokens } from "./tokens.ts";

export interface Access {
  /** A single token that allows everything. */
  readonly token?: string | undefined;
  readonly tokens?: Tokens | undefined;
}

/** Returns the caller who sent these headers. Throws `unauthorized`. */
export async function authorize(
  headers: { readonly authorization?: string | undefined; readonly host?: string | undefined },
  { token, tokens }: Access,
): Promise<Caller> {
  if (token === undefined && tokens === undefined) {
    checkLocalName(headers.host);
    return unnamedCaller;
  }
  const sent = bearerOf(headers.authorization);
  if (token !== undefined && isSame(sent, token)) return unnamedCaller;
  const caller = await tokens?.callerOf(sent);
  if (caller === undefined)
    throw new GuardError("unauthorized", "the service does not know this token", { next: NEXT });
  return caller;
}

const NEXT = "set FIELDGATE_TOKEN to a token that the service knows";

function bearerOf(header: string | undefined): string {
  if (header === undefined)
    throw new GuardError("unauthorized", "this request needs a token, and none was sent", { next: NEXT });
  const [scheme, sent, ...more] = header.split(" ");
  if (sent === undefined || more.length > 0 || !/^bearer$/i.test(scheme ?? "")) {
    throw new GuardError("unauthorized", "the authorization header is not `Bearer <token>`", { next: NEXT });
  }
  return sent;
}

/** Takes the same time wherever the texts differ. They are hashed first, so that their lengths do not leak, either. */
function isSame(left: string, right: string): boolean {
  return timingSafeEqual(digest(left), digest(right));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/**
 * Without tokens, the service listens only on loopback. A Host header with a different name then comes from a web page
 * whose own name was made to resolve to this machine (DNS rebinding).
 */
function checkLocalName(host: string | undefined): void {
  const name = (host ?? "").replace(/:\d+$/, "");
  if (/^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(name)) return;
  throw new GuardError("unauthorized", "without a token the service answers only to localhost", {
    next: "set FIELDGATE_TOKEN for the service and its clients",
  });
}
