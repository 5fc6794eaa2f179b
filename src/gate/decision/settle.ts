import { parseSchemaText } from "../../avro/schema-text.ts";
import type { Contract } from "../../contract/contract.ts";
import { judgeKey, parseKeyCandidate } from "../../contract/judge-key.ts";
import { judge, type Judgement, verdictOf } from "../../contract/judge.ts";
import { missingFinding, notJudgedFinding, unreadableFinding } from "../../contract/evidence.ts";
import { dayOf, type Weights } from "../../contract/severity.ts";
import { type Finding, keptFindings } from "../../finding.ts";
import { oncePer } from "../../once.ts";
import type { Amendment, Candidate, Verdict } from "../amendment/amendment.ts";
import { owesRows } from "../amendment/backfill.ts";
import { type Decision, mayFlow, type ReleasePolicy } from "./policy.ts";
import { alertKey, type Reason } from "./reason.ts";
import { contractsOn, evidenceAgainst, unnamedOn } from "../evidence/readers.ts";
import type { Rules, State, Decided, TableState, When } from "../state.ts";
import { watched } from "../watch/watched.ts";
import { andThen, findAmendment, step, withAmendment, withheldOf } from "../update.ts";

/**
 * Settles withheld amendments: judges the contracts and applies the policy again whenever something that matters has
 * changed.
 */

/**
 * Reconsiders a withheld amendment. Either its candidate is registered, or it remains withheld and people are
 * alerted to the reason.
 */
export function settle(rules: Rules, state: State, id: string, when: When): Decided {
  const found = findAmendment(state, id);
  if (found === undefined || found.amendment.gate.kind === "released") return step(state);
  // Only an operator can accept a replacement of the table.
  if (found.amendment.kind === "table") return step(state);
  const { table } = found;
  const amendment = { ...found.amendment, verdicts: weigh(rules, state, table, found.amendment, when) };
  if (rules.mode === "watch") return keptBack(state, amendment, watched(amendment).reason);
  const decision = decisionOn(rules, state, table, amendment);
  if (decision.kind === "flows" && amendment.answer?.kind === "fits") {
    const next = withAmendment(state, amendment);
    return step(next, { kind: "register", id, candidate: amendment.answer.candidate });
  }
  return keptBack(state, amendment, decision.reason);
}

/** Keeps the amendment withheld. People are alerted once the reason is known, and again when the reason changes. */
export function keptBack(state: State, amendment: Amendment, reason: Reason): Decided {
  const { id } = amendment;
  const gate = { kind: "withheld" as const, since: amendment.gate.since, time: amendment.gate.time, reason };
  const next = withAmendment(state, { ...amendment, gate });
  const silent = amendment.answer === undefined && amendment.unmapped === undefined && !amendment.gone;
  return silent || amendment.alerted?.key === alertKey({ gate }) ? step(next) : step(next, { kind: "alert", id });
}

/**
 * Decides whether the amendment, and every other amendment in its candidate, may flow. Fields whose names would collide
 * are released together, so withholding one withholds the others.
 */
export function decisionOn(rules: Rules, state: State, table: TableState, amendment: Amendment): Decision {
  const decision = decisionAlone(rules, state, table, amendment);
  if (decision.kind === "waits" || table.parked === undefined || amendment.answer?.kind !== "fits") return decision;
  // Parked changes have no values for added columns, so a candidate that only adds columns waits until the table is
  // no longer parked. Any other candidate may be exactly what they are waiting for.
  const members = [amendment, ...membersOf(table, amendment.answer.candidate)];
  return members.every(({ kind }) => kind === "added") ? waits({ kind: "table-parked" }) : decision;
}

function decisionAlone(rules: Rules, state: State, table: TableState, amendment: Amendment): Decision {
  const policy = policyOf(rules, amendment.topic);
  const keyless = table.shape.key.length === 0;
  const decision = mayFlow(policy, amendment, keyless, unnamedOn(rules, state, amendment.topic));
  if (decision.kind === "waits" || amendment.answer?.kind !== "fits") return decision;
  for (const other of membersOf(table, amendment.answer.candidate)) {
    if (other.order?.kind === "withhold") return waits({ kind: "member-withheld", id: other.id });
    if (policy === "manual" && other.order?.kind !== "release") {
      return waits({ kind: "member-not-released", id: other.id });
    }
    if (keyless && owesRows(other) && amendment.order?.kind !== "release") {
      return waits({ kind: "member-keyless", id: other.id });
    }
  }
  return decision;
}

function waits(reason: Reason): Decision {
  return { kind: "waits", reason };
}

/** The other amendments that a candidate releases. */
export function membersOf(table: TableState, { together }: Candidate): readonly Amendment[] {
  return table.amendments.filter(({ id }) => together.includes(id));
}

/** Settles every withheld amendment of a topic. */
export function settleTopic(rules: Rules, state: State, topic: string, when: When): Decided {
  const table = state.tables.get(topic);
  const waiting = table === undefined ? [] : withheldOf(table);
  return waiting.reduce((before, { id }) => andThen(before, (now) => settle(rules, now, id, when)), step(state));
}

export function policyOf(rules: Rules, topic: string): ReleasePolicy {
  return rules.policyOf.get(topic) ?? rules["fieldgate.release.policy"];
}

/**
 * Judges every contract of this environment on the topic against the amendment's candidate. `when` is the time of the
 * verdict; severity overrides that expired before it are ignored.
 */
export function weigh(
  rules: Rules,
  state: State,
  table: TableState,
  amendment: Amendment,
  { time }: Pick<When, "time">,
): readonly Verdict[] {
  const answer = amendment.answer;
  if (answer?.kind !== "fits" && answer?.kind !== "refused") return [];
  const contracts = contractsOn(rules, state, table.shape.topic);
  if (contracts.length === 0) return [];
  const judged = judging(table, answer.candidate, { day: dayOf(time), changes: rules.severity ?? [] });
  return contracts.map((contract) => {
    const { consumer, environment } = contract;
    const own = unknownOf(contract) ?? judged(contract).findings;
    const findings = [...own, ...evidenceAgainst(rules, state, contract)];
    const { verdict } = verdictOf(findings);
    return { consumer, environment, verdict, findings: keptFindings(findings) };
  });
}

/** Why nothing of what the contract says is known; undefined if it is. */
function unknownOf({ unreadable, missing }: Contract): readonly Finding[] | undefined {
  if (unreadable !== true) return undefined;
  return [missing === true ? missingFinding() : unreadableFinding()];
}

/** If the schemas themselves cannot be compared, every contract's verdict is unknown. */
function judging(table: TableState, candidate: Candidate, weights: Weights): (contract: Contract) => Judgement {
  try {
    return judgingOn(table, candidate, weights);
  } catch {
    return () => verdictOf([notJudgedFinding()]);
  }
}

function judgingOn({ shape }: TableState, candidate: Candidate, weights: Weights): (contract: Contract) => Judgement {
  if (candidate.part === "key") {
    const keys = parseKeyCandidate(shape.keySchema?.text, candidate.text);
    return (contract) => judgeKey(contract, keys, weights);
  }
  const asked = {
    topic: shape.topic,
    envelope: schemaOf(candidate),
    flowing: schemaOf(shape.valueSchema),
    added: candidate.added.map((name) => ({ name })),
    moved: candidate.moved,
  };
  return (contract) => judge(contract, asked, weights);
}

interface SchemaText {
  readonly text: string;
}

/** Parsed once: all candidates share the current schema, and all contracts share a candidate. */
const schemaOf = oncePer(({ text }: SchemaText) => parseSchemaText(text));
