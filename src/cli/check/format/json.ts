import type { Report } from "./report.ts";

/** `schemas/check.schema.json` describes it. */
export function formatJson(report: Report): string {
  return JSON.stringify(report, null, 2);
}
