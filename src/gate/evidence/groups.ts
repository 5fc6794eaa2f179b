import { addPoll, type Evidence, type GroupPoll } from "./evidence.ts";
import { contractsOn, evidenceAgainst, namedOn, unnamedOn } from "./readers.ts";
import { policyOf, settleTopic } from "../decision/settle.ts";
import type { Rules, State, Decided, When } from "../state.ts";
import { andThen, step, withheldOf } from "../update.ts";

/**
 * Handles a poll of the consumer groups. Withheld amendments are settled again if the result makes a difference. A
 * failed poll settles nothing: new amendments wait, and amendments that are already waiting keep their reason.
 */
export function onGroups(rules: Rules, state: State, poll: GroupPoll, when: When): Decided {
  const next = { ...state, evidence: evidenceAfter(rules, state, poll) };
  if (poll.kind === "unknown") return step(next);
  const waiting = [...state.tables.values()].filter((table) => withheldOf(table).length > 0);
  const changed = waiting
    .map(({ shape }) => shape.topic)
    .filter((topic) => standing(rules, state, topic) !== standing(rules, next, topic));
  return changed.reduce((before, topic) => andThen(before, (now) => settleTopic(rules, now, topic, when)), step(next));
}

/** Adds the poll to the evidence about these topics; by default all. */
export function evidenceAfter(
  rules: Rules,
  state: State,
  poll: GroupPoll,
  topics: readonly string[] = [...state.tables.keys()],
): Evidence {
  const consumers = new Map(
    topics.map((topic) => [topic, contractsOn(rules, state, topic).map(({ consumer }) => consumer)]),
  );
  return addPoll(
    state.evidence,
    poll,
    consumers,
    Math.max(rules["fieldgate.groups.seen"], rules["fieldgate.contracts.stale"]),
    (topic) => namedOn(rules, state, topic),
  );
}

/** The part of the evidence that can affect amendments waiting on a topic. */
function standing(rules: Rules, state: State, topic: string): string {
  const unnamed = policyOf(rules, topic) === "strict" ? unnamedOn(rules, state, topic) : undefined;
  return JSON.stringify([
    unnamed,
    contractsOn(rules, state, topic).map((contract) => evidenceAgainst(rules, state, contract)),
  ]);
}
