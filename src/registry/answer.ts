/** Reads the answers of a registry: what was expected of them, a 404 that is the registry's own, and the reason given. */
import { z } from "zod";
import { GuardError } from "../errors.ts";
import type { RegistryAnswer } from "./http.ts";

const errorAnswer = z.object({ error_code: z.number().nullish(), message: z.string().nullish() });

/**
 * A 404 means unknown only if it has a code of the registry's own: with a wrong base path, any server answers 404.
 * Confluent and Apicurio 2 then answer JSON with the plain code 404.
 */
export function notFound(answer: RegistryAnswer, path: string): undefined {
  const read = errorAnswer.safeParse(answer.body);
  const code = read.success ? read.data.error_code : undefined;
  if (typeof code === "number" && Math.trunc(code / 100) === 404) return undefined;
  throw unexpected(path, "gave a 404 that does not look like a registry's; is this the registry's address?");
}

export function expected<T>(shape: z.ZodType<T>, answer: RegistryAnswer, path: string): T {
  const read = answer.status === 200 ? shape.safeParse(answer.body) : undefined;
  if (read?.success === true) return read.data;
  throw unexpected(
    path,
    answer.status === 200
      ? "gave an answer in an unknown form"
      : `answered with status ${answer.status}: ${messageOf(answer)}`,
  );
}

export function unexpected(path: string, what: string): GuardError {
  return new GuardError("registry-down", `${path.split("?")[0]}: the registry ${what}`);
}

/** How many characters of a reason to keep. */
const MAX_REASON = 2000;

export function messageOf({ body }: RegistryAnswer): string {
  const read = errorAnswer.safeParse(body);
  return cut((read.success ? read.data.message : undefined) ?? "no reason given");
}

/** A registry may quote whole schemas, and its answer is stored with the amendment. */
export function cut(message: string): string {
  return message.length <= MAX_REASON ? message : `${message.slice(0, MAX_REASON)}…`;
}

/** The status, 500 or above, that caused a registry-down error; undefined if it had a different cause. */
export function statusOf(error: unknown): number | undefined {
  const cause = error instanceof GuardError ? error.cause : undefined;
  return typeof cause === "object" && cause !== null && "status" in cause ? Number(cause.status) : undefined;
}
