import type { Amendment } from "../amendment/amendment.ts";
import { blockedBy, type Decision, notReady } from "../decision/policy.ts";
import type { Reason } from "../decision/reason.ts";

/**
 * Predicts what Debezium will do with an amendment that it has not published yet; Fieldgate has no say in it. `flows`
 * means that Debezium will publish the change. `waits` means that its task will stop, or that the outcome is unknown.
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

/**
 * True if the first row with this change will stop Debezium's task, because the subject's level rejects the schema that
 * Debezium would register.
 */
export function stopsDebezium({ answer }: Amendment): boolean {
  return answer?.kind === "refused";
}

/** True if someone should act before Debezium publishes the change. */
export function asksSomebody({ answer, verdicts }: Amendment): boolean {
  return answer?.kind !== "fits" || notReady(verdicts).length > 0;
}
