import type { Report } from "./report.ts";

/** Described by `schemas/check.schema.json`. */
export function formatJson(report: Report): string {
  return JSON.stringify(report, null, 2);
}
