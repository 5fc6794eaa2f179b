import { parseSchemaText } from "../avro/parse.ts";
import { judge } from "../contract/judge.ts";
import type { Amendment, Candidate, Verdict } from "./amendment.ts";
import { mayFlow, type ReleasePolicy } from "./policy.ts";
import type { Rules, State, Step, TableState } from "./state.ts";
import { andThen, findAmendment, step, withAmendment, withheldOf } from "./update.ts";

/** Judges a withheld amendment anew and says what follows: register it, or keep it back and tell people why. */
export function settle(rules: Rules, state: State, id: string): Step {
  const found = findAmendment(state, id);
  if (found === undefined || found.amendment.gate.kind === "released") return step(state);
  const { table } = found;
  const amendment = { ...found.amendment, verdicts: weigh(rules, state, table, found.amendment) };
  const decision = mayFlow(policyOf(rules, amendment.topic), amendment, table.shape.key.length === 0);
  if (decision.kind === "flows" && amendment.answer?.kind === "fits") {
    const next = withAmendment(state, amendment);
    return step(next, { kind: "register", id, candidate: amendment.answer.candidate });
  }
  const gate = { ...amendment.gate, kind: "withheld" as const, why: decision.why };
  const next = withAmendment(state, { ...amendment, gate });
  const silent = amendment.answer === undefined && amendment.unmapped === undefined && !amendment.gone;
  return silent || amendment.told === tellText({ ...amendment, gate }) ? step(next) : step(next, { kind: "tell", id });
}

/** Settles whatever waits on a topic. */
export function settleTopic(rules: Rules, state: State, topic: string): Step {
  const table = state.tables.get(topic);
  const waiting = table === undefined ? [] : withheldOf(table);
  return waiting.reduce((before, { id }) => andThen(before, (now) => settle(rules, now, id)), step(state));
}

export function policyOf(rules: Rules, topic: string): ReleasePolicy {
  return rules.policyOf.get(topic) ?? rules.policy;
}

/** What people are told of an amendment; another text is news. */
export function tellText(amendment: Amendment): string {
  return `${amendment.gate.kind}: ${amendment.gate.why}`;
}

/** Every contract of this environment on the topic, judged on the amendment's candidate. */
export function weigh(rules: Rules, state: State, table: TableState, amendment: Amendment): readonly Verdict[] {
  const answer = amendment.answer;
  if (answer === undefined || answer.kind === "unanswered") return [];
  return verdicts(rules, state, table, answer.candidate);
}

function verdicts(rules: Rules, state: State, table: TableState, candidate: Candidate): readonly Verdict[] {
  const contracts = [...state.contracts.values()].filter(
    (contract) => contract.topic === table.shape.topic && contract.environment === rules.environment,
  );
  if (contracts.length === 0) return [];
  const asked = {
    topic: table.shape.topic,
    envelope: parseSchemaText(candidate.text),
    flowing: parseSchemaText(table.shape.valueSchema.text),
    added: [{ name: candidate.field.name }],
  };
  return contracts.map((contract) => ({
    consumer: contract.consumer,
    environment: contract.environment,
    ...judge(contract, asked),
  }));
}
