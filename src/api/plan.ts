import * as z from "zod";
import type { DeepReadonly } from "../json.ts";
import { modeWord, verdictSchema } from "./amendment.ts";

const plannedSchema = z.strictObject({
  connector: z.string(),
  mode: modeWord,
  topic: z.string(),
  table: z.string().describe("schema.table as it is before the migration"),
  field: z.string(),
  lines: z.array(z.int().min(1)).describe("Lines of the statements that cause it"),
  files: z.array(z.string()).optional().describe("The same lines as file:line; missing if the migration is one file"),
  what: z.string(),
  meanwhile: z.string().describe("What the events contain until it is released"),
  flows: z.boolean().describe("Whether it would flow at once; in watch mode, whether Debezium would publish it"),
  why: z.string(),
  stops: z
    .boolean()
    .describe("Whether the table's rows are held back until a release; in watch mode, whether Debezium's task stops"),
  instead: z.string().optional().describe("What to do instead, if no release can let it flow; missing if one can"),
  verdicts: z.array(verdictSchema),
  schema: z
    .string()
    .nullable()
    .describe("The Avro schema that the topic would have, as text; null if there is none or the registry rejects it"),
});

/** The output of `fieldgate plan --format json`. `schemas/plan.schema.json` is generated from it. */
export const planSchema = z
  .strictObject({
    amendments: z.array(plannedSchema),
    notes: z.array(
      z.strictObject({
        line: z.int().min(1),
        file: z.string().optional().describe("Missing if the migration is one file"),
        table: z.string().nullable().describe("As the statement writes it"),
        message: z.string(),
        kind: z
          .enum(["unknown", "fine"])
          .describe("unknown if a person has to look: its effect on events is not known, or rows stop"),
        stops: z.literal(true).optional().describe("The table's rows are no longer published because of it"),
      }),
    ),
  })
  .meta({ title: "fieldgate plan --format json" });

/** The amendments that a migration would cause, and the statements whose effect is unknown. */
export type PlanView = DeepReadonly<z.infer<typeof planSchema>>;
export type PlannedAmendment = PlanView["amendments"][number];
