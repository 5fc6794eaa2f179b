import { KEY_CHANGED, keyChange } from "../rules/meaning/key-changed.ts";
import { parseSchemaText } from "../avro/schema-text.ts";
import type { AvroRecord } from "../avro/schema.ts";
import type { Finding } from "../finding.ts";
import type { Contract } from "./contract.ts";
import { type Judgement, reads } from "./judge.ts";
import { reweighed, UNCHANGED, type Weights } from "./severity.ts";

/** The events' keys; `before` undefined: they have none now. */
export interface KeyCandidate {
  readonly before: AvroRecord | undefined;
  readonly after: AvroRecord;
}

/** The keys by their schemas' texts. Throws `schema-invalid` for a text that is no schema. */
export function keyCandidateOf(before: string | undefined, after: string): KeyCandidate {
  return { before: before === undefined ? undefined : recordOf(before), after: recordOf(after) };
}

/** A key's schema is a record: keySchema makes no other. */
function recordOf(text: string): AvroRecord {
  const schema = parseSchemaText(text);
  if (schema.kind !== "record") throw new Error("a key's schema is no record");
  return schema;
}

/**
 * One contract's verdict on another key: every reader of the topic is told. An error for who reads one of its columns
 * or lists nothing, since only they can find rows by it.
 */
export function judgeKey(contract: Contract, { before, after }: KeyCandidate, weights: Weights = UNCHANGED): Judgement {
  const columns = [...(before?.fields ?? []), ...after.fields].map(({ name }) => name);
  const isRead = columns.some((name) => reads(contract, name));
  const severity = isRead ? KEY_CHANGED.severity : "warning";
  const found: Finding = { rule: KEY_CHANGED.id, severity, ...keyChange(before, after) };
  const finding = isRead ? reweighed(found, contract.severity, weights) : found;
  return { verdict: finding.severity === "error" ? "not-ready" : "ready", findings: [finding] };
}
