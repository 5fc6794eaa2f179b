import * as z from "zod";
import { type Answered, findingSchema, verdictWord } from "../../api/amendment.ts";

const answerSchema = z.strictObject({
  id: z.string().describe("E.g. inventory.public.customers/3"),
  field: z.string(),
  answer: z.enum(["flows", "yes", "no", "unknown"]).describe("flows: it is released already"),
  why: z.string(),
  notReady: z.array(
    z.strictObject({
      consumer: z.string(),
      environment: z.string(),
      verdict: verdictWord.exclude(["ready"]),
      findings: z.array(findingSchema),
    }),
  ),
  notAsked: z.array(z.string()).describe("Live groups that no contract names: they are not asked"),
});

/** May one amendment flow as far as the contracts go. */
export type Answer = Answered<z.infer<typeof answerSchema>>;

/** What `can-i-release --format json` prints. `schemas/can-i-release.schema.json` is made from it. */
export const canReleaseSchema = z
  .strictObject({
    canRelease: z.boolean().describe("Does it exit with 0"),
    amendments: z.array(answerSchema),
  })
  .meta({ title: "fieldgate can-i-release --format json" });

export type CanRelease = Answered<z.infer<typeof canReleaseSchema>>;

/** What `rules --format json` prints. `schemas/rules.schema.json` is made from it. */
export const rulesSchema = z
  .array(
    z.strictObject({
      id: z.string().describe("E.g. meaning/decimal-scale"),
      severity: z.enum(["error", "warning"]).describe("On a field the contract reads"),
      problem: z.string(),
      page: z.string().describe("Its page in Fieldgate's repository"),
    }),
  )
  .meta({ title: "fieldgate rules --format json" });

export type Rules = Answered<z.infer<typeof rulesSchema>>;
