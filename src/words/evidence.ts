import type { GroupEvidence } from "../gate/evidence/evidence.ts";
import { groupsOf, seenOf } from "../gate/evidence/readers.ts";
import type { Contract } from "../contract/contract.ts";
import type { State } from "../gate/state.ts";
import { renderDuration } from "./duration.ts";

/** What was seen of a contract's readers, with its age: `group billing: 3 members, seen 20 s ago`. */
export function seenTexts(state: State, contract: Contract, now: number): readonly string[] {
  const { look, topics } = state.evidence;
  const evidence = topics.get(contract.topic);
  const problem = look?.why === undefined ? [] : [`could not look ${renderDuration(now - look.at)} ago: ${look.why}`];
  if (evidence === undefined) return problem.length > 0 ? problem : ["no look at the consumer groups yet"];
  const seen = seenOf(state, contract).map((group) => groupText(group, evidence.at, now));
  const names = groupsOf(contract).join(", ");
  const none = [`no group of it (${names}) seen in ${renderDuration(now - evidence.began)}`];
  return [...(seen.length > 0 ? seen : none), ...problem];
}

function groupText({ group, members, moved, active }: GroupEvidence, at: number, now: number): string {
  if (members !== undefined && members > 0) {
    return `group ${group}: ${members} member${members === 1 ? "" : "s"}, seen ${renderDuration(now - at)} ago`;
  }
  const who = members === undefined ? "members not shown (KIP-848)" : "no members";
  const last = moved ?? active;
  return `group ${group}: ${who}, ${last === undefined ? "never seen to read" : `last seen to read ${renderDuration(now - last)} ago`}`;
}
