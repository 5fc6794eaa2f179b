import { CATALOGUE } from "../avro/meaning.ts";
import { nearestKey } from "../config/mistake.ts";

/** Why a rule's severity cannot be changed, continuing its name; undefined: it can. */
export function whyNotChangeable(rule: string): string | undefined {
  const ids = CATALOGUE.map(({ id }) => id);
  if (ids.some((id) => id === rule) || /^runtime\/[a-z0-9-]+$/.test(rule)) return undefined;
  if (/^(?:avro|contract)\//.test(rule)) {
    return "keeps its severity: what Avro or the contract's own lists refuse stays an error; only meaning/… and runtime/… rules can be changed";
  }
  const near = nearestKey(rule, ids) ?? nearestKey(`meaning/${rule}`, ids);
  return `is no rule whose severity can be changed${near === undefined ? "; `fieldgate rules` lists them" : ` (did you mean ${near}?)`}`;
}
