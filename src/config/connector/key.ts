/**
 * How the keys of a connector file are declared: a zod schema, plus what the key must be and an example, for messages and
 * for schemas/connector.schema.json. The functions below cover the kinds of values that occur more than once.
 */
import { z } from "zod";

import { alternatives } from "../../mistake.ts";

/** Declares a key. `must` continues the word "must". */
export function key<Schema extends z.ZodType>(
  schema: Schema,
  must: string,
  example: string | number | boolean,
): Schema {
  return schema.meta({ description: `Must ${must}.`, must, example });
}

/** A key whose value is one of these words. */
export function choice<const Word extends string>(words: readonly Word[], fallback: Word, example: Word = fallback) {
  return key(z.enum(words).default(fallback), `be ${alternatives(words)}`, example);
}

/** A key that is true or false. Debezium's files write it as text; JSON's own booleans are accepted as well. */
export function flag(fallback: boolean, example = fallback) {
  const schema = z
    .union([z.boolean(), z.enum(["true", "false"])])
    .transform((value) => value === true || value === "true")
    .default(fallback);
  return key(schema, "be true or false", example);
}

/** A key that is a time span, parsed to milliseconds. */
export function duration(fallback: string) {
  const schema = z
    .string()
    .trim()
    .regex(/^[1-9]\d{0,4}[dhms]$/)
    .default(fallback)
    .transform((written) => Number(written.slice(0, -1)) * (UNIT_MS[written.slice(-1)] ?? 0));
  return key(schema, "be a duration in days, hours, minutes or seconds: 7d, 12h, 90m or 30s", fallback);
}

const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 };

export function text(pattern: RegExp) {
  return z.string().trim().regex(pattern);
}

/**
 * A whole number within these limits. Debezium's files write numbers as text; JSON's own numbers are accepted as well.
 */
export function wholeNumber(min: number, max: number, holds: (value: number) => boolean = () => true) {
  return z
    .union([z.int(), z.string().regex(/^\s*-?\d{1,15}\s*$/)])
    .transform(Number)
    .refine((value) => value >= min && value <= max && holds(value));
}

/** Reports a mistake with a specific reason instead of what the key must be. */
export function refuse(context: z.RefinementCtx, reason: string): void {
  context.addIssue({ code: "custom", params: { reason } });
}
