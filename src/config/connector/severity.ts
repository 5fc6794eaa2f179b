import { dayOf, type SeverityChange, whyNotChangeable } from "../../contract/severity.ts";
import type { Mistake } from "../../mistake.ts";

/** `fieldgate.severity.<rule id>` gives a rule a different severity for every contract, until a day. */
export const SEVERITY_PREFIX = "fieldgate.severity.";

const FORM = /^\s*(error|warning) until (\d{4}-\d{2}-\d{2}): *(\S.*)$/;
const EXAMPLE = `"${SEVERITY_PREFIX}meaning/time-unit": "warning until 2026-12-31: readers take both"`;

/**
 * Reads the keys with that prefix, by rule. Each value must be `severity until day: reason`, and the rule must exist.
 */
export function severityChanges(
  given: Readonly<Record<string, unknown>>,
  mistakes: Mistake[],
): readonly SeverityChange[] {
  return Object.entries(given).flatMap(([rule, value]) => {
    const key = `${SEVERITY_PREFIX}${rule}`;
    const refused = whyNotChangeable(rule);
    const change = typeof value === "string" ? changeOf(rule, value) : undefined;
    if (refused !== undefined) mistakes.push({ key, reason: refused });
    else if (change === undefined)
      mistakes.push({ key, reason: "must give the severity, the last day and the reason", example: EXAMPLE });
    else return [change];
    return [];
  });
}

function changeOf(rule: string, text: string): SeverityChange | undefined {
  const [, severity, until, reason] = FORM.exec(text) ?? [];
  if (until === undefined || reason === undefined || !isDay(until)) return undefined;
  return { rule, severity: severity === "error" ? "error" : "warning", until, reason: reason.trim() };
}

/** True if the day exists. The 31st of February does not. */
function isDay(text: string): boolean {
  const time = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(time.getTime()) && dayOf(time.toISOString()) === text;
}
