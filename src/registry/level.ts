/** The compatibility level of a subject: the one that the registry enforces. */
import { z } from "zod";
import { expected, notFound, unexpected } from "./answer.ts";
import type { Call } from "./http.ts";

const LEVELS = [
  "NONE",
  "BACKWARD",
  "BACKWARD_TRANSITIVE",
  "FORWARD",
  "FORWARD_TRANSITIVE",
  "FULL",
  "FULL_TRANSITIVE",
] as const;
export type Level = (typeof LEVELS)[number];

const levelAnswer = z.object({ compatibilityLevel: z.string().nullish(), compatibility: z.string().nullish() });
const acceptance = z.object({ is_compatible: z.boolean() });

/**
 * Asks for the subject's level and then for the registry's, because not every registry knows `defaultToGlobal`, and a
 * subject may have settings without a level. Without that parameter, Apicurio 3.0 answers NONE for a subject without a
 * level, although it applies the registry's level. Apicurio 2 does so with that parameter too.
 */
export async function level(call: Call, subject: string): Promise<Level | "none-set"> {
  const own = await levelAt(call, `/config/${encodeURIComponent(subject)}?defaultToGlobal=true`);
  if (own !== undefined && own !== "NONE") return own;
  const common = await levelAt(call, "/config");
  if (own === undefined) return common ?? "none-set";
  if (common === undefined || common === "NONE") return "NONE";
  return (await acceptsAnything(call, subject)) ? "NONE" : common;
}

/** undefined if there is none at this path. */
async function levelAt(call: Call, path: string): Promise<Level | undefined> {
  const answer = await call("GET", path);
  if (answer.status === 404) return notFound(answer, path);
  const { compatibilityLevel, compatibility } = expected(levelAnswer, answer, path);
  const named = compatibilityLevel ?? compatibility;
  if (named === null || named === undefined) return undefined;
  const known = LEVELS.find((each) => each === named);
  if (known === undefined) throw unexpected(path, `gave an unknown level: ${named.slice(0, 40)}`);
  return known;
}

/** No level but NONE accepts an enum where a record was. */
const ANYTHING = JSON.stringify({ type: "enum", name: "Anything", symbols: ["A"] });

/** True also if the subject has no schema yet. This is only asked; nothing is registered. */
async function acceptsAnything(call: Call, subject: string): Promise<boolean> {
  const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions/latest`;
  const answer = await call("POST", path, { schema: ANYTHING });
  if (answer.status === 404) return notFound(answer, path) ?? true;
  return expected(acceptance, answer, path).is_compatible;
}
