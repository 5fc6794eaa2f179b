import { type Evidence, type Look, looked } from "./evidence.ts";
import { contractsOn, evidenceAgainst, namedOn, unnamedOn } from "./readers.ts";
import { policyOf, settleTopic } from "../decision/settle.ts";
import type { Rules, State, Decided, When } from "../state.ts";
import { andThen, step, withheldOf } from "../update.ts";

/**
 * Somebody looked who reads the topics: what waits is settled again where that makes a difference. A look that was
 * not possible settles nothing: what is decided from then on waits, and what waits already has its reason.
 */
export function onGroups(rules: Rules, state: State, look: Look, when: When): Decided {
  const next = { ...state, evidence: evidenceAfter(rules, state, look) };
  if (look.kind === "unknown") return step(next);
  const waiting = [...state.tables.values()].filter((table) => withheldOf(table).length > 0);
  const changed = waiting
    .map(({ shape }) => shape.topic)
    .filter((topic) => standing(rules, state, topic) !== standing(rules, next, topic));
  return changed.reduce((before, topic) => andThen(before, (now) => settleTopic(rules, now, topic, when)), step(next));
}

/** What is known after a look. */
export function evidenceAfter(rules: Rules, state: State, look: Look): Evidence {
  const topics = [...state.tables.keys()];
  const consumers = new Map(
    topics.map((topic) => [topic, contractsOn(rules, state, topic).map(({ consumer }) => consumer)]),
  );
  return looked(
    state.evidence,
    look,
    consumers,
    Math.max(rules["fieldgate.groups.seen"], rules["fieldgate.contracts.stale"]),
    (topic) => namedOn(rules, state, topic),
  );
}

/** All that evidence has to say about what waits on a topic. */
function standing(rules: Rules, state: State, topic: string): string {
  const unnamed = policyOf(rules, topic) === "strict" ? unnamedOn(rules, state, topic) : undefined;
  return JSON.stringify([
    unnamed,
    contractsOn(rules, state, topic).map((contract) => evidenceAgainst(rules, state, contract)),
  ]);
}
