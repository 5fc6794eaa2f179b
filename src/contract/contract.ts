import { createHash } from "node:crypto";

import * as z from "zod";
import { parseSchema } from "../avro/parse.ts";
import { GuardError } from "../errors.ts";
import type { Json } from "../table/shape.ts";
import { contractError, type Mistake } from "./mistake.ts";

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
  /** The reader's Avro schema of the whole event. */
  readonly schema?: Json | undefined;
  /** Row columns it reads (`zip`, not `after.zip`). */
  readonly fields?: readonly string[] | undefined;
  /** Row columns it knows and does not read. */
  readonly ignores?: readonly string[] | undefined;
  /** Its Kafka consumer groups. */
  readonly groups?: readonly string[] | undefined;
  /** The client it decodes with, e.g. `kafkajs`. */
  readonly runtime?: string | undefined;
}

/** Names without `/`, so that a contract's key is one text for one contract. */
export const name = z.string().regex(/^[A-Za-z0-9._-]{1,249}$/, "must be letters, digits, dots, dashes or underscores");
export const names = z.array(z.string().min(1, "must not be empty"));
export const owner = z
  .string()
  .min(1, "must not be empty")
  .max(200, "must not be longer than 200 characters")
  // Control characters, so that it stays on one line of an alert.
  .regex(/^\P{Cc}*$/u, "must be one line");
export const decodesWith = z.enum(["reader", "writer"]);
export const unknownFields = z.enum(["accept", "reject"]);

const contractSchema = z.strictObject({
  version: z.literal(1),
  environment: name,
  consumer: name,
  owner: owner.optional(),
  topic: name,
  decodesWith,
  unknownFields,
  schema: z.json().optional(),
  fields: names.optional(),
  ignores: names.optional(),
  groups: names.optional(),
  runtime: z.string().optional(),
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
  const parsed = contractSchema.safeParse(json);
  if (!parsed.success) throw contractError(parsed.error.issues.map(({ path, message }) => mistakeAt(path, message)));
  const contract = parsed.data;
  const reason = contract.schema === undefined ? undefined : whyNoSchema(contract.schema);
  if (reason !== undefined) throw contractError([{ key: "schema", reason }]);
  return contract;
}

function mistakeAt(path: readonly PropertyKey[], reason: string): Mistake {
  return { key: path.map(String).join(".") || "contract", reason };
}

/** undefined when it is an Avro schema. */
function whyNoSchema(json: Json): string | undefined {
  try {
    parseSchema(json);
    return undefined;
  } catch (error) {
    if (error instanceof GuardError && error.code === "schema-invalid") return `is no Avro schema: ${error.message}`;
    throw error;
  }
}
