import type { Amendment } from "../amendment/amendment.ts";
import { blockedBy, type Decision, notReady, readyText } from "../decision/policy.ts";

const FIRST_ROW = "Debezium publishes it with the first row";

/**
 * watch: what becomes of an amendment that Debezium has not published yet. Nobody decides on it: `flows` says that it
 * will, `waits` that it cannot, or that nobody can tell.
 */
export function watched(amendment: Amendment): Decision {
  const { answer, kind, changes, verdicts } = amendment;
  if (answer?.kind === "refused" && answer.candidate !== undefined) {
    return waits(`Debezium's task stops at the first row: the registry refuses the schema: ${answer.why}`);
  }
  const waiting = notReady(verdicts);
  if (kind === "key") return comes(`${whoWaits(waiting)}${keyWhy(amendment)}`, waiting);
  const blocked = blockedBy(amendment);
  if (blocked !== undefined) return waits(blocked);
  if (changes.length > 0 && changes.every((change) => change === "labels")) {
    return comes("Debezium publishes rows with them at once; its schema lists them once it has started again");
  }
  if (waiting.length > 0) return comes(`${whoWaits(waiting)}${FIRST_ROW} all the same`, waiting);
  return comes(`${readyText(verdicts.length)}; ${FIRST_ROW}`);
}

function whoWaits(waiting: readonly string[]): string {
  return waiting.length === 0 ? "" : `not ready: ${waiting.join(", ")}; `;
}

function keyWhy({ key }: Amendment): string {
  return key === undefined || key.length === 0
    ? "Debezium publishes rows without a key from the first on"
    : "Debezium publishes rows by another key from the first on: they move to other partitions";
}

function comes(why: string, wouldHaveWaitedFor: readonly string[] = []): Decision {
  return { kind: "flows", why, wouldHaveWaitedFor };
}

function waits(why: string): Decision {
  return { kind: "waits", why };
}

/** Does Debezium's task stop at the first row that has it? The registry's level refuses what it would register. */
export function stopsDebezium({ answer }: Amendment): boolean {
  return answer?.kind === "refused" && answer.candidate !== undefined;
}

/** Is there something to do about it, before Debezium publishes it? */
export function asksSomebody({ answer, verdicts }: Amendment): boolean {
  return answer?.kind !== "fits" || notReady(verdicts).length > 0;
}
