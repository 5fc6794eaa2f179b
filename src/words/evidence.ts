import type { GroupEvidence } from "../gate/evidence/evidence.ts";
import { groupsOf, seenOf } from "../gate/evidence/readers.ts";
import type { Contract } from "../contract/contract.ts";
import type { State } from "../gate/state.ts";
import { renderDuration } from "./duration.ts";

/** Describes when a contract's groups were last seen: `group billing: 3 members, seen 20 s ago`. */
export function seenTexts(state: State, contract: Contract, now: number): readonly string[] {
  const { lastPoll, topics } = state.evidence;
  const evidence = topics.get(contract.topic);
  const problem =
    lastPoll?.why === undefined
      ? []
      : [`the consumer groups could not be read ${renderDuration(now - lastPoll.at)} ago: ${lastPoll.why}`];
  if (evidence === undefined) return problem.length > 0 ? problem : ["the consumer groups have not been read yet"];
  const seen = seenOf(state, contract).map((group) => groupText(group, evidence.at, now));
  const names = groupsOf(contract).join(", ");
  const none = [`none of its groups (${names}) was seen in the last ${renderDuration(now - evidence.began)}`];
  return [...(seen.length > 0 ? seen : none), ...problem];
}

function groupText({ group, members, moved, active }: GroupEvidence, at: number, now: number): string {
  if (members !== undefined && members > 0) {
    return `group ${group}: ${members} member${members === 1 ? "" : "s"}, seen ${renderDuration(now - at)} ago`;
  }
  const who = members === undefined ? "Kafka does not show what its members read" : "no members";
  const last = moved ?? active;
  return `group ${group}: ${who}, ${last === undefined ? "never seen reading" : `last seen reading ${renderDuration(now - last)} ago`}`;
}
