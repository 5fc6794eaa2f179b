import type { Amendment, Answer, Unnamed } from "../amendment/amendment.ts";
import { mayFlow, notReady, type ReleasePolicy } from "./policy.ts";
import { unnamedOn } from "../evidence/readers.ts";
import { decisionOn } from "./settle.ts";
import type { Rules, State, TableState } from "../state.ts";

/** What another policy would have made of an amendment. `unknown`: what it would have asked is not recorded. */
export interface WhatIf {
  readonly kind: "flows" | "waits" | "unknown";
  readonly why: string;
  /** Consumers, groups, or an operator. */
  readonly waitsFor: readonly string[];
}

const NOT_RECORDED: Unnamed = { kind: "unknown", why: "its release did not record who read the topic" };

/** It flowed, so the registry took it; what the schema was decides nothing. */
const TOOK: Answer = {
  kind: "fits",
  candidate: { part: "value", added: [], moved: [], text: "", hash: "", widened: undefined, together: [] },
};

/**
 * The same decision under another policy: a withheld amendment as things are now, a released one by the verdicts, the
 * order and the groups of its release.
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
    return gate.kind === "released" ? flows(gate.why) : waits("under every policy an operator has to say so", OPERATOR);
  }
  const released = gate.kind === "released";
  const unnamed = released ? (gate.unnamed ?? NOT_RECORDED) : unnamedOn(rules, state, amendment.topic);
  const decision = released
    ? mayFlow(policy, { ...amendment, gone: false, answer: TOOK }, table.shape.key.length === 0, unnamed)
    : decisionOn({ ...rules, "fieldgate.release.policy": policy, policyOf: new Map() }, state, table, amendment);
  if (decision.kind === "flows") return flows(decision.why);
  const consumers = policy === "contracts" || policy === "strict" ? notReady(verdicts) : [];
  const groups = decision.unnamed?.kind === "known" ? decision.unnamed.groups : [];
  if (decision.unnamed?.kind === "unknown" && consumers.length === 0) {
    return { kind: "unknown", why: decision.why, waitsFor: [] };
  }
  const asked = [...new Set([...consumers, ...groups])];
  return waits(decision.why, asked.length === 0 && policy === "manual" ? OPERATOR : asked);
}

const OPERATOR = ["an operator"];

function flows(why: string): WhatIf {
  return { kind: "flows", why, waitsFor: [] };
}

function waits(why: string, waitsFor: readonly string[]): WhatIf {
  return { kind: "waits", why, waitsFor };
}
