import { GuardError } from "../errors.ts";

/** What a token allows: `read`, `contracts:<consumer>` or `operate:<connector>`; `*` means every consumer or connector. */
export const SCOPE = /^(read|(contracts|operate):(\*|[A-Za-z0-9._-]{1,249}))$/;

/** The sender of a request. */
export interface Caller {
  /** The token's name; undefined for FIELDGATE_TOKEN and for a service without tokens. */
  readonly name: string | undefined;
  readonly scopes: readonly string[];
}

/** The caller who uses FIELDGATE_TOKEN, or any caller of a service on loopback that needs no token. */
export const unnamedCaller: Caller = { name: undefined, scopes: ["read", "contracts:*", "operate:*"] };

/** What a route requires before its request is read. `contracts` and `operate` mean such a scope for any name. */
export type Need = "nothing" | "read" | "contracts" | "operate" | "read or operate";

/** Throws `forbidden` unless the caller has a scope of this kind. */
export function checkNeed({ scopes }: Caller, need: Exclude<Need, "nothing">): void {
  const kinds = need === "read or operate" ? ["read", "operate"] : [need];
  if (scopes.some((scope) => kinds.includes(scope.split(":")[0] ?? ""))) return;
  throw forbidden(kinds.map((kind) => (kind === "read" ? "read" : `${kind}:…`)).join(" or "));
}

/** Throws `forbidden` unless the caller has this scope, e.g. `contracts:billing`, or the scope for all names. */
export function checkScope({ scopes }: Caller, kind: "contracts" | "operate", name: string): void {
  if (scopes.includes(`${kind}:${name}`) || scopes.includes(`${kind}:*`)) return;
  throw forbidden(`${kind}:${name}`);
}

/**
 * Who gave a command: the token's name or, without a name, the one that the client states. A stated name always
 * contains an `@`, which token names cannot contain, so no client can pretend to be a token.
 */
export function actorOf(caller: Caller, stated: string): string {
  return caller.name ?? (stated.includes("@") ? stated : `${stated}@client`);
}

function forbidden(scope: string): GuardError {
  return new GuardError("forbidden", `the token lacks the scope ${scope}`, {
    next: "use a different token, or have the scope added to this one in the service's FIELDGATE_TOKENS_FILE",
  });
}
