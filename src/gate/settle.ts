import { parseSchemaText } from "../avro/parse.ts";
import { judge } from "../contract/judge.ts";
import type { Amendment, Candidate, Verdict } from "./amendment.ts";
import { owesRows } from "./backfill.ts";
import { type Decision, mayFlow, type ReleasePolicy } from "./policy.ts";
import type { Rules, State, Step, TableState } from "./state.ts";
import { watched } from "./watched.ts";
import { andThen, findAmendment, step, withAmendment, withheldOf } from "./update.ts";

/** Judges a withheld amendment anew and says what follows: register it, or keep it back and tell people why. */
export function settle(rules: Rules, state: State, id: string): Step {
  const found = findAmendment(state, id);
  if (found === undefined || found.amendment.gate.kind === "released") return step(state);
  // Another table waits for a person's word alone.
  if (found.amendment.kind === "table") return step(state);
  const { table } = found;
  const amendment = { ...found.amendment, verdicts: weigh(rules, state, table, found.amendment) };
  if (rules.mode === "watch") return keptBack(state, amendment, watched(amendment).why);
  const decision = decisionOn(rules, table, amendment);
  if (decision.kind === "flows" && amendment.answer?.kind === "fits") {
    const next = withAmendment(state, amendment);
    return step(next, { kind: "register", id, candidate: amendment.answer.candidate });
  }
  return keptBack(state, amendment, decision.why);
}

/** It does not flow; people are told why once that is known, and again when it is another reason. */
function keptBack(state: State, amendment: Amendment, why: string): Step {
  const { id } = amendment;
  const { since, time } = amendment.gate;
  const gate = { kind: "withheld" as const, since, time, why };
  const next = withAmendment(state, { ...amendment, gate });
  const silent = amendment.answer === undefined && amendment.unmapped === undefined && !amendment.gone;
  return silent || amendment.told === tellText({ ...amendment, gate }) ? step(next) : step(next, { kind: "tell", id });
}

/**
 * May it flow, and all that is in its candidate with it? Fields whose names would collide are released together, so
 * one that is kept back keeps back the other.
 */
export function decisionOn(rules: Rules, table: TableState, amendment: Amendment): Decision {
  const policy = policyOf(rules, amendment.topic);
  const keyless = table.shape.key.length === 0;
  const decision = mayFlow(policy, amendment, keyless);
  if (decision.kind === "waits" || amendment.answer?.kind !== "fits") return decision;
  for (const other of membersOf(table, amendment.answer.candidate)) {
    if (other.order?.kind === "withhold") return { kind: "waits", why: `${other.id} is withheld, and goes with it` };
    if (policy === "manual" && other.order?.kind !== "release") {
      return { kind: "waits", why: `it goes together with ${other.id}: release both` };
    }
    if (keyless && owesRows(other) && amendment.order?.kind !== "release") {
      return { kind: "waits", why: `it goes together with ${other.id}, whose values cannot be re-published` };
    }
  }
  return decision;
}

/** The other amendments a candidate releases. */
export function membersOf(table: TableState, { together }: Candidate): readonly Amendment[] {
  return table.amendments.filter(({ id }) => together.includes(id));
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
  if (answer === undefined || answer.kind === "unanswered" || answer.candidate === undefined) return [];
  return answer.candidate.part === "key" ? [] : verdicts(rules, state, table, answer.candidate);
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
    added: candidate.added.map((name) => ({ name })),
    moved: candidate.moved,
  };
  return contracts.map((contract) => ({
    consumer: contract.consumer,
    environment: contract.environment,
    ...judge(contract, asked),
  }));
}
