import * as z from "zod";
import type { DeepReadonly } from "../json.ts";
import { findingSchema, verdictWord } from "../api/amendment.ts";

/** The JSON that `can-i-release` and `rules` print. `schemas/` is generated from it. */

const answerSchema = z.strictObject({
  id: z.string().describe("E.g. inventory.public.customers/3"),
  field: z.string(),
  answer: z.enum(["flows", "yes", "no", "unknown"]).describe("flows: it is already in the events"),
  why: z.string(),
  notReady: z.array(
    z.strictObject({
      consumer: z.string(),
      environment: z.string(),
      verdict: verdictWord.exclude(["ready"]),
      findings: z.array(findingSchema),
    }),
  ),
  notAsked: z.array(z.string()).describe("Live groups that no contract names; the answer does not depend on them"),
});

/** Whether one amendment may be released, according to the contracts. */
export type Answer = DeepReadonly<z.infer<typeof answerSchema>>;

export const canReleaseSchema = z
  .strictObject({
    canRelease: z.boolean().describe("Whether the command exits with 0"),
    amendments: z.array(answerSchema),
  })
  .meta({ title: "fieldgate can-i-release --format json" });

export type CanRelease = DeepReadonly<z.infer<typeof canReleaseSchema>>;

export const rulesSchema = z
  .array(
    z.strictObject({
      id: z.string().describe("E.g. meaning/decimal-scale"),
      severity: z.enum(["error", "warning"]).describe("The severity on a field that the contract reads"),
      problem: z.string(),
      page: z.string().describe("The rule's page in Fieldgate's repository"),
    }),
  )
  .meta({ title: "fieldgate rules --format json" });

export type Rules = DeepReadonly<z.infer<typeof rulesSchema>>;
