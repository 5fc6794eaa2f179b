import type { Finding } from "../finding.ts";

const RULE = "contract/evidence-missing";

/** Something a verdict needs and does not have. A warning by itself; the verdict is `unknown`, which releases nothing. */
export function missingEvidence(message: string, remedy: string): Finding {
  return { rule: RULE, severity: "warning", certainty: "by-policy", message, remedy };
}

export function isEvidenceMissing({ rule }: Finding): boolean {
  return rule === RULE;
}
