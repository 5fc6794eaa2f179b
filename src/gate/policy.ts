import type { Amendment, Order, Verdict } from "./amendment.ts";
import { owesRows } from "./backfill.ts";

/** When a field may flow (`fieldgate.release.policy`). */
export type ReleasePolicy = "observe" | "contracts" | "manual";

/** May this amendment flow now? `why` is for people. */
export type Decision =
  | { readonly kind: "flows"; readonly why: string; readonly wouldHaveWaitedFor: readonly string[] }
  | { readonly kind: "waits"; readonly why: string };

/**
 * The one place that says whether an amendment may flow. Whatever is not known says no: not judged, registry silent,
 * a verdict unknown. `keyless`: the table has no key, so what is withheld now cannot be re-published later.
 */
export function mayFlow(policy: ReleasePolicy, amendment: Amendment, keyless: boolean): Decision {
  const blocked = blockedBy(amendment);
  if (blocked !== undefined) return waits(blocked);
  if (amendment.order?.kind === "withhold") return waits(`${amendment.order.actor} said withhold`);
  if (amendment.order?.kind === "release") return byOrder(policy, amendment, amendment.order);
  if (amendment.kind === "key") return waits(keyWaits(policy, amendment));
  if (isData(amendment)) return flows("an enum's label is data, which is never withheld", amendment);
  if (keyless && owesRows(amendment)) {
    return waits("the table has no key, so its values cannot be re-published: release it with --backfill none");
  }
  return byPolicy(policy, amendment);
}

/** A key is never let in by a policy alone. */
function keyWaits(policy: ReleasePolicy, { verdicts }: Amendment): string {
  const waiting = policy === "contracts" ? notReady(verdicts) : [];
  const ready = waiting.length === 0 ? "" : `; not ready: ${waiting.join(", ")} (until they are, with --force too)`;
  return `another key moves rows to other partitions: release it with --reason${ready}`;
}

/** Nothing but labels: rows with a new one flow already, only the schema does not list it. */
function isData({ changes }: Amendment): boolean {
  return changes.length > 0 && changes.every((change) => change === "labels");
}

/** An operator opens what no contract is asked about; against contracts only with force. */
function byOrder(policy: ReleasePolicy, amendment: Amendment, order: Order): Decision {
  const waiting = notReady(amendment.verdicts);
  if (policy === "contracts" && !order.force && waiting.length > 0) return waits(`not ready: ${waiting.join(", ")}`);
  return flows(`${order.actor} said release${order.reason === undefined ? "" : `: ${order.reason}`}`, amendment);
}

function byPolicy(policy: ReleasePolicy, amendment: Amendment): Decision {
  switch (policy) {
    case "observe":
      return flows("policy observe", amendment);
    case "manual":
      return waits("policy manual: an operator has to release it");
    case "contracts": {
      const waiting = notReady(amendment.verdicts);
      if (waiting.length > 0) return waits(`not ready: ${waiting.join(", ")}`);
      const count = amendment.verdicts.length;
      return flows(count === 0 ? "no contract on the topic" : `all ${count} contracts are ready`, amendment);
    }
    default:
      policy satisfies never;
      return waits("unknown policy");
  }
}

/** What no policy and no operator can overrule. */
export function blockedBy(amendment: Amendment): string | undefined {
  if (amendment.unmapped !== undefined) return amendment.unmapped.message;
  if (amendment.gone) return "the column is dropped again";
  const answer = amendment.answer;
  if (answer === undefined) return "not judged yet";
  if (answer.kind === "unanswered") return `the registry has not answered: ${answer.why}`;
  if (answer.kind !== "refused") return undefined;
  return answer.candidate === undefined ? answer.why : `the registry refuses the schema: ${answer.why}`;
}

/** Consumers whose verdict is not `ready`, by name. */
export function notReady(verdicts: readonly Verdict[]): readonly string[] {
  return verdicts.filter((verdict) => verdict.verdict !== "ready").map((verdict) => verdict.consumer);
}

function waits(why: string): Decision {
  return { kind: "waits", why };
}

function flows(why: string, amendment: Amendment): Decision {
  return { kind: "flows", why, wouldHaveWaitedFor: notReady(amendment.verdicts) };
}
