import { z } from "zod";

import { GuardError } from "../errors.ts";
import { type Step, stepSchema } from "../plan/step.ts";

const plan = z.strictObject({ steps: z.array(stepSchema).max(5_000) });

/** Throws `usage` for a body that is no list of steps. */
export function readPlan(body: unknown): readonly Step[] {
  const result = plan.safeParse(body);
  if (result.success) return result.data.steps;
  const wrong = result.error.issues
    .slice(0, 10)
    .map((issue) => `${issue.path.join(".") || "the body"}: ${issue.message}`);
  throw new GuardError("usage", `the body is not understood: ${wrong.join("; ")}`, {
    next: "use the fieldgate command line of the service's version",
  });
}
