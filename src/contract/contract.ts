import { createHash } from "node:crypto";

import * as z from "zod";
import { parseSchema } from "../avro/parse.ts";
import { GuardError } from "../errors.ts";
import { contractError, type Mistake } from "../mistake.ts";
import { CHANGEABLE, type SeverityChange } from "./severity.ts";
import { isTooDeep, type Json, TOO_DEEP } from "../json.ts";

/** What one consumer reads of one topic in one environment, and how. A plain JSON value: it travels as it is. */
export interface Contract {
  readonly version: 1;
  readonly environment: string;
  readonly consumer: string;
  /** Who answers for the consumer, as alerts say it: `@team-billing`, or Slack's `<!subteam^S0123>` or `<@U0123>`. */
  readonly owner?: string | undefined;
  readonly topic: string;
  /** `reader`: with `schema`, its own. `writer`: with whatever schema the event names. */
  readonly decodesWith: "reader" | "writer";
  /** Does it go on when an event has a field the contract does not name? */
  readonly unknownFields: "accept" | "reject";
  /** The reader's Avro schema of what it gets: the whole event, or with view `row` the row. */
  readonly schema?: Json | undefined;
  /** `row`: it gets the row alone, unwrapped from its event. undefined: `envelope`, the event as it is published. */
  readonly view?: "envelope" | "row" | undefined;
  /** What the unwrapping adds to the row, with view `row` only. */
  readonly adds?: readonly AddedField[] | undefined;
  /** Row columns it reads (`zip`, not `after.zip`). */
  readonly fields?: readonly string[] | undefined;
  /** Row columns it knows and does not read. */
  readonly ignores?: readonly string[] | undefined;
  /** Its Kafka consumer groups. */
  readonly groups?: readonly string[] | undefined;
  /** The client it decodes with, e.g. `kafkajs`. */
  readonly runtime?: string | undefined;
  /** Rules that weigh otherwise for it, each until a day. */
  readonly severity?: readonly SeverityChange[] | undefined;
  /** Fields that do not flow yet and that its own handler was tried with. */
  readonly tested?: readonly TestedField[] | undefined;
}

/** A row's field as it would be when it was tried; of another definition, it was not. */
export interface TestedField {
  /** Id of the amendment that brings it. */
  readonly amendment: string;
  readonly field: string;
  /** As fieldHash gives it. */
  readonly type: string;
}

/** A field that Debezium's ExtractNewRecordState adds to a row, e.g. `__op` or `__deleted`. */
export interface AddedField {
  readonly name: string;
  /** Avro; as the transform gives it. */
  readonly type: Json;
}

/** Names without `/`, so that a contract's key is one text for one contract; `.` and `..` are no topics of Kafka. */
export const name = z
  .string()
  .regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/, "must be letters, digits, dots, dashes or underscores");
export const fieldName = z.string().regex(/^[A-Za-z_]\w*$/, "must be a field's name");
export const names = z.array(z.string().min(1, "must not be empty"));
export const owner = z
  .string()
  .min(1, "must not be empty")
  .max(200, "must not be longer than 200 characters")
  // Control characters, so that it stays on one line of an alert.
  .regex(/^\P{Cc}*$/u, "must be one line");
export const decodesWith = z.enum(["reader", "writer"]);
export const unknownFields = z.enum(["accept", "reject"]);
export const view = z.enum(["envelope", "row"]);

export const severity = z.enum(["error", "warning"]);
export const reasonText = z
  .string()
  .regex(/\S/, "must say why")
  .max(500, "must not be longer than 500 characters")
  // So that it stays on one line of an alert.
  .regex(/^\P{Cc}*$/u, "must be one line");
export const until = z.iso.date("must be a day, as 2026-12-31");

/** Not whether the rule is known: a contract that is there is read by later versions too. */
const severityChange = z.strictObject({
  rule: z.string().regex(CHANGEABLE, "must be a meaning/… or runtime/… rule: what Avro refuses stays an error"),
  field: z.string().min(1).optional(),
  severity,
  reason: reasonText,
  until,
});
const testedField = z.strictObject({
  amendment: z.string().min(1),
  field: z.string().min(1),
  type: z.string().regex(/^[0-9a-f]{64}$/, "must be a field's hash"),
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

/** Whose contract on which topic, where. */
export type ContractName = Pick<Contract, "environment" | "consumer" | "topic">;

const nameSchema = z.strictObject({ environment: name, consumer: name, topic: name });

/**
 * The key of a version that is being rolled out beside the deployed one: the contract's and a slash, then a hash of
 * what it says, so that the same version said twice is one record.
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

/** Reads whose contract is meant. Throws `contract-invalid` with every mistake. */
export function parseContractName(json: unknown): ContractName {
  const parsed = nameSchema.safeParse(json);
  if (!parsed.success) throw contractError(parsed.error.issues.map(({ path, message }) => mistakeAt(path, message)));
  return parsed.data;
}

/** Reads a contract that came over HTTP or from a Kafka topic. Throws `contract-invalid` with every mistake. */
export function parseContract(json: unknown): Contract {
  if (isTooDeep(json)) throw contractError([{ key: "contract", reason: TOO_DEEP }]);
  const parsed = contractSchema.safeParse(json);
  if (!parsed.success) throw contractError(parsed.error.issues.map(({ path, message }) => mistakeAt(path, message)));
  const contract = parsed.data;
  const mistakes = [
    ...(contract.schema === undefined ? [] : whyNoSchema("schema", contract.schema)),
    ...(contract.adds ?? []).flatMap(({ type }, at) => whyNoSchema(`adds.${at}.type`, type)),
    ...(contract.adds === undefined || contract.view === "row" ? [] : [{ key: "adds", reason: ADDS_WITH_ROW }]),
  ];
  if (mistakes.length > 0) throw contractError(mistakes);
  return contract;
}

export const ADDS_WITH_ROW = "goes with view: row; an event that is not unwrapped has no fields added";

function mistakeAt(path: readonly PropertyKey[], reason: string): Mistake {
  return { key: path.map(String).join(".") || "contract", reason };
}

/** None when it is an Avro schema. */
export function whyNoSchema(key: string, json: Json): readonly Mistake[] {
  try {
    parseSchema(json);
    return [];
  } catch (error) {
    if (!(error instanceof GuardError) || error.code !== "schema-invalid") throw error;
    return [{ key, reason: `is no Avro schema: ${error.message}` }];
  }
}
