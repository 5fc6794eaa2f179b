import type { Amendment, Order, Verdict } from "../amendment/amendment.ts";
import { owesRows } from "../amendment/backfill.ts";
import { type Blocked, NOT_POLLED, type NotReady, type Reason, type Unnamed } from "./reason.ts";

/**
 * Decides whether an amendment may flow: by the release policies, the reasons that no policy can overrule, and the
 * consumers and groups that oppose a release.
 */

/** The policies for when a field may flow (`fieldgate.release.policy`). */
export type ReleasePolicy = (typeof RELEASE_POLICIES)[number];
export const RELEASE_POLICIES = ["observe", "contracts", "strict", "manual"] as const;

/** Whether the amendment may flow now, and why. */
export type Decision =
  | { readonly kind: "flows"; readonly reason: Reason; readonly wouldHaveWaitedFor: readonly string[] }
  | { readonly kind: "waits"; readonly reason: Reason };

/**
 * The only place that decides whether an amendment may flow. Anything unknown withholds it: it has not been judged, the
 * registry did not answer, a verdict is unknown, or the groups could not be read. `keyless`: the table has no key, so
 * values withheld now cannot be re-published later. `unnamed`: live groups of the topic that no contract names; they
 * matter only under the strict policy.
 */
export function mayFlow(
  policy: ReleasePolicy,
  amendment: Amendment,
  keyless: boolean,
  unnamed: Unnamed = NOT_POLLED,
): Decision {
  const { order } = amendment;
  const blocked = blockedBy(amendment);
  if (blocked !== undefined) return waits(blocked);
  if (order?.kind === "withhold") return waits({ kind: "operator-withheld", actor: order.actor });
  if (order?.kind === "release") return byOrder(policy, amendment, order, unnamed);
  // A policy alone never releases a key.
  if (amendment.kind === "key") {
    return waits({ kind: "key-changed", opposed: opposition(policy, amendment.verdicts, unnamed) });
  }
  if (isData(amendment)) return flows({ kind: "enum-labels" }, amendment);
  if (keyless && owesRows(amendment)) return waits({ kind: "keyless-backfill" });
  return byPolicy(policy, amendment, unnamed);
}

/** True if only labels changed. Rows with a new label flow already; only the schema does not list it yet. */
function isData({ changes }: Amendment): boolean {
  return changes.length > 0 && changes.every((change) => change === "labels");
}

/** An operator's release overrides the policy. It overrides consumers and groups that oppose it only with --force. */
function byOrder(policy: ReleasePolicy, amendment: Amendment, order: Order, unnamed: Unnamed): Decision {
  const opposed = order.force ? undefined : opposition(policy, amendment.verdicts, unnamed);
  if (opposed !== undefined) return waits(opposed);
  return flows({ kind: "released-by", actor: order.actor, reason: order.reason }, amendment);
}

function byPolicy(policy: ReleasePolicy, amendment: Amendment, unnamed: Unnamed): Decision {
  switch (policy) {
    case "observe":
      return flows({ kind: "policy-observe" }, amendment);
    case "manual":
      return waits({ kind: "policy-manual" });
    case "contracts":
    case "strict": {
      const opposed = opposition(policy, amendment.verdicts, unnamed);
      if (opposed !== undefined) return waits(opposed);
      return flows({ kind: "all-ready", count: amendment.verdicts.length, policy }, amendment);
    }
    default:
      return policy satisfies never;
  }
}

/**
 * The consumers and groups that the policy asks and that have not agreed; undefined if all of them agree. Under manual,
 * an operator decides when a field flows, but the contracts are asked as well.
 */
export function opposition(
  policy: ReleasePolicy,
  verdicts: readonly Verdict[],
  unnamed: Unnamed,
): NotReady | undefined {
  if (policy === "observe") return undefined;
  const consumers = notReady(verdicts);
  const groupsAgree = policy !== "strict" || (unnamed.kind === "known" && unnamed.groups.length === 0);
  if (groupsAgree) return consumers.length === 0 ? undefined : { kind: "not-ready", consumers };
  return { kind: "not-ready", consumers, unnamed };
}

/** Why no policy and no operator can release the amendment; undefined if nothing blocks it. */
export function blockedBy({ unmapped, gone, answer, column }: Amendment): Blocked | undefined {
  if (unmapped !== undefined) return { kind: "unmapped", type: column?.typeName ?? "" };
  if (gone) return { kind: "column-dropped-again" };
  if (answer === undefined) return { kind: "not-judged" };
  switch (answer.kind) {
    case "fits":
      return undefined;
    case "refused":
      return { kind: "registry-refused", text: answer.text };
    case "no-candidate":
      return answer.why;
    case "unanswered":
      return { kind: "registry-unanswered", code: answer.code, text: answer.text };
    default:
      return answer satisfies never;
  }
}

/** The names of the consumers whose verdict is not `ready`. */
export function notReady(verdicts: readonly Verdict[]): readonly string[] {
  return verdicts.filter((verdict) => verdict.verdict !== "ready").map((verdict) => verdict.consumer);
}

function waits(reason: Reason): Decision {
  return { kind: "waits", reason };
}

function flows(reason: Reason, amendment: Amendment): Decision {
  return { kind: "flows", reason, wouldHaveWaitedFor: notReady(amendment.verdicts) };
}
