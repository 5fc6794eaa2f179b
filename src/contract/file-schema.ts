import * as z from "zod";
import {
  decodesWith,
  fieldName,
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
      "reader: events are decoded with this consumer's own schema. writer: with the schema each event names",
    ),
    "unknown-fields": unknownFields.describe(
      "reject: the consumer stops or loses data when an event has a field named nowhere here. accept: it does not",
    ),
    schema: z
      .string()
      .min(1)
      .optional()
      .describe("Path of the reader's .avsc file, from this file; with decodes-with: reader"),
    view: view
      .optional()
      .describe(
        "envelope (default): the consumer gets the whole event. row: the row alone, unwrapped by Debezium's ExtractNewRecordState",
      ),
    adds: z
      .array(z.union([fieldName, z.record(fieldName, z.json())], "must be a field's name, or {name: its Avro type}"))
      .optional()
      .describe("Fields the unwrapping adds, with view: row; an optional string each, unless {__ts_ms: long} types it"),
    fields: names.optional().describe("Row columns the consumer reads: zip, not after.zip"),
    ignores: names.optional().describe("Row columns the consumer knows and does not read"),
    groups: names.optional().describe("Its Kafka consumer group ids"),
    runtime: z.string().optional().describe("The client that decodes, e.g. kafkajs, java, python"),
  })
  .meta({
    oneOf: [
      { properties: { "decodes-with": { const: "reader" } }, required: ["schema"] },
      { properties: { "decodes-with": { const: "writer" } }, not: { required: ["schema"] } },
    ],
    dependentSchemas: { adds: { properties: { view: { const: "row" } }, required: ["view"] } },
  });

const ignoreSchema = z.strictObject({
  rule: z.string().min(1, "must not be empty").describe("The rule's id, as `check` prints it in brackets"),
  topic: name.optional().describe("Only on this topic"),
  field: z
    .string()
    .min(1)
    .optional()
    .describe("Only of this field, as `check` prints it (after.zip) or as a row column (zip)"),
  reason: z.string().regex(/\S/, "must say why").describe("Why it does not matter, for those who read it later"),
  until: until.describe("The last day on which it is ignored, in UTC"),
});

/** A finding that `check` is told not to fail for. */
export type Ignore = z.infer<typeof ignoreSchema>;

const severitySchema = z.strictObject({
  rule: z.string().min(1, "must not be empty").describe("Id of a meaning/… or runtime/… rule: `fieldgate rules`"),
  topic: name.optional().describe("Only on this topic of the file"),
  field: z.string().min(1).optional().describe("Only of this field, as `check` prints it or as a row column"),
  severity: severity.describe("warning: the finding keeps no field back. error: it does"),
  reason: reasonText.describe("Why this consumer weighs it otherwise, for those who read it later"),
  until: until.describe("The last day on which it holds, in UTC"),
});

/** `fieldgate.yaml` as written. What one key asks of another is checked beside it, so that nothing hides a mistake. */
export const contractFileSchema = z
  .strictObject({
    version: z.literal(1),
    consumer: name.describe("This consumer's name, the same in every environment"),
    owner: owner
      .optional()
      .describe("Who answers for it, for alerts: @team-billing, or a Slack id: <!subteam^S0123ABCD>, <@U0123ABCD>"),
    environment: name.default("default").describe("Where it runs"),
    topics: z.array(topicSchema).min(1, "must list at least one topic"),
    ignore: z
      .array(ignoreSchema)
      .optional()
      .describe(
        "Findings that `check` only notes, each until a day: nobody but `check` knows of them. To change what flows: severity",
      ),
    severity: z
      .array(severitySchema)
      .optional()
      .describe(
        "Rules about meaning or runtime that weigh otherwise, each until a day: published with the contract, so what flows is decided by them too. For `check` alone: ignore",
      ),
  })
  .meta({
    title: "fieldgate.yaml",
    description: "What a consumer reads of its topics, and how: its request to be asked before a new field flows",
  });

export type ContractFile = z.infer<typeof contractFileSchema>;

/** How each key looks when right. */
export const EXAMPLES: Readonly<Record<string, string>> = {
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
};

/** The same in the list `severity`, where it differs. */
export const SEVERITY_EXAMPLES: Readonly<Record<string, string>> = {
  rule: "rule: meaning/time-unit",
  severity: "severity: warning",
};
