import { createHash, randomBytes } from "node:crypto";

import { parse } from "yaml";
import { z } from "zod";

import { GuardError } from "../errors.ts";
import { type Caller, SCOPE } from "./scope.ts";

/**
 * A name contains no `@`, which marks names that clients state themselves, and nothing that YAML would read as a number
 * or a list.
 */
const NAME = /^[A-Za-z][A-Za-z0-9._-]{0,99}$/;

export const tokenName = z
  .string()
  .regex(NAME, "must be up to 100 letters, digits, `.`, `_` or `-`, and start with a letter");
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

/** 256 random bits cannot be guessed, so storing a fast hash is safe (docs/decisions explains why). */
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

/**
 * Callers by the hash of their token. Throws `config-invalid` with every mistake, including repeated names or hashes,
 * but without any values.
 */
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
    throw invalid(file, ["a name or a hash occurs twice"]);
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
    next: "the file must be a list of {name, hash, scopes}; `fieldgate token new` prints an entry",
  });
}
