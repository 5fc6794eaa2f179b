import * as z from "zod";
import type { Finding } from "../finding.ts";
import type { DeepReadonly } from "../json.ts";
import { REASON_KINDS } from "../words/reason.ts";

/**
 * Amendments, verdicts and findings, as they are sent to the command line and printed with `--format json`. The schemas
 * are the only declaration of these types, and the JSON Schemas in schemas/ are generated from them.
 */

const names = z.array(z.string());

export const findingSchema = z.strictObject({
  rule: z.string().describe("Stable id, e.g. contract/field-missing"),
  severity: z.enum(["error", "warning"]),
  certainty: z.enum(["always", "on-some-data", "by-policy"]),
  effect: z
    .enum(["throws", "reads-null-or-default", "reads-wrong-value", "decodes"])
    .optional()
    .describe("What happens when an event is read; decodes means that only a rule forbids it"),
  effectStated: z.literal(true).optional().describe("The message itself states the effect"),
  field: z
    .string()
    .optional()
    .describe("The reader's name for the field, e.g. after.zip; absent if the finding is about the whole event"),
  message: z.string(),
  remedy: z.string().optional().describe("What to do about it"),
}) satisfies z.ZodType<Finding>;

export const verdictWord = z
  .enum(["ready", "not-ready", "unknown"])
  .describe("not-ready if an error was found; unknown if evidence is missing");

export const verdictSchema = z.strictObject({
  consumer: z.string(),
  environment: z.string(),
  verdict: verdictWord,
  findings: z.array(findingSchema),
});

const seenVerdictSchema = verdictSchema.extend({
  seen: names
    .optional()
    .describe("What was seen of the consumer's groups, with its age, e.g. group billing: 3 members, seen 20 s ago"),
});

export const modeWord = z
  .enum(["guard", "watch"])
  .describe("In watch mode Debezium publishes, and withheld is what it has not published yet");

const chunkSchema = z.strictObject({
  kind: z.enum(["snapshot", "backfill"]),
  table: z.string().describe("schema.table"),
  amendment: z.string().optional(),
  rows: z.int().min(0).describe("Rows published"),
  scanned: z.int().min(0).describe("Rows read"),
  estimate: z.number().describe("The number of rows according to the table's statistics; -1 if it was never analyzed"),
  rate: z.number().describe("Rows read per second"),
  secondsLeft: z.number().nullable().describe("null if unknown"),
  state: z.enum(["running", "waiting", "done", "refused"]),
  why: z.string().optional(),
});

const troubleSchema = z.strictObject({
  status: z.enum(["retrying", "stalled", "stopped"]),
  takesCommands: z.boolean().describe("Whether it still judges contracts and carries out commands"),
  what: z.string(),
  next: z.string().nullable().describe("What to do so that it continues"),
  since: z.string().describe("ISO 8601"),
});

/** The output of `fieldgate amendments show --format json`. */
export const amendmentSchema = z
  .strictObject({
    id: z.string().describe("E.g. inventory.public.customers/3"),
    connector: z.string(),
    mode: modeWord,
    topic: z.string(),
    field: z.string(),
    kind: z.enum(["added", "dropped", "changed", "key", "table"]),
    changes: z
      .array(z.enum(["renamed", "retyped", "not-null-set", "not-null-lost", "default", "labels"]))
      .describe("What changed about the column; empty unless kind is changed"),
    what: z.string().describe("What happened, in words"),
    meanwhile: z.string().describe("What the events contain until it is released"),
    column: z
      .strictObject({
        name: z.string(),
        type: z.string(),
        notNull: z.boolean(),
        default: z.string().nullable().describe("The default's expression"),
      })
      .nullable()
      .describe("The column as it is now; null if it was dropped, or if kind is key or table"),
    explained: z
      .strictObject({ command: z.string().describe("E.g. ALTER TABLE"), role: z.string(), time: z.string() })
      .nullable()
      .describe("What the DDL trigger reported: the command, the role that ran it, and when (ISO 8601)"),
    gate: z.strictObject({
      kind: z.enum(["withheld", "released"]),
      since: z.string().nullable().describe("ISO 8601; null if unknown"),
      position: z.string().nullable().describe("A position in PostgreSQL's log, e.g. 0/16B3748"),
      reason: z
        .looseObject({ kind: z.enum(REASON_KINDS) })
        .describe("The reason as a value: its kind and the kind's own fields (docs/gate.md in the fieldgate package)"),
      why: z.string().describe("The reason in words"),
      unnamed: z
        .discriminatedUnion("kind", [
          z.strictObject({
            kind: z.literal("known"),
            groups: names,
            more: z.number().optional().describe("How many further groups there are"),
          }),
          z.strictObject({ kind: z.literal("unknown"), why: z.string() }),
        ])
        .optional()
        .describe("For strict policy: the live groups that it waits for, or why they are not known"),
    }),
    verdicts: z.array(seenVerdictSchema),
    groupsNotNamed: names.describe("Live consumer groups of the topic that no contract names"),
    refused: z
      .string()
      .nullable()
      .describe(
        "Why the registry rejects the schema, whatever the contracts allow; null if it accepts the schema or was not asked",
      ),
    candidate: z
      .strictObject({
        schema: z.string().describe("The Avro schema as text"),
        widened: z.string().optional().describe("Why the field is optional although the column is not"),
      })
      .nullable()
      .describe("The schema that the topic would have after the change"),
    backfill: chunkSchema.nullable(),
    trouble: troubleSchema
      .optional()
      .describe("Set while the connector does not read the log, so that the rest may be out of date"),
    next: z.string().nullable().describe("What to do next"),
  })
  .meta({ title: "fieldgate amendments show --format json" });

/** The output of `fieldgate amendments --format json`. */
export const amendmentsSchema = z.array(amendmentSchema).meta({ title: "fieldgate amendments --format json" });

/** `schemas/amendments.schema.json` and `amendment.schema.json` are generated from its schema. */
export type AmendmentView = DeepReadonly<z.infer<typeof amendmentSchema>>;

export type VerdictView = DeepReadonly<z.infer<typeof seenVerdictSchema>>;

/**
 * Progress of a snapshot or a backfill. `scanned` rows were read, and `rows` of them were published. `estimate` is the
 * table's number of rows, or -1 if it was never analyzed; `rate` is in rows read per second; `secondsLeft` is null if
 * unknown.
 */
export type ChunkView = DeepReadonly<z.infer<typeof chunkSchema>>;
