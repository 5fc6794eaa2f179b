import type { Report } from "./report.ts";

/** `schemas/check.schema.json` describes the output. */
export function formatJson(report: Report): string {
  return JSON.stringify(report, null, 2);
}
