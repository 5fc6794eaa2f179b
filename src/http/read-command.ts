import { z } from "zod";

import { GuardError } from "../errors.ts";
import type { Command } from "./api.ts";

const name = z.string().min(1).max(500);

const command = z.strictObject({
  kind: z.enum(["release", "withhold", "fill"]),
  ids: z.array(name).min(1).max(1000),
  reason: z.string().max(2000).optional(),
  force: z.boolean().optional(),
  backfill: z.enum(["all", "none"]).optional(),
  beside: z.strictObject({ name: name.optional() }).optional(),
  value: z.json().optional(),
  actor: name,
});

/** Throws `usage` listing all that is wrong, without a value. */
export function readCommand(body: unknown): Command {
  const result = command.safeParse(body);
  if (result.success) return result.data;
  const wrong = result.error.issues.map((issue) => `${issue.path.join(".") || "the body"}: ${issue.message}`);
  throw new GuardError("usage", `the body is not understood: ${wrong.join("; ")}`, {
    next: "use the fieldgate command line of the service's version",
  });
}
