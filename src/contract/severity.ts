import type { Finding } from "../finding.ts";
import { CATALOGUE } from "../rules/meaning/meaning.ts";
import { nearestName } from "../mistake.ts";

/** Overrides the catalogue's severity of a rule, with a reason and until a given day. */
export interface SeverityChange {
  /** `meaning/…` or `runtime/…`. */
  readonly rule: string;
  /** The field as findings name it (`after.zip`) or as a row column (`zip`); undefined means every field. */
  readonly field?: string | undefined;
  readonly severity: Finding["severity"];
  readonly reason: string;
  /** The last day on which it applies, in UTC: `2026-12-31`. */
  readonly until: string;
}

/** What determines severities besides the catalogue and the contract. */
export interface Weights {
  /** The day of the verdict, in UTC: `2026-12-31`. Overrides that end before it have expired. */
  readonly day: string;
  /** Overrides in the connector's file; those in the contract take precedence. */
  readonly changes: readonly SeverityChange[];
}

/** The catalogue's severities, without any override. */
export const UNCHANGED: Weights = { day: "9999-99-99", changes: [] };

/** Rules whose severity can be overridden. The rules of Avro and of the contract's own lists are not among them. */
export const CHANGEABLE = /^(?:meaning|runtime)\/[a-z0-9-]+$/;

/** The day of an ISO 8601 time in UTC. */
export function dayOf(time: string): string {
  return time.slice(0, 10);
}

/** Applies the overrides that are in force on that day to a finding; its message then gives the reason. */
export function reweigh(finding: Finding, own: readonly SeverityChange[] = [], weights: Weights): Finding {
  if (!CHANGEABLE.test(finding.rule)) return finding;
  const found = changeFor(finding, own, weights.day);
  const change = found ?? changeFor(finding, weights.changes, weights.day);
  if (change === undefined || change.severity === finding.severity) return finding;
  const { severity, until, reason } = change;
  const by = found === undefined ? " by the connector's file" : "";
  const override = `${severity === "error" ? "an error" : "a warning"} until ${until}${by}: ${reason}`;
  return { ...finding, severity, message: `${finding.message} (${override})` };
}

/** An override for the field takes precedence over one for every field. */
function changeFor(finding: Finding, changes: readonly SeverityChange[], day: string): SeverityChange | undefined {
  const current = changes.filter(({ rule, until }) => rule === finding.rule && until >= day);
  return (
    current.find(({ field }) => field !== undefined && isOfField(finding, field)) ??
    current.find(({ field }) => field === undefined)
  );
}

/**
 * True if a finding is about this field. `field` may be a path as in findings (`after.zip`) or a row column (`zip`).
 */
export function isOfField(finding: Pick<Finding, "field">, field: string): boolean {
  return finding.field === field || finding.field === `after.${field}`;
}

/** Why a rule's severity cannot be overridden, as a continuation of its name; undefined if it can. */
export function whyNotChangeable(rule: string): string | undefined {
  const ids = CATALOGUE.map(({ id }) => id);
  if (ids.some((id) => id === rule) || /^runtime\/[a-z0-9-]+$/.test(rule)) return undefined;
  if (/^(?:avro|contract)\//.test(rule)) {
    return "has a fixed severity: only meaning/… and runtime/… rules can be overridden; findings of Avro's rules and of the contract's own lists remain errors";
  }
  const near = nearestName(rule, ids) ?? nearestName(`meaning/${rule}`, ids);
  return `is not a rule whose severity can be changed${near === undefined ? "; `fieldgate rules` lists them" : ` (did you mean ${near}?)`}`;
}
