import { z } from "zod";
import { POISON_WAYS } from "../gate/poison-way.ts";
import type { OperatorCommand } from "../gate/state.ts";

/**
 * Longest value that `fill` accepts, in characters of JSON. It is limited because the value stays in the state until
 * the field is removed.
 */
const MAX_VALUE = 65_536;

const name = z.string().min(1).max(500);

/** An operator's command, as it is sent over HTTP and, with an id, written to the commands topic. */
export const commandSchema = z.strictObject({
  kind: z.enum(["release", "withhold", "fill"]),
  ids: z.array(name).min(1).max(1000),
  reason: z.string().max(2000).optional(),
  force: z.boolean().optional(),
  backfill: z.enum(["all", "none"]).optional(),
  beside: z.strictObject({ name: name.optional() }).optional(),
  as: z.enum(POISON_WAYS).optional(),
  value: z
    .json()
    .refine(
      (value) => JSON.stringify(value).length <= MAX_VALUE,
      `a value may have at most ${MAX_VALUE} characters as JSON`,
    )
    .optional(),
  actor: name,
}) satisfies z.ZodType<Command>;

export type Command = Omit<OperatorCommand, "id">;
