import type { RegistryAuth } from "../../registry/http.ts";

export type BasicAuth = Extract<RegistryAuth, { kind: "basic" }>;

export interface RegistryAddress {
  /** Does not contain the user and password, so it is safe to show. */
  readonly url: string;
  readonly auth: BasicAuth | undefined;
}

/**
 * Separates the user and password of `https://user:password@host` from the address. Undefined if it is not an http(s)
 * URL.
 */
export function readRegistryAddress(text: string): RegistryAddress | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol)) return undefined;
  const [username, password] = [decoded(url.username), decoded(url.password)];
  url.username = "";
  url.password = "";
  const auth = username === "" && password === "" ? undefined : ({ kind: "basic", username, password } as const);
  return { url: url.href.replace(/\/+$/, ""), auth };
}

/** A `%` that does not start an escape is left unchanged. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
