import { checkLevel } from "../../avro/reading/level.ts";
import { parseSchemaText } from "../../avro/schema-text.ts";
import type { Amendment, Answer, Candidate } from "../../gate/amendment/amendment.ts";
import { candidateOf, canWiden } from "../../gate/amendment/candidate.ts";
import type { Rules, TableState } from "../../gate/state.ts";
import type { Registry } from "../../registry/client.ts";
import { versionWith } from "./versions.ts";

/**
 * What the registry says of the amendment's candidate, or of a wider one where it refuses that. `heard` is called when
 * it has answered. Throws what the registry client throws.
 */
export async function answerOf(
  rules: Rules,
  registry: Registry,
  table: TableState,
  amendment: Amendment,
  heard: () => void = () => {},
): Promise<Answer> {
  const making = candidateOf(rules, table, amendment);
  if (making.kind === "none") return { kind: "refused", candidate: undefined, why: making.why };
  const { candidate } = making.made;
  const refusal = await refusedBy(rules, registry, table, candidate, heard);
  if (refusal === undefined) return { kind: "fits", candidate };
  // Debezium registers the column as it is, or its task stops.
  if (rules.mode === "watch") return { kind: "refused", candidate, why: refusal };
  const wider = canWiden(making.made, amendment) ? candidateOf(rules, table, amendment, true) : making;
  if (wider === making || wider.kind === "none") return { kind: "refused", candidate, why: refusal };
  const again = await refusedBy(rules, registry, table, wider.made.candidate, heard);
  return again === undefined
    ? { kind: "fits", candidate: wider.made.candidate }
    : { kind: "refused", candidate, why: again };
}

/** Why the subject's level does not take the candidate: by the registry's word and, for what we register, our own rules. */
async function refusedBy(
  { mode }: Rules,
  registry: Registry,
  table: TableState,
  candidate: Candidate,
  heard: () => void,
): Promise<string | undefined> {
  const subject = subjectOf(table, candidate);
  const check = await registry.check(subject, candidate.text);
  heard();
  if (check.kind === "incompatible") {
    // What is a version already is never refused.
    const known = mode === "watch" ? await versionWith(registry, subject, candidate.hash) : undefined;
    return known === undefined ? check.messages.join("; ") : undefined;
  }
  if (mode === "watch") return undefined;
  const level = await registry.level(subject);
  const { keySchema } = table.shape;
  const before = candidate.part === "value" ? table.flowed : keySchema === undefined ? [] : [keySchema];
  const flowed = before.map((schema) => parseSchemaText(schema.text)).toReversed();
  const own = checkLevel(level === "none-set" ? "BACKWARD" : level, flowed, parseSchemaText(candidate.text));
  if (own.compatible) return undefined;
  return own.incompatibility.map(({ type, location, message }) => `${type} at ${location}: ${message}`).join("; ");
}

export function subjectOf({ shape }: TableState, { part }: Candidate): string {
  return `${shape.topic}-${part}`;
}
