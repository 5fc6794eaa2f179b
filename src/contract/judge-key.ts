import { KEY_CHANGED, keyChange } from "../rules/meaning/key-changed.ts";
import { parseSchemaText } from "../avro/schema-text.ts";
import type { AvroRecord } from "../avro/schema.ts";
import type { Finding } from "../finding.ts";
import type { Contract } from "./contract.ts";
import { type Judgement, reads, verdictOr } from "./judge.ts";
import { reweigh, UNCHANGED, type Weights } from "./severity.ts";

/** The key of the events; `before` is undefined if they have none now. */
export interface KeyCandidate {
  readonly before: AvroRecord | undefined;
  readonly after: AvroRecord;
}

/** Parses the schemas of the keys. Throws `schema-invalid` for a text that is not a schema. */
export function parseKeyCandidate(before: string | undefined, after: string): KeyCandidate {
  return { before: before === undefined ? undefined : recordOf(before), after: recordOf(after) };
}

/** The schema of a key is always a record, see keySchema. */
function recordOf(text: string): AvroRecord {
  const schema = parseSchemaText(text);
  if (schema.kind !== "record") throw new Error("the schema of a key is not a record");
  return schema;
}

/**
 * One contract's verdict on a changed key. The change is reported to every contract on the topic. It is an error if the
 * contract reads one of the key's columns or lists no fields, because only then can the consumer look up rows by the
 * key.
 */
export function judgeKey(contract: Contract, { before, after }: KeyCandidate, weights: Weights = UNCHANGED): Judgement {
  return verdictOr(() => [keyFinding(contract, { before, after }, weights)]);
}

function keyFinding(contract: Contract, { before, after }: KeyCandidate, weights: Weights): Finding {
  const columns = [...(before?.fields ?? []), ...after.fields].map(({ name }) => name);
  const isRead = columns.some((name) => reads(contract, name));
  const severity = isRead ? KEY_CHANGED.severity : "warning";
  const found: Finding = { rule: KEY_CHANGED.id, severity, ...keyChange(before, after) };
  return isRead ? reweigh(found, contract.severity, weights) : found;
}
