import { createHash } from "node:crypto";

import * as z from "zod";
import { parseSchema } from "../avro/parse.ts";
import { GuardError } from "../errors.ts";
import { contractError, type Mistake } from "../mistake.ts";
import { CHANGEABLE, type SeverityChange } from "./severity.ts";
import type { Longs } from "../rules/runtime/rule.ts";
import { type DeepReadonly, isTooDeep, type Json, TOO_DEEP } from "../json.ts";

/**
 * The contract: its type, its schema for contracts received over HTTP and Kafka, and the keys under which contracts are
 * stored in the contracts topic. What people write in `fieldgate.yaml` is defined in file-schema.ts and file.ts.
 */

/** A name contains no `/`, so that a contract's key is unambiguous. Kafka does not allow a topic named `.` or `..`. */
export const name = z
  .string()
  .regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/, "must be letters, digits, dots, dashes or underscores");
export const fieldName = z.string().regex(/^[A-Za-z_]\w*$/, "must be a field name");
export const names = z.array(z.string().min(1, "must not be empty"));
export const owner = z
  .string()
  .min(1, "must not be empty")
  .max(200, "must not be longer than 200 characters")
  // No control characters, so that it stays on one line of an alert.
  .regex(/^\P{Cc}*$/u, "must be one line");
export const decodesWith = z.enum(["reader", "writer"]);
export const unknownFields = z.enum(["accept", "reject"]);
export const view = z.enum(["envelope", "row"]);
export const longs = z.enum(["number", "bigint"]) satisfies z.ZodType<Longs>;

export const severity = z.enum(["error", "warning"]);
export const reasonText = z
  .string()
  .regex(/\S/, "must give a reason")
  .max(500, "must not be longer than 500 characters")
  // No control characters, so that it stays on one line of an alert.
  .regex(/^\P{Cc}*$/u, "must be one line");
export const until = z.iso.date("must be a day such as 2026-12-31");

const anyJson: z.ZodType<Json> = z.json();

/** Does not check that the rule exists, because contracts are also read by versions that have different rules. */
const severityChange = z.strictObject({
  rule: z.string().regex(CHANGEABLE, "must be a meaning/… or runtime/… rule: findings of Avro's rules remain errors"),
  field: z.string().min(1).optional(),
  severity,
  reason: reasonText,
  until,
}) satisfies z.ZodType<SeverityChange>;

const testedField = z.strictObject({
  /** Id of the amendment that adds the field. */
  amendment: z.string().min(1),
  field: z.string().min(1),
  /** The hash that `fieldHash` computes from the field's definition. */
  type: z.string().regex(/^[0-9a-f]{64}$/, "must be the hash of a field"),
});

const addedField = z.strictObject({
  name: fieldName,
  /** The Avro type that the transform gives the field. */
  type: anyJson,
});

const contractSchema = z.strictObject({
  version: z.literal(1),
  environment: name,
  consumer: name,
  /** Who is named in alerts about this consumer: `@team-billing`, or Slack's `<!subteam^S0123>` or `<@U0123>`. */
  owner: owner.optional(),
  topic: name,
  /**
   * `reader`: the consumer decodes with its own schema, which is in `schema`. `writer`: it decodes with whichever
   * schema the event names.
   */
  decodesWith,
  /** `accept`: the consumer keeps working when an event has a field that the contract does not name. */
  unknownFields,
  /** The reader's Avro schema: that of the whole event or, with view `row`, that of the row. */
  schema: anyJson.optional(),
  /** `row`: the consumer gets the unwrapped row. Undefined means `envelope`: it gets the event as published. */
  view: view.optional(),
  /** Fields that the unwrapping adds to the row; only with view `row`. */
  adds: z.array(addedField).optional(),
  /** Row columns that it reads (`zip`, not `after.zip`). */
  fields: names.optional(),
  /** Row columns that it knows and does not read. */
  ignores: names.optional(),
  /** Its Kafka consumer groups. */
  groups: names.optional(),
  /** The client library that it decodes with, e.g. `kafkajs`. */
  runtime: z.string().optional(),
  /** What that library makes of a long in JavaScript; undefined means `number`, which throws beyond 2^53. */
  longs: longs.optional(),
  /** Rules with a different severity for this consumer, each until a day. */
  severity: z.array(severityChange).optional(),
  /** Fields that do not flow yet, but with which the consumer's own handler was tested. */
  tested: z.array(testedField).optional(),
});

/** What one consumer reads of one topic in one environment, and how. Plain JSON, stored and sent unchanged. */
export type Contract = DeepReadonly<z.output<typeof contractSchema>> & {
  /** Only its name is known, because its record cannot be read. The other keys are placeholders. Never stored. */
  readonly unreadable?: true;
  /** With `unreadable`: the contracts topic has lost it. */
  readonly missing?: true;
};

/** A row's field as it was defined when it was tested. Once its definition differs, it counts as untested. */
export type TestedField = DeepReadonly<z.output<typeof testedField>>;

/** A field that Debezium's ExtractNewRecordState adds to a row, e.g. `__op` or `__deleted`. */
export type AddedField = DeepReadonly<z.output<typeof addedField>>;

/** The key of a contract in the contracts topic: `default/billing/inventory.public.customers`. */
export function contractKey({ environment, consumer, topic }: ContractName): string {
  return `${environment}/${consumer}/${topic}`;
}

/** The topic in a contract's key; empty if the key is not that of a contract. */
export function topicOfKey(key: string): string {
  return key.split("/")[2] ?? "";
}

/** Identifies a contract. */
export type ContractName = Pick<Contract, "environment" | "consumer" | "topic">;

const nameSchema = z.strictObject({ environment: name, consumer: name, topic: name });

/**
 * The key of a version that is being rolled out alongside the deployed one: the contract's key, a slash and a hash of its
 * content, so that publishing the same version twice gives one record.
 */
export function rollingKey(contract: Contract): string {
  const hash = createHash("sha256").update(JSON.stringify(contract)).digest("hex");
  return `${contractKey(contract)}/${hash.slice(0, 16)}`;
}

/** True if this is the key of the named contract, or of a version of it that is being rolled out. */
export function isKeyOf(key: string, named: ContractName): boolean {
  const own = contractKey(named);
  return key === own || key.startsWith(`${own}/`);
}

/**
 * What is known of a contract whose record cannot be read, for example because a later version of Fieldgate wrote it.
 * Its consumer counts, and its verdict is unknown. undefined if the record's key is not that of a contract.
 */
export function unreadableContract(key: string): Contract | undefined {
  const [environment, consumer, topic, ...rolling] = key.split("/");
  const named = nameSchema.safeParse({ environment, consumer, topic });
  if (!named.success || rolling.length > 1) return undefined;
  return { version: 1, ...named.data, decodesWith: "reader", unknownFields: "reject", unreadable: true };
}

/** Reads the name of a contract. Throws `contract-invalid` with every mistake. */
export function parseContractName(json: unknown): ContractName {
  const parsed = nameSchema.safeParse(json);
  if (!parsed.success) throw contractError(parsed.error.issues.map(({ path, message }) => mistakeAt(path, message)));
  return parsed.data;
}

/** Reads a contract received over HTTP or from a Kafka topic. Throws `contract-invalid` with every mistake. */
export function parseContract(json: unknown): Contract {
  if (isTooDeep(json)) throw contractError([{ key: "contract", reason: TOO_DEEP }]);
  const parsed = contractSchema.safeParse(json);
  if (!parsed.success) throw contractError(parsed.error.issues.map(({ path, message }) => mistakeAt(path, message)));
  const contract = parsed.data;
  const mistakes = [
    ...(contract.schema === undefined ? [] : schemaMistakes("schema", contract.schema)),
    ...(contract.adds ?? []).flatMap(({ type }, at) => schemaMistakes(`adds.${at}.type`, type)),
    ...(contract.adds === undefined || contract.view === "row" ? [] : [{ key: "adds", reason: ADDS_WITH_ROW }]),
  ];
  if (mistakes.length > 0) throw contractError(mistakes);
  return contract;
}

export const ADDS_WITH_ROW = "requires view: row, because only unwrapping adds fields";

function mistakeAt(path: readonly PropertyKey[], reason: string): Mistake {
  return { key: path.map(String).join(".") || "contract", reason };
}

/** Returns no mistakes for a valid Avro schema. */
export function schemaMistakes(key: string, json: Json): readonly Mistake[] {
  try {
    parseSchema(json);
    return [];
  } catch (error) {
    if (!(error instanceof GuardError) || error.code !== "schema-invalid") throw error;
    return [{ key, reason: `is not an Avro schema: ${error.message}` }];
  }
}
