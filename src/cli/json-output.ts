import * as z from "zod";
import type { DeepReadonly } from "../json.ts";
import { findingSchema, verdictWord } from "../api/amendment.ts";

/** The JSON that `can-i-release`, `rules` and `amendments --parked` print. `schemas/` is generated from it. */

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
    troubled: z
      .array(
        z.strictObject({
          connector: z.string(),
          status: z.enum(["retrying", "stalled", "stopped"]),
          what: z.string(),
          next: z.string().nullable().describe("What to do so that it continues"),
        }),
      )
      .describe("For --table: connectors of the table that do not read the log, so the answer is not known"),
  })
  .meta({ title: "fieldgate can-i-release --format json" });

export const parkedSchema = z
  .array(
    z.strictObject({
      connector: z.string(),
      table: z.string().describe("E.g. public.customers"),
      topic: z.string(),
      code: z.string().describe("The code of the error that parks the table"),
      what: z.string().describe("Why its changes wait"),
      changes: z.number().describe("How many changes wait"),
      since: z.string().describe("ISO 8601"),
      next: z.string().nullable().describe("What to do so that the table flows again"),
    }),
  )
  .meta({ title: "fieldgate amendments --parked --format json" });

export type ParkedTables = DeepReadonly<z.infer<typeof parkedSchema>>;

export type CanRelease = DeepReadonly<z.infer<typeof canReleaseSchema>>;

export const rulesSchema = z
  .array(
    z.strictObject({
      id: z.string().describe("E.g. meaning/decimal-scale"),
      severity: z.enum(["error", "warning"]).describe("The severity on a field that the contract reads"),
      problem: z.string(),
      page: z.string().describe("The rule's page in the fieldgate package"),
    }),
  )
  .meta({ title: "fieldgate rules --format json" });

export type Rules = DeepReadonly<z.infer<typeof rulesSchema>>;
