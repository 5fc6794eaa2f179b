import { readFile, stat } from "node:fs/promises";

import type { FastifyBaseLogger } from "fastify";

import { describeError, GuardError } from "../errors.ts";
import type { Caller } from "./scope.ts";
import { hashOf, readTokenList } from "./token-file.ts";

/** The named tokens as the file has them now. */
export interface Tokens {
  callerOf(token: string): Promise<Caller | undefined>;
}

const LOOK_AGAIN_MS = 1_000;

/**
 * Reads the file now, and again when it has changed, looking at most once a second. A file that is wrong or gone
 * later leaves the tokens as they were and says so in the log, once.
 * @throws GuardError config-invalid when the file is wrong or missing now
 */
export async function openTokens(file: string, log: Pick<FastifyBaseLogger, "info" | "error">): Promise<Tokens> {
  let stamp = await stampOf(file);
  let callers = readTokenList(await textOf(file), file);
  let looked = performance.now();
  const look = async () => {
    const now = await stampOf(file);
    if (now === stamp) return;
    stamp = now;
    try {
      callers = readTokenList(await textOf(file), file);
      log.info(`${file} was read again: ${callers.size} tokens`);
    } catch (error) {
      log.error(`the tokens stay as they were: ${describeError(error)}`);
    }
  };
  return {
    async callerOf(token) {
      if (performance.now() - looked >= LOOK_AGAIN_MS) {
        looked = performance.now();
        await look();
      }
      return callers.get(hashOf(token));
    },
  };
}

/** Another after every change; `none` while there is no file. */
async function stampOf(file: string): Promise<string> {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  return found === undefined ? "none" : `${found.mtimeNs}/${found.size}/${found.ino}`;
}

async function textOf(file: string): Promise<string> {
  return readFile(file, "utf8").catch((cause: unknown) => {
    throw new GuardError("config-invalid", `FIELDGATE_TOKENS_FILE ${file} cannot be read`, { cause });
  });
}
