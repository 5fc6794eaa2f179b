import type { Amendment, RegistryAnswer } from "../amendment/amendment.ts";
import { mayFlow, notReady, type ReleasePolicy } from "./policy.ts";
import type { Reason, Unnamed } from "./reason.ts";
import { unnamedOn } from "../evidence/readers.ts";
import { decisionOn } from "./settle.ts";
import type { Rules, State, TableState } from "../state.ts";

/**
 * What another policy would have decided about an amendment. `unknown`: the groups that it would have asked about are
 * not recorded.
 */
export interface WhatIf {
  readonly kind: "flows" | "waits" | "unknown";
  readonly reason: Reason;
  /** Names of consumers and groups, or "an operator". */
  readonly waitsFor: readonly string[];
}

const NOT_RECORDED: Unnamed = { kind: "unknown", why: { kind: "not-recorded" } };

/** It flowed, so the registry accepted it; the schema itself does not affect the decision. */
const TOOK: RegistryAnswer = {
  kind: "fits",
  candidate: { part: "value", added: [], moved: [], text: "", hash: "", widened: undefined, together: [] },
};

/**
 * Decides about the amendment under another policy. For a withheld amendment the present facts count; for a released
 * one, the verdicts, the order and the groups at the time of its release.
 */
export function underPolicy(
  policy: ReleasePolicy,
  rules: Rules,
  state: State,
  table: TableState,
  amendment: Amendment,
): WhatIf {
  const { gate, verdicts } = amendment;
  if (amendment.kind === "table") {
    return gate.kind === "released" ? flows(gate.reason) : waits({ kind: "table-replaced" }, OPERATOR);
  }
  const released = gate.kind === "released";
  const unnamed = released ? (gate.unnamed ?? NOT_RECORDED) : unnamedOn(rules, state, amendment.topic);
  const decision = released
    ? mayFlow(policy, { ...amendment, gone: false, answer: TOOK }, table.shape.key.length === 0, unnamed)
    : decisionOn({ ...rules, "fieldgate.release.policy": policy, policyOf: new Map() }, state, table, amendment);
  if (decision.kind === "flows") return flows(decision.reason);
  const { reason } = decision;
  const asks = policy === "contracts" || policy === "strict" || reason.kind === "not-ready";
  const consumers = asks ? notReady(verdicts) : [];
  const waitedFor = reason.kind === "not-ready" ? reason.unnamed : undefined;
  const groups = waitedFor?.kind === "known" ? waitedFor.groups : [];
  if (waitedFor?.kind === "unknown" && consumers.length === 0) {
    return { kind: "unknown", reason, waitsFor: [] };
  }
  const asked = [...new Set([...consumers, ...groups])];
  return waits(reason, asked.length === 0 && policy === "manual" ? OPERATOR : asked);
}

const OPERATOR = ["an operator"];

function flows(reason: Reason): WhatIf {
  return { kind: "flows", reason, waitsFor: [] };
}

function waits(reason: Reason, waitsFor: readonly string[]): WhatIf {
  return { kind: "waits", reason, waitsFor };
}
