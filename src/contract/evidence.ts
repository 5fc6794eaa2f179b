import type { Finding } from "../finding.ts";

const RULE = "contract/evidence-missing";
const OTHER_SCHEMA = "contract/other-schema";
export const STALE = "contract/stale";

const DAY_MS = 86_400_000;

/** Something a verdict needs and does not have. A warning by itself; the verdict is `unknown`, which releases nothing. */
export function missingEvidence(message: string, remedy: string): Finding {
  return { rule: RULE, severity: "warning", certainty: "by-policy", message, remedy };
}

/** Members announce a schema that no version of the contract has: nobody judged what they read with. */
export function isOtherSchema(group: string, others: number, members: number): Finding {
  const message = `${others} of ${members} members of ${group} read with another schema than the contract's`;
  const remedy = "run `fieldgate publish` with the version that runs, or `--rolling-out` while several do";
  return { rule: OTHER_SCHEMA, severity: "warning", certainty: "by-policy", message, remedy };
}

/** None of the contract's groups was seen to read for so long. The verdict stays as it is. */
export function isStale(groups: readonly string[], ms: number): Finding {
  const long = ms >= DAY_MS ? `${Math.floor(ms / DAY_MS)} days` : `${Math.floor(ms / 1000)} s`;
  const message = `nobody was seen reading the topic as ${groups.join(" or ")} for ${long}; the contract counts all the same`;
  const remedy = "name the consumer's Kafka groups in `groups`; if it is gone, it counts until `fieldgate retire`";
  return { rule: STALE, severity: "warning", certainty: "by-policy", message, remedy };
}

export function isEvidenceMissing({ rule }: Finding): boolean {
  return rule === RULE || rule === OTHER_SCHEMA;
}
