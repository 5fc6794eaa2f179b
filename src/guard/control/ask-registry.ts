import { schemaHash } from "../../avro/hash.ts";
import { checkLevel } from "../../avro/reading/level.ts";
import { parseSchemaText } from "../../avro/schema-text.ts";
import type { Amendment, Candidate, RegistryAnswer } from "../../gate/amendment/amendment.ts";
import { candidateOf, canWiden } from "../../gate/amendment/candidate.ts";
import type { Mode, Rules, TableState } from "../../gate/state.ts";
import type { Json } from "../../json.ts";
import type { Registered, Registry } from "../../registry/client.ts";

/**
 * Asks whether the registry would accept an amendment's candidate, in a different way for each mode. In guard mode it
 * asks for the candidate and, if that is rejected, for a wider one that could be registered instead. In watch mode it
 * asks only for the schema that Debezium will register. Calls `onAnswered` when the registry has answered. Throws the
 * errors of the registry's client.
 */
export type AskRegistry = (
  rules: Rules,
  registry: Registry,
  table: TableState,
  amendment: Amendment,
  onAnswered?: () => void,
) => Promise<RegistryAnswer>;

export const ASK_REGISTRY: Readonly<Record<Mode, AskRegistry>> = { guard: askToPublish, watch: askToWatch };

async function askToPublish(
  rules: Rules,
  registry: Registry,
  table: TableState,
  amendment: Amendment,
  onAnswered: () => void = () => {},
): Promise<RegistryAnswer> {
  const making = candidateOf(rules, table, amendment);
  if (making.kind === "none") return { kind: "no-candidate", why: making.why };
  const { candidate } = making.made;
  const refusal = await refusalOf(registry, table, candidate, onAnswered);
  if (refusal === undefined) return { kind: "fits", candidate };
  const wider = canWiden(making.made, amendment) ? candidateOf(rules, table, amendment, true) : making;
  if (wider === making || wider.kind === "none") return { kind: "refused", candidate, text: refusal };
  const again = await refusalOf(registry, table, wider.made.candidate, onAnswered);
  return again === undefined
    ? { kind: "fits", candidate: wider.made.candidate }
    : { kind: "refused", candidate, text: again };
}

/** Limits on what is stored with an amendment: the number of reasons, and the length of each. */
const MAX_REASONS = 20;
const MAX_REASON = 2000;

/**
 * Why the subject's level rejects the candidate, according to the registry or to our own rules; undefined if it is
 * accepted.
 */
async function refusalOf(
  registry: Registry,
  table: TableState,
  candidate: Candidate,
  onAnswered: () => void,
): Promise<string | undefined> {
  const check = await registry.check(subjectOf(table, candidate), candidate.text);
  onAnswered();
  return check.kind === "incompatible"
    ? reasonOf(check.messages, registry, table, candidate)
    : ownRefusal(registry, table, candidate);
}

/** The registry's reasons, or else those of our own rules, because Apicurio 3 gives none. */
async function reasonOf(
  given: readonly string[],
  registry: Registry,
  table: TableState,
  candidate: Candidate,
): Promise<string> {
  if (given.length > 0) return given.join("; ");
  const own = await ownRefusal(registry, table, candidate);
  return own ?? "the registry gave no reason";
}

async function ownRefusal(registry: Registry, table: TableState, candidate: Candidate): Promise<string | undefined> {
  const level = await registry.level(subjectOf(table, candidate));
  const { keySchema } = table.shape;
  const before = candidate.part === "value" ? table.flowed : keySchema === undefined ? [] : [keySchema];
  const flowed = before.map((schema) => parseSchemaText(schema.text)).toReversed();
  const own = checkLevel(level === "none-set" ? "BACKWARD" : level, flowed, parseSchemaText(candidate.text));
  if (own.compatible) return undefined;
  const all = own.incompatibility.map(({ type, location, message }) => `${type} at ${location}: ${message}`);
  const more = all.length > MAX_REASONS ? [`and ${all.length - MAX_REASONS} more`] : [];
  return [...all.slice(0, MAX_REASONS).map((reason) => reason.slice(0, MAX_REASON)), ...more].join("; ");
}

/**
 * Debezium registers the column as it is, or its task stops. A schema that is already registered as a version is never
 * rejected.
 */
async function askToWatch(
  rules: Rules,
  registry: Registry,
  table: TableState,
  amendment: Amendment,
  onAnswered: () => void = () => {},
): Promise<RegistryAnswer> {
  const making = candidateOf(rules, table, amendment);
  if (making.kind === "none") return { kind: "no-candidate", why: making.why };
  const { candidate } = making.made;
  const subject = subjectOf(table, candidate);
  const check = await registry.check(subject, candidate.text);
  onAnswered();
  const isRefused =
    check.kind === "incompatible" && (await versionWith(registry, subject, candidate.hash)) === undefined;
  return isRefused
    ? { kind: "refused", candidate, text: await reasonOf(check.messages, registry, table, candidate) }
    : { kind: "fits", candidate };
}

export function subjectOf({ shape }: TableState, { part }: Candidate): string {
  return `${shape.topic}-${part}`;
}

/** How many versions are searched for a schema, newest first. */
const VERSIONS_SEARCHED = 50;

/**
 * The subject's newest live version with this schema. Registering that schema again creates no version and checks no
 * level, so after a change is undone its schema is already in the registry.
 */
export async function versionWith(registry: Registry, subject: string, hash: string): Promise<Registered | undefined> {
  const numbers = await registry.versions(subject);
  for (const number of numbers.toReversed().slice(0, VERSIONS_SEARCHED)) {
    const version = await registry.version(subject, number);
    if (version !== undefined && hashOf(version.text) === hash) return version;
  }
  return undefined;
}

/** undefined if the text is not JSON. */
export function hashOf(text: string): string | undefined {
  try {
    return schemaHash(JSON.parse(text) as Json); // JSON.parse gives JSON
  } catch {
    return undefined;
  }
}
