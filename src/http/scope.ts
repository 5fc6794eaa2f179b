import { GuardError } from "../errors.ts";

/** What a token may do: `read`, `contracts:<consumer>` and `operate:<connector>`; `*` is every consumer or connector. */
export const SCOPE = /^(read|(contracts|operate):(\*|[A-Za-z0-9._-]{1,249}))$/;

/** Whoever sent a request. */
export interface Caller {
  /** The token's; undefined for FIELDGATE_TOKEN and for a service without tokens, which know nobody by name. */
  readonly name: string | undefined;
  readonly scopes: readonly string[];
}

/** FIELDGATE_TOKEN, or a service on loopback that asks for no token. */
export const unnamedCaller: Caller = { name: undefined, scopes: ["read", "contracts:*", "operate:*"] };

/** What a route asks for before its request is looked at; `contracts` and `operate`: such a scope for anything. */
export type Need = "nothing" | "read" | "contracts" | "operate" | "read or operate";

/** Throws `forbidden` unless the caller has a scope of this kind. */
export function checkNeed({ scopes }: Caller, need: Exclude<Need, "nothing">): void {
  const kinds = need === "read or operate" ? ["read", "operate"] : [need];
  if (scopes.some((scope) => kinds.includes(scope.split(":")[0] ?? ""))) return;
  throw forbidden(kinds.map((kind) => (kind === "read" ? "read" : `${kind}:…`)).join(" or "));
}

/** Throws `forbidden` unless the caller has exactly this scope, or the one for all: `contracts:billing`, `contracts:*`. */
export function checkScope({ scopes }: Caller, kind: "contracts" | "operate", name: string): void {
  if (scopes.includes(`${kind}:${name}`) || scopes.includes(`${kind}:*`)) return;
  throw forbidden(`${kind}:${name}`);
}

/**
 * Whose word a command is. A token's name counts, whatever the client says; who has none is called as the client says,
 * with an `@` in it, which no token's name has: so nobody is taken for a token.
 */
export function actorOf(caller: Caller, said: string): string {
  return caller.name ?? (said.includes("@") ? said : `${said}@client`);
}

function forbidden(scope: string): GuardError {
  return new GuardError("forbidden", `the token lacks the scope ${scope}`, {
    next: "use another token, or have the scope added to this one in the service's FIELDGATE_TOKENS_FILE",
  });
}
