import { readFile, stat } from "node:fs/promises";

import type { FastifyBaseLogger } from "fastify";

import { describeError, GuardError } from "../errors.ts";
import type { Caller } from "./scope.ts";
import { hashOf, readTokenList } from "./token-file.ts";

/** The named tokens, according to the current content of the file. */
export interface Tokens {
  callerOf(token: string): Promise<Caller | undefined>;
}

const RECHECK_MS = 1_000;

/**
 * Reads the file now, and again whenever it has changed, which is checked at most once a second. If the file is invalid
 * or missing later, the tokens remain unchanged, and that is logged once.
 * @throws GuardError config-invalid if the file is invalid or missing now
 */
export async function openTokens(file: string, log: Pick<FastifyBaseLogger, "info" | "error">): Promise<Tokens> {
  let stamp = await stampOf(file);
  let callers = readTokenList(await textOf(file), file);
  let checkedAt = performance.now();
  const rereadIfChanged = async () => {
    const now = await stampOf(file);
    if (now === stamp) return;
    stamp = now;
    try {
      callers = readTokenList(await textOf(file), file);
      log.info(`${file} was read again: ${callers.size} tokens`);
    } catch (error) {
      log.error(`the tokens remain unchanged: ${describeError(error)}`);
    }
  };
  return {
    async callerOf(token) {
      if (performance.now() - checkedAt >= RECHECK_MS) {
        checkedAt = performance.now();
        await rereadIfChanged();
      }
      return callers.get(hashOf(token));
    },
  };
}

/** Changes with every change of the file; `none` while the file is missing. */
async function stampOf(file: string): Promise<string> {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  return found === undefined ? "none" : `${found.mtimeNs}/${found.size}/${found.ino}`;
}

async function textOf(file: string): Promise<string> {
  return readFile(file, "utf8").catch((cause: unknown) => {
    throw new GuardError("config-invalid", "the file that FIELDGATE_TOKENS_FILE names cannot be read", {
      next: "set FIELDGATE_TOKENS_FILE to the path of the file with the hashes, not to a token",
      cause,
    });
  });
}
