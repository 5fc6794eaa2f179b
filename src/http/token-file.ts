import { createHash, randomBytes } from "node:crypto";

import { parse } from "yaml";
import { z } from "zod";

import { GuardError } from "../errors.ts";
import { type Caller, SCOPE } from "./scope.ts";

/** No `@`, which the names have that clients give themselves; nothing YAML would read as a number or a list. */
const NAME = /^[A-Za-z][A-Za-z0-9._-]{0,99}$/;

export const tokenName = z
  .string()
  .regex(NAME, "must begin with a letter: letters, digits, `.`, `_` or `-`, up to 100");
export const tokenScope = z.string().regex(SCOPE, "must be read, contracts:<consumer|*> or operate:<connector|*>");

const tokenList = z.array(
  z.strictObject({
    name: tokenName,
    hash: z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/, "must be sha256: and 64 hex digits, as `fieldgate token new` prints it"),
    scopes: z.array(tokenScope).min(1),
  }),
);

export type TokenEntry = z.infer<typeof tokenList>[number];

/** 256 random bits: nobody guesses one, so a fast hash of it is enough (docs/decisions has why). */
export function newToken(
  name: string,
  scopes: readonly string[],
): { readonly token: string; readonly entry: TokenEntry } {
  const token = `fg_${randomBytes(32).toString("base64url")}`;
  return { token, entry: { name, hash: hashOf(token), scopes: [...scopes] } };
}

export function hashOf(token: string): string {
  return `sha256:${createHash("sha256").update(token).digest("hex")}`;
}

/** Callers by their token's hash. Throws `config-invalid` with every mistake, a name or hash twice included; no value. */
export function readTokenList(text: string, file: string): ReadonlyMap<string, Caller> {
  const read = tokenList.safeParse(parsed(text, file));
  if (!read.success)
    throw invalid(
      file,
      read.error.issues.map(({ path, message }) => `${path.join(".") || "the file"} ${message}`),
    );
  const byHash = new Map(read.data.map(({ hash, name, scopes }) => [hash, { name, scopes }]));
  const names = new Set(read.data.map(({ name }) => name));
  if (byHash.size < read.data.length || names.size < read.data.length)
    throw invalid(file, ["a name or a hash is there twice"]);
  return byHash;
}

function parsed(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch {
    throw invalid(file, ["the file is neither YAML nor JSON"]);
  }
}

function invalid(file: string, mistakes: readonly string[]): GuardError {
  return new GuardError("config-invalid", `FIELDGATE_TOKENS_FILE ${file}: ${mistakes.join("; ")}`, {
    next: "it is a list of {name, hash, scopes}: `fieldgate token new` prints an entry",
  });
}
