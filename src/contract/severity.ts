import type { Finding } from "../finding.ts";
import { CATALOGUE } from "../rules/meaning/meaning.ts";
import { nearestName } from "../mistake.ts";

/** Another severity than the catalogue's for a rule, for a while and with a reason. */
export interface SeverityChange {
  /** `meaning/…` or `runtime/…`. */
  readonly rule: string;
  /** As findings have it (`after.zip`) or as a row column (`zip`); undefined: of every field. */
  readonly field?: string | undefined;
  readonly severity: Finding["severity"];
  readonly reason: string;
  /** The last day on which it holds, in UTC: `2026-12-31`. */
  readonly until: string;
}

/** By what findings are weighed besides the catalogue and the contract. */
export interface Weights {
  /** The day of the verdict, in UTC: `2026-12-31`. What ends before it does not hold. */
  readonly day: string;
  /** What the connector's file changes; what the contract says itself comes first. */
  readonly changes: readonly SeverityChange[];
}

/** As the catalogue weighs them: no change holds on this day. */
export const UNCHANGED: Weights = { day: "9999-99-99", changes: [] };

/** The rules whose severity can be changed. What Avro or the contract's own lists refuse is not among them. */
export const CHANGEABLE = /^(?:meaning|runtime)\/[a-z0-9-]+$/;

/** The day of an ISO 8601 time in UTC. */
export function dayOf(time: string): string {
  return time.slice(0, 10);
}

/** The finding with the severity it has on that day, and why that is another than the catalogue's. */
export function reweighed(finding: Finding, own: readonly SeverityChange[] = [], weights: Weights): Finding {
  if (!CHANGEABLE.test(finding.rule)) return finding;
  const found = changeFor(finding, own, weights.day);
  const change = found ?? changeFor(finding, weights.changes, weights.day);
  if (change === undefined || change.severity === finding.severity) return finding;
  const { severity, until, reason } = change;
  const by = found === undefined ? " by the connector's file" : "";
  const said = `${severity === "error" ? "an error" : "a warning"} until ${until}${by}: ${reason}`;
  return { ...finding, severity, message: `${finding.message} (${said})` };
}

/** One that names the field comes before one that is of every field. */
function changeFor(finding: Finding, changes: readonly SeverityChange[], day: string): SeverityChange | undefined {
  const holding = changes.filter(({ rule, until }) => rule === finding.rule && until >= day);
  return (
    holding.find(({ field }) => field !== undefined && isOfField(finding, field)) ??
    holding.find(({ field }) => field === undefined)
  );
}

/** Is a finding about this field, named as findings have it or as a row column. */
export function isOfField(finding: Pick<Finding, "field">, field: string): boolean {
  return finding.field === field || finding.field === `after.${field}`;
}

/** Why a rule's severity cannot be changed, continuing its name; undefined: it can. */
export function whyNotChangeable(rule: string): string | undefined {
  const ids = CATALOGUE.map(({ id }) => id);
  if (ids.some((id) => id === rule) || /^runtime\/[a-z0-9-]+$/.test(rule)) return undefined;
  if (/^(?:avro|contract)\//.test(rule)) {
    return "keeps its severity: what Avro or the contract's own lists refuse stays an error; only meaning/… and runtime/… rules can be changed";
  }
  const near = nearestName(rule, ids) ?? nearestName(`meaning/${rule}`, ids);
  return `is no rule whose severity can be changed${near === undefined ? "; `fieldgate rules` lists them" : ` (did you mean ${near}?)`}`;
}
