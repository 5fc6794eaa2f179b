import { z } from "zod";

/** A key of a connector file: what it must be (continues "must"), and an example. */
export function key<Schema extends z.ZodType>(
  schema: Schema,
  must: string,
  example: string | number | boolean,
): Schema {
  return schema.meta({ description: `Must ${must}.`, must, example });
}

export function text(pattern: RegExp) {
  return z.string().trim().regex(pattern);
}

/** Debezium's files write numbers as text; JSON's own numbers are taken too. */
export function wholeNumber(min: number, max: number, holds: (value: number) => boolean = () => true) {
  return z
    .union([z.int(), z.string().regex(/^\s*-?\d{1,15}\s*$/)])
    .transform(Number)
    .refine((value) => value >= min && value <= max && holds(value));
}

export const DURATION = "be a duration of days, hours, minutes or seconds: 7d, 12h, 90m or 30s";

const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 };

/** In milliseconds. */
export function duration(fallback: string) {
  return z
    .string()
    .trim()
    .regex(/^[1-9]\d{0,4}[dhms]$/)
    .default(fallback)
    .transform((written) => Number(written.slice(0, -1)) * (UNIT_MS[written.slice(-1)] ?? 0));
}

export function flag() {
  return z.union([z.boolean(), z.enum(["true", "false"])]).transform((value) => value === true || value === "true");
}

/** An issue whose own reason is told instead of what the key must be. */
export function refuse(context: z.RefinementCtx, reason: string): void {
  context.addIssue({ code: "custom", params: { reason } });
}
