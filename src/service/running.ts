import type { OpenDesk } from "./control-topics.ts";
import type { Look } from "../gate/evidence/evidence.ts";
import { evidenceAfter } from "../gate/evidence/groups.ts";
import { unnamedOn } from "../gate/evidence/readers.ts";
import type { Mode, Rules, State } from "../gate/state.ts";
import type { Status } from "../guard/outside.ts";
import type { Planner } from "./plan.ts";
import type { JobWatch } from "./progress.ts";

/** One connector as it runs in this process. */
export interface Running {
  readonly name: string;
  readonly mode: Mode;
  status: Status;
  /** The state of the last commit; undefined before the first. */
  state: State | undefined;
  readonly jobs: JobWatch;
  last: { readonly endLsn: string; readonly commitTime: string | null } | undefined;
}

/** What the process knows of its connectors. */
export interface Known {
  readonly connectors: readonly Running[];
  /** What each connector decides by, by its name. */
  readonly planners: ReadonlyMap<string, Omit<Planner, "name" | "state">>;
  readonly desk: Pick<OpenDesk, "contracts">;
  readonly lastLook: () => Look | undefined;
}

/** What one connector decides by, and what it knows at this moment. */
export interface KnownNow {
  readonly rules: Rules;
  readonly state: State;
}

/**
 * The state is of the last commit: an idle connector has not committed since a contract came or somebody looked at the
 * groups. undefined: it has not read its state yet.
 */
export function knownNow({ planners, desk, lastLook }: Known, { name, state }: Running): KnownNow | undefined {
  const rules = planners.get(name)?.rules;
  if (rules === undefined || state === undefined) return undefined;
  const now = { ...state, contracts: desk.contracts() };
  const look = lastLook();
  return { rules, state: look === undefined ? now : { ...now, evidence: evidenceAfter(rules, now, look) } };
}

/** Live groups of a topic that no contract names, as far as anybody could look. */
export function unnamedGroups(known: Known, topic: string): readonly string[] {
  for (const running of known.connectors) {
    if (running.state?.tables.has(topic) !== true) continue;
    const now = knownNow(known, running);
    const unnamed = now && unnamedOn(now.rules, now.state, topic);
    return unnamed?.kind === "known" ? unnamed.groups : [];
  }
  return [];
}
