import type { CaptureFilter } from "../capture/lists.ts";
import type { ControlTopics } from "./control-topics.ts";
import type { ErrorCode } from "../errors.ts";
import type { GroupPoll } from "../gate/evidence/evidence.ts";
import { evidenceAfter } from "../gate/evidence/groups.ts";
import { unnamedOn } from "../gate/evidence/readers.ts";
import type { Mode, Rules, State } from "../gate/state.ts";
import type { NotCaptured, Status, TableWarning } from "../guard/outside.ts";
import type { Waits } from "../guard/waits.ts";
import type { Planner } from "./plan.ts";
import type { JobTracker } from "./progress.ts";

/** One connector of this process. */
export interface RunningConnector {
  readonly name: string;
  readonly mode: Mode;
  status: Status;
  /** The state of the last commit; undefined until the connector has read its state. */
  state: State | undefined;
  readonly publication: string;
  readonly filter: CaptureFilter;
  /** Tables that the connector's file captures but that cannot be captured yet. */
  notCaptured: readonly NotCaptured[];
  warnings: readonly TableWarning[];
  readonly jobs: JobTracker;
  readonly waits: Waits;
  failing: Failing | undefined;
  /** Since when it has been stopped or streaming, in milliseconds of `performance.now()`; undefined while it is not. */
  stoppedAt: number | undefined;
  streamingSince: number | undefined;
  /** The sessions that cause the oldest wait, when it was last checked, as one line per session for people to read. */
  causes: readonly string[];
  last: { readonly endLsn: string; readonly commitTime: string | null } | undefined;
}

/** Failures that no undisturbed work has followed yet. Times are milliseconds of `performance.now()`. */
export interface Failing {
  /** When the first of them ended a session, and when the last one did. */
  readonly since: number;
  readonly last: number;
  readonly problem: {
    readonly code: ErrorCode | undefined;
    readonly what: string;
    readonly next: string | undefined;
  };
}

/** All connectors of this process, and what they share. */
export interface RunningConnectors {
  readonly connectors: readonly RunningConnector[];
  /** By the connector's name. */
  readonly planners: ReadonlyMap<string, Pick<Planner, "rules">>;
  readonly controlTopics: Pick<ControlTopics, "contracts">;
  readonly lastPoll: () => GroupPoll | undefined;
}

/** The rules and the state that a connector would decide with now. */
export interface CurrentState {
  readonly rules: Rules;
  readonly state: State;
}

/**
 * The committed state with the contracts and the group poll that have arrived since, because an idle connector commits
 * neither. undefined until the connector has read its state. With `topics`, the poll is added to their evidence only,
 * which is enough to answer about them and does not walk thousands of tables.
 */
export function currentStateOf(
  { planners, controlTopics, lastPoll }: RunningConnectors,
  { name, state }: RunningConnector,
  topics?: readonly string[],
): CurrentState | undefined {
  const rules = planners.get(name)?.rules;
  if (rules === undefined || state === undefined) return undefined;
  const current = { ...state, contracts: controlTopics.contracts() };
  const poll = lastPoll();
  if (poll === undefined) return { rules, state: current };
  return { rules, state: { ...current, evidence: evidenceAfter(rules, current, poll, topics) } };
}

/** Live groups of a topic that no contract names; none if the groups are unknown. */
export function findUnnamedGroups(all: RunningConnectors, topic: string): readonly string[] {
  for (const running of all.connectors) {
    if (running.state?.tables.has(topic) !== true) continue;
    const current = currentStateOf(all, running, [topic]);
    const unnamed = current && unnamedOn(current.rules, current.state, topic);
    return unnamed?.kind === "known" ? unnamed.groups : [];
  }
  return [];
}
