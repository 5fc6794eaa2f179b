/**
 * The keys of `fieldgate.yaml` as zod schemas. Editors get them, with the descriptions, as
 * schemas/fieldgate.schema.json.
 */
import * as z from "zod";
import {
  decodesWith,
  fieldName,
  longs,
  name,
  names,
  owner,
  reasonText,
  severity,
  unknownFields,
  until,
  view,
} from "./contract.ts";

const topicSchema = z
  .strictObject({
    topic: name.describe("The Kafka topic, e.g. inventory.public.customers"),
    "decodes-with": decodesWith.describe(
      "reader: events are decoded with this consumer's own schema. writer: with the schema that each event names",
    ),
    "unknown-fields": unknownFields.describe(
      "reject: a field that is not listed here stops the consumer or makes it lose data. accept: it does not",
    ),
    schema: z
      .string()
      .min(1)
      .optional()
      .describe("Path of the reader's .avsc file, relative to this file; with decodes-with: reader"),
    view: view
      .optional()
      .describe(
        "envelope (default): the consumer gets the whole event. row: it gets only the row, unwrapped by Debezium's ExtractNewRecordState",
      ),
    adds: z
      .array(z.union([fieldName, z.record(fieldName, z.json())], "must be a field name, or {name: its Avro type}"))
      .optional()
      .describe(
        "Fields that the unwrapping adds, with view: row; each is an optional string unless a type is given, as in {__ts_ms: long}",
      ),
    fields: names.optional().describe("Row columns that the consumer reads: zip, not after.zip"),
    ignores: names.optional().describe("Row columns that the consumer knows and does not read"),
    groups: names.optional().describe("The ids of its Kafka consumer groups"),
    runtime: z.string().optional().describe("The client library that decodes, e.g. kafkajs, java, python"),
    longs: longs
      .optional()
      .describe(
        "What a JavaScript library makes of a long: number (default) throws beyond 2^53, which every ts_ns is; bigint is exact",
      ),
  })
  .meta({
    oneOf: [
      { properties: { "decodes-with": { const: "reader" } }, required: ["schema"] },
      { properties: { "decodes-with": { const: "writer" } }, not: { required: ["schema"] } },
    ],
    dependentSchemas: { adds: { properties: { view: { const: "row" } }, required: ["view"] } },
  });

const ignoreSchema = z.strictObject({
  rule: z.string().min(1, "must not be empty").describe("The id of the rule, as `check` prints it in brackets"),
  topic: name.optional().describe("Only on this topic"),
  field: z
    .string()
    .min(1)
    .optional()
    .describe("Only for this field, as `check` prints it (after.zip) or as a row column (zip)"),
  reason: z.string().regex(/\S/, "must give a reason").describe("Why it does not matter, for later readers"),
  until: until.describe("The last day on which the finding is ignored, in UTC"),
});

/** A finding that does not make `check` fail. */
export type Ignore = z.infer<typeof ignoreSchema>;

const severitySchema = z.strictObject({
  rule: z.string().min(1, "must not be empty").describe("Id of a meaning/… or runtime/… rule, see `fieldgate rules`"),
  topic: name.optional().describe("Only on this one of the file's topics"),
  field: z.string().min(1).optional().describe("Only for this field, as `check` prints it or as a row column"),
  severity: severity.describe("error: the finding keeps a field withheld. warning: it does not"),
  reason: reasonText.describe("Why this consumer needs a different severity, for later readers"),
  until: until.describe("The last day on which it applies, in UTC"),
});

/**
 * `fieldgate.yaml` as written. Conditions that involve several keys are checked separately, in file.ts: zod would check
 * them only if everything else is right, so one mistake would hide another.
 */
export const contractFileSchema = z
  .strictObject({
    $schema: z.string().optional().describe("The address of this schema, for editors"),
    version: z.literal(1),
    consumer: name.describe("This consumer's name, the same in every environment"),
    owner: owner
      .optional()
      .describe(
        "Who is responsible for it, for alerts: @team-billing, or a Slack id: <!subteam^S0123ABCD>, <@U0123ABCD>",
      ),
    environment: name.default("default").describe("Where it runs"),
    topics: z.array(topicSchema).min(1, "must list at least one topic"),
    ignore: z
      .array(ignoreSchema)
      .optional()
      .describe(
        "Findings for which `check` does not fail, each until a given day. Only `check` uses this; to change what flows, use severity",
      ),
    severity: z
      .array(severitySchema)
      .optional()
      .describe(
        "Rules about meaning or runtime with a different severity, each until a given day. Published with the contract, so this also changes what flows; for `check` alone, use ignore",
      ),
  })
  .meta({
    title: "fieldgate.yaml",
    description:
      "What a consumer reads of its topics, and how. Publishing it asks Fieldgate to check this consumer before a new field flows",
  });

export type ContractFile = z.infer<typeof contractFileSchema>;

/** A correct example of each key. */
export const EXAMPLES: Readonly<Record<string, string>> = {
  $schema: "$schema: node_modules/fieldgate/schemas/fieldgate.schema.json",
  version: "version: 1",
  consumer: "consumer: billing",
  owner: 'owner: "@team-billing"',
  environment: "environment: production",
  topics: "topics: [{ topic: inventory.public.customers, decodes-with: writer, unknown-fields: accept }]",
  ignore: 'ignore: [{ rule: contract/field-missing, field: zip, reason: "goes in release 12", until: 2026-12-31 }]',
  severity:
    'severity: [{ rule: meaning/time-unit, field: at, severity: warning, reason: "reads both", until: 2026-12-31 }]',
  rule: "rule: contract/field-missing",
  field: "field: after.zip",
  reason: 'reason: "goes in release 12"',
  until: "until: 2026-12-31",
  topic: "topic: inventory.public.customers",
  "decodes-with": "decodes-with: writer",
  "unknown-fields": "unknown-fields: reject",
  schema: "schema: schemas/customers.avsc",
  view: "view: row",
  adds: "adds: [__op, __deleted, { __ts_ms: long }]",
  fields: "fields: [id, zip]",
  ignores: "ignores: [created_at]",
  groups: "groups: [billing]",
  runtime: "runtime: kafkajs",
  longs: "longs: bigint",
};

/** Examples for keys that differ in the list `severity`. */
export const SEVERITY_EXAMPLES: Readonly<Record<string, string>> = {
  rule: "rule: meaning/time-unit",
  severity: "severity: warning",
};
