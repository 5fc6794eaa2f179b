import { createHash } from "node:crypto";

import * as z from "zod";
import { parseSchema } from "../avro/parse.ts";
import { GuardError } from "../errors.ts";
import { contractError, type Mistake } from "../mistake.ts";
import { CHANGEABLE, type SeverityChange } from "./severity.ts";
import { isTooDeep, type Json, TOO_DEEP } from "../json.ts";

/** What one consumer reads of one topic in one environment, and how. Plain JSON, sent over HTTP and Kafka as it is. */
export interface Contract {
  readonly version: 1;
  readonly environment: string;
  readonly consumer: string;
  /** Who is responsible for the consumer, for alerts: `@team-billing`, or Slack's `<!subteam^S0123>` or `<@U0123>`. */
  readonly owner?: string | undefined;
  readonly topic: string;
  /** `reader`: with the consumer's own `schema`. `writer`: with the schema that each event names. */
  readonly decodesWith: "reader" | "writer";
  /** `reject` if a field that the contract does not name stops the consumer or makes it lose data. */
  readonly unknownFields: "accept" | "reject";
  /** The reader's Avro schema: of the whole event or, with view `row`, of the row. */
  readonly schema?: Json | undefined;
  /** `row`: the consumer gets only the row, unwrapped from its event. undefined means `envelope`, the whole event. */
  readonly view?: "envelope" | "row" | undefined;
  /** Fields that the unwrapping adds to the row; only with view `row`. */
  readonly adds?: readonly AddedField[] | undefined;
  /** Row columns that it reads (`zip`, not `after.zip`). */
  readonly fields?: readonly string[] | undefined;
  /** Row columns that it knows and does not read. */
  readonly ignores?: readonly string[] | undefined;
  /** Its Kafka consumer groups. */
  readonly groups?: readonly string[] | undefined;
  /** The client it decodes with, e.g. `kafkajs`. */
  readonly runtime?: string | undefined;
  /** Rules with a different severity for this consumer, each until a given day. */
  readonly severity?: readonly SeverityChange[] | undefined;
  /** Fields that do not flow yet, but with which its own handler has been tested. */
  readonly tested?: readonly TestedField[] | undefined;
}

/** A field with which the consumer was tested. If the field's definition changes, the test no longer counts. */
export interface TestedField {
  /** Id of the amendment that adds it. */
  readonly amendment: string;
  readonly field: string;
  /** The result of fieldHash. */
  readonly type: string;
}

/** A field that Debezium's ExtractNewRecordState adds to a row, e.g. `__op` or `__deleted`. */
export interface AddedField {
  readonly name: string;
  /** The Avro type that the transform gives it. */
  readonly type: Json;
}

/** Names have no `/`, so that a contract's key is unambiguous. Kafka allows neither `.` nor `..` as a topic. */
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

export const severity = z.enum(["error", "warning"]);
export const reasonText = z
  .string()
  .regex(/\S/, "must give a reason")
  .max(500, "must not be longer than 500 characters")
  // So that it stays on one line of an alert.
  .regex(/^\P{Cc}*$/u, "must be one line");
export const until = z.iso.date("must be a day such as 2026-12-31");

/** Does not check that the rule exists: contracts are also read by versions that have other rules. */
const severityChange = z.strictObject({
  rule: z.string().regex(CHANGEABLE, "must be a meaning/… or runtime/… rule: findings of Avro's rules remain errors"),
  field: z.string().min(1).optional(),
  severity,
  reason: reasonText,
  until,
});
const testedField = z.strictObject({
  amendment: z.string().min(1),
  field: z.string().min(1),
  type: z.string().regex(/^[0-9a-f]{64}$/, "must be the hash of a field"),
});

const contractSchema = z.strictObject({
  version: z.literal(1),
  environment: name,
  consumer: name,
  owner: owner.optional(),
  topic: name,
  decodesWith,
  unknownFields,
  schema: z.json().optional(),
  view: view.optional(),
  adds: z.array(z.strictObject({ name: fieldName, type: z.json() })).optional(),
  fields: names.optional(),
  ignores: names.optional(),
  groups: names.optional(),
  runtime: z.string().optional(),
  severity: z.array(severityChange).optional(),
  tested: z.array(testedField).optional(),
});

/** The key of a contract in the contracts topic: `default/billing/inventory.public.customers`. */
export function contractKey({ environment, consumer, topic }: ContractName): string {
  return `${environment}/${consumer}/${topic}`;
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

/** Is this the key of the named contract, or of a version of it that is being rolled out? */
export function isKeyOf(key: string, named: ContractName): boolean {
  const own = contractKey(named);
  return key === own || key.startsWith(`${own}/`);
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

/** Returns no mistakes if it is an Avro schema. */
export function schemaMistakes(key: string, json: Json): readonly Mistake[] {
  try {
    parseSchema(json);
    return [];
  } catch (error) {
    if (!(error instanceof GuardError) || error.code !== "schema-invalid") throw error;
    return [{ key, reason: `is not an Avro schema: ${error.message}` }];
  }
}
