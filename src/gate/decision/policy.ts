import { type Amendment, NOT_LOOKED, type Order, type Unnamed, type Verdict } from "../amendment/amendment.ts";
import { owesRows } from "../amendment/backfill.ts";

/** When a field may flow (`fieldgate.release.policy`). */
export type ReleasePolicy = "observe" | "contracts" | "strict" | "manual";

/** May this amendment flow now? `why` is for people. */
export type Decision =
  | { readonly kind: "flows"; readonly why: string; readonly wouldHaveWaitedFor: readonly string[] }
  | {
      readonly kind: "waits";
      readonly why: string;
      /** Of strict: the groups it waits for, or why nobody knows. */
      readonly unnamed?: Unnamed | undefined;
    };

/**
 * The one place that says whether an amendment may flow. Whatever is not known says no: not judged, registry silent,
 * a verdict unknown, no look at the groups. `keyless`: the table has no key, so what is withheld now cannot be
 * re-published later. `unnamed`: live groups of the topic that no contract names; only strict asks.
 */
export function mayFlow(
  policy: ReleasePolicy,
  amendment: Amendment,
  keyless: boolean,
  unnamed: Unnamed = NOT_LOOKED,
): Decision {
  const blocked = blockedBy(amendment);
  if (blocked !== undefined) return waits(blocked);
  if (amendment.order?.kind === "withhold") return waits(`${amendment.order.actor} said withhold`);
  if (amendment.order?.kind === "release") return byOrder(policy, amendment, amendment.order, unnamed);
  if (amendment.kind === "key") return waits(keyWaits(policy, amendment, unnamed));
  if (isData(amendment)) return flows("an enum's label is data, which is never withheld", amendment);
  if (keyless && owesRows(amendment)) {
    return waits("the table has no key, so its values cannot be re-published: release it with --backfill none");
  }
  return byPolicy(policy, amendment, unnamed);
}

/** A key is never let in by a policy alone. */
function keyWaits(policy: ReleasePolicy, { verdicts }: Amendment, unnamed: Unnamed): string {
  const opposed = opposition(policy, verdicts, unnamed);
  const ready = opposed === undefined ? "" : `; ${opposed.why} (until they are, with --force too)`;
  return `another key moves rows to other partitions: release it with --reason${ready}`;
}

/** Nothing but labels: rows with a new one flow already, only the schema does not list it. */
function isData({ changes }: Amendment): boolean {
  return changes.length > 0 && changes.every((change) => change === "labels");
}

/** An operator opens what no contract is asked about; against who is asked only with force. */
function byOrder(policy: ReleasePolicy, amendment: Amendment, order: Order, unnamed: Unnamed): Decision {
  const opposed = order.force ? undefined : opposition(policy, amendment.verdicts, unnamed);
  if (opposed !== undefined) return opposed;
  return flows(`${order.actor} said release${order.reason === undefined ? "" : `: ${order.reason}`}`, amendment);
}

function byPolicy(policy: ReleasePolicy, amendment: Amendment, unnamed: Unnamed): Decision {
  switch (policy) {
    case "observe":
      return flows("policy observe", amendment);
    case "manual":
      return waits("policy manual: an operator has to release it");
    case "contracts":
    case "strict": {
      const opposed = opposition(policy, amendment.verdicts, unnamed);
      if (opposed !== undefined) return opposed;
      const ready = readyText(amendment.verdicts.length);
      return flows(policy === "strict" ? `${ready}, and no live group that none names` : ready, amendment);
    }
    default:
      policy satisfies never;
      return waits("unknown policy");
  }
}

/** Who is asked and has not agreed; undefined: nobody. */
export function opposition(
  policy: ReleasePolicy,
  verdicts: readonly Verdict[],
  unnamed: Unnamed,
): Extract<Decision, { kind: "waits" }> | undefined {
  if (policy !== "contracts" && policy !== "strict") return undefined;
  const waiting = notReady(verdicts);
  const groups = policy === "strict" ? unnamedWhy(unnamed) : undefined;
  if (waiting.length === 0 && groups === undefined) return undefined;
  const ready = waiting.length === 0 ? [] : [`not ready: ${waiting.join(", ")}`];
  return { ...waits([...ready, groups ?? []].flat().join("; ")), unnamed: groups === undefined ? undefined : unnamed };
}

function unnamedWhy(unnamed: Unnamed): string | undefined {
  if (unnamed.kind === "unknown") return `not known who reads the topic: ${unnamed.why}`;
  return unnamed.groups.length === 0 ? undefined : `no contract names the live groups ${unnamed.groups.join(", ")}`;
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

/** Nobody of so many contracts minds. */
export function readyText(count: number): string {
  if (count === 0) return "no contract on the topic";
  return count === 1 ? "the one contract is ready" : `all ${count} contracts are ready`;
}

/** Consumers whose verdict is not `ready`, by name. */
export function notReady(verdicts: readonly Verdict[]): readonly string[] {
  return verdicts.filter((verdict) => verdict.verdict !== "ready").map((verdict) => verdict.consumer);
}

function waits(why: string) {
  return { kind: "waits", why } as const;
}

function flows(why: string, amendment: Amendment): Decision {
  return { kind: "flows", why, wouldHaveWaitedFor: notReady(amendment.verdicts) };
}
