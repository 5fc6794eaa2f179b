import { parseSchemaText } from "../../avro/schema-text.ts";
import type { Contract } from "../../contract/contract.ts";
import { judgeKey, parseKeyCandidate } from "../../contract/judge-key.ts";
import { checkFlowing, judge, type Judgement } from "../../contract/judge.ts";
import type { Weights } from "../../contract/severity.ts";
import type { Finding } from "../../finding.ts";
import type { TopicView } from "../../api/api.ts";
import type { AvroSchema } from "../../avro/schema.ts";
import { GuardError } from "../../errors.ts";

/**
 * Judges one contract against a topic: the current schema, older schemas whose events may still be read, and the
 * candidate of each withheld field.
 */

interface WithheldJudgement extends Judgement {
  readonly amendmentId: string;
  readonly field: string;
}

/** A contract's verdict for the current events of its topic, and for each withheld field. */
export interface TopicJudgement extends Judgement {
  readonly topic: string;
  readonly consumer: string;
  readonly withheld: readonly WithheldJudgement[];
}

/** `today` is a day in UTC, e.g. `2026-12-31`. Throws `schema-invalid` if a schema of the topic is not valid Avro. */
export function checkTopic(
  contract: Contract,
  { flowing, withheld, withheldKey, severity = [] }: TopicView,
  today: string,
): TopicJudgement {
  const { topic, consumer } = contract;
  const weights: Weights = { day: today, changes: severity };
  const schemas = flowing.map((one) => parseFlowing(topic, one));
  const newest = schemas.at(-1);
  if (newest === undefined) return { ...NOT_SEEN, topic, consumer, withheld: [] };
  const waiting = withheld.map(({ field }) => field);
  const now = checkFlowing(contract, newest, waiting, weights);
  // A consumer that decodes with the writer's schema reads an older event as it was written, without later columns.
  const older = contract.decodesWith === "writer" ? [] : schemas.slice(0, -1);
  const judged = joinJudgements(
    now,
    older.map((schema) => checkFlowing(contract, schema, waiting, weights)),
  );
  return {
    ...judged,
    topic,
    consumer,
    withheld: [
      ...withheld.map(({ amendmentId, field, candidate, added = [field], moved }) => {
        const newFields = { added: added.map((name) => ({ name })), moved };
        const next = { topic, envelope: parseSchemaText(candidate), ...newFields, flowing: newest };
        return { amendmentId, field, ...judge(contract, next, weights) };
      }),
      ...(withheldKey === undefined ? [] : [judgeWithheldKey(contract, withheldKey, weights)]),
    ],
  };
}

function judgeWithheldKey(
  contract: Contract,
  { amendmentId, field, flowing, candidate }: NonNullable<TopicView["withheldKey"]>,
  weights: Weights,
): WithheldJudgement {
  return { amendmentId, field, ...judgeKey(contract, parseKeyCandidate(flowing, candidate), weights) };
}

/**
 * Like `checkTopic`, for schemas that may not be in use yet. An unknown field that the consumer rejects is an error
 * here, because no running consumer shows that it copes with the field.
 */
export function checkFiles(contract: Contract, view: TopicView, today: string): TopicJudgement {
  const judged = checkTopic(contract, view, today);
  const findings = judged.findings.map((finding) =>
    finding.rule === "contract/unknown-field"
      ? { ...finding, severity: "error" as const, effect: "throws" as const }
      : finding,
  );
  const verdict = findings.some(({ severity }) => severity === "error") ? "not-ready" : judged.verdict;
  return { ...judged, verdict, findings };
}

/** The verdict for a topic without events. `check` exits with 100, as for any verdict `unknown`. */
const NOT_SEEN: Judgement = {
  verdict: "unknown",
  findings: [
    {
      rule: "topic/not-seen",
      severity: "warning",
      certainty: "always",
      message: "the topic has no events yet",
      remedy: "wait for its first row; `fieldgate check --against FILE` checks a schema that is not in use yet",
    },
  ],
};

/**
 * Adds findings from older schemas, because a reader's own schema must also read the older events that are still on the
 * topic.
 */
function joinJudgements(now: Judgement, older: readonly Judgement[]): Judgement {
  const known = new Set(now.findings.map(keyOf));
  const findings = [...now.findings];
  for (const finding of older.flatMap((judgement) => judgement.findings)) {
    if (known.has(keyOf(finding))) continue;
    known.add(keyOf(finding));
    findings.push({ ...finding, message: `${finding.message} (in events written with an earlier schema)` });
  }
  return { verdict: findings.some(({ severity }) => severity === "error") ? "not-ready" : now.verdict, findings };
}

function keyOf({ rule, field, message }: Finding): string {
  return JSON.stringify([rule, field, message]);
}

/** Parses a schema that is in use. Throws `schema-invalid`, naming topic and schema id, if it is not valid Avro. */
export function parseFlowing(topic: string, { schemaId, schema }: TopicView["flowing"][number]): AvroSchema {
  try {
    return parseSchemaText(schema);
  } catch (cause) {
    if (!(cause instanceof GuardError)) throw cause;
    throw new GuardError("schema-invalid", `schema ${schemaId} of ${topic}: ${cause.text}`, {
      next: "check the topic's name; only Avro schemas without references are supported, not Protobuf or JSON Schema",
      cause,
    });
  }
}
