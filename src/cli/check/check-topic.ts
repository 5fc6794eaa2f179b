import { parseSchemaText } from "../../avro/schema-text.ts";
import type { Contract } from "../../contract/contract.ts";
import { judgeKey, keyCandidateOf } from "../../contract/judge-key.ts";
import { checkFlowing, judge, type Judgement } from "../../contract/judge.ts";
import type { Weights } from "../../contract/severity.ts";
import type { Finding } from "../../finding.ts";
import type { TopicView } from "../../api/api.ts";
import type { AvroSchema } from "../../avro/schema.ts";
import { GuardError } from "../../errors.ts";

interface WithheldJudgement extends Judgement {
  readonly amendmentId: string;
  readonly field: string;
}

/** One contract against what its topic carries now, and against each field that is kept out of it. */
export interface TopicJudgement extends Judgement {
  readonly topic: string;
  readonly consumer: string;
  readonly withheld: readonly WithheldJudgement[];
}

/** `today`, in UTC, as 2026-12-31. Throws `schema-invalid` when a schema of the topic is none. */
export function checkTopic(
  contract: Contract,
  { flowing, withheld, withheldKey, severity = [] }: TopicView,
  today: string,
): TopicJudgement {
  const { topic, consumer } = contract;
  const weights: Weights = { day: today, changes: severity };
  const schemas = flowing.map((one) => flowingSchema(topic, one));
  const newest = schemas.at(-1);
  if (newest === undefined) return { ...unseen(`nothing has flowed on ${topic} yet`), topic, consumer, withheld: [] };
  const waiting = withheld.map(({ field }) => field);
  const now = checkFlowing(contract, newest, waiting, weights);
  // With the writer's schema an older event is read as it was written: a column that came later is not in it.
  const older = contract.decodesWith === "writer" ? [] : schemas.slice(0, -1);
  const judged = joined(
    now,
    older.map((schema) => checkFlowing(contract, schema, waiting, weights)),
  );
  return {
    ...judged,
    topic,
    consumer,
    withheld: [
      ...withheld.map(({ amendmentId, field, candidate, added = [field], moved }) => {
        const brings = { added: added.map((name) => ({ name })), moved };
        const next = { topic, envelope: parseSchemaText(candidate), ...brings, flowing: newest };
        return { amendmentId, field, ...judge(contract, next, weights) };
      }),
      ...(withheldKey === undefined ? [] : [judgedKey(contract, withheldKey, weights)]),
    ],
  };
}

function judgedKey(
  contract: Contract,
  { amendmentId, field, flowing, candidate }: NonNullable<TopicView["withheldKey"]>,
  weights: Weights,
): WithheldJudgement {
  return { amendmentId, field, ...judgeKey(contract, keyCandidateOf(flowing, candidate), weights) };
}

/**
 * The same against schemas that need not flow yet, so that nothing shows that the consumer lives with what it rejects:
 * a field it does not name is an error.
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

/** What cannot be told apart from trouble: exit 100, as any verdict `unknown`. */
function unseen(message: string): Judgement {
  const remedy = "wait for its first row; `fieldgate check --against FILE` tests a schema that does not flow yet";
  const finding: Finding = { rule: "topic/not-seen", severity: "warning", certainty: "always", message, remedy };
  return { verdict: "unknown", findings: [finding] };
}

/** Older events may still be read: a reader's own schema must read them too. */
function joined(now: Judgement, before: readonly Judgement[]): Judgement {
  const known = new Set(now.findings.map(keyOf));
  const findings = [...now.findings];
  for (const finding of before.flatMap((judgement) => judgement.findings)) {
    if (known.has(keyOf(finding))) continue;
    known.add(keyOf(finding));
    findings.push({ ...finding, message: `${finding.message} (in events written with an earlier schema)` });
  }
  return { verdict: findings.some(({ severity }) => severity === "error") ? "not-ready" : now.verdict, findings };
}

function keyOf({ rule, field, message }: Finding): string {
  return JSON.stringify([rule, field, message]);
}

/** One of a topic's schemas; throws `schema-invalid`, naming topic and schema id, when it is none of Avro's. */
export function flowingSchema(topic: string, { schemaId, schema }: TopicView["flowing"][number]): AvroSchema {
  try {
    return parseSchemaText(schema);
  } catch (cause) {
    if (!(cause instanceof GuardError)) throw cause;
    throw new GuardError("schema-invalid", `the schema of ${topic}, id ${schemaId}: ${cause.text}`, {
      next: "check the topic's name: only Avro is judged, in one piece (no Protobuf, no JSON Schema, no references)",
      cause,
    });
  }
}
