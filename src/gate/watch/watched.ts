import type { Amendment } from "../amendment/amendment.ts";
import { blockedBy, type Decision, notReady } from "../decision/policy.ts";
import type { Reason } from "../decision/reason.ts";

/**
 * watch: what will happen to an amendment that Debezium has not published yet. Nothing decides it: `flows` says that
 * Debezium will publish it, `waits` that its task stops, or that it is not known.
 */
export function watched(amendment: Amendment): Decision {
  const { answer, kind, key = [], changes, verdicts } = amendment;
  if (answer?.kind === "refused") return { kind: "waits", reason: { kind: "debezium-stops", text: answer.text } };
  const consumers = notReady(verdicts);
  if (kind === "key") return flows({ kind: "debezium-key", consumers, keyless: key.length === 0 }, consumers);
  const blocked = blockedBy(amendment);
  if (blocked !== undefined) return { kind: "waits", reason: blocked };
  if (changes.length > 0 && changes.every((change) => change === "labels"))
    return flows({ kind: "debezium-labels" }, []);
  if (consumers.length > 0) return flows({ kind: "debezium-next-row-anyway", consumers }, consumers);
  return flows({ kind: "debezium-next-row", contracts: verdicts.length }, []);
}

function flows(reason: Reason, wouldHaveWaitedFor: readonly string[]): Decision {
  return { kind: "flows", reason, wouldHaveWaitedFor };
}

/** Does Debezium's task stop at the first row that has it? The registry's level rejects what it would register. */
export function stopsDebezium({ answer }: Amendment): boolean {
  return answer?.kind === "refused";
}

/** Should someone act before Debezium publishes it? */
export function asksSomebody({ answer, verdicts }: Amendment): boolean {
  return answer?.kind !== "fits" || notReady(verdicts).length > 0;
}
