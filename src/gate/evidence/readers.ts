import { ownValue } from "../../json.ts";
import { readerFingerprint } from "../../contract/announcement.ts";
import type { Contract } from "../../contract/contract.ts";
import { otherSchemaFinding, sharedGroupFinding, staleFinding } from "../../contract/evidence.ts";
import type { Finding } from "../../finding.ts";
import { NOT_POLLED, type Unnamed } from "../decision/reason.ts";
import { oncePer } from "../../once.ts";
import type { GroupEvidence, TopicEvidence } from "./evidence.ts";
import type { Rules, State } from "../state.ts";

/**
 * Questions about the evidence: which live groups no contract names, and what the evidence shows against a contract.
 */

/** Every contract of the connector's environment on a topic, including versions that are being rolled out. */
export function contractsOn(rules: Rules, state: State, topic: string): readonly Contract[] {
  return contractsOf(state, topic).filter(({ environment }) => environment === rules["fieldgate.environment"]);
}

/** Every contract on a topic, in any environment. */
export function contractsOf({ contracts }: Pick<State, "contracts">, topic: string): readonly Contract[] {
  return [...(contracts.get(topic)?.values() ?? [])];
}

/** The consumer's Kafka groups: those its contract lists, and the group with the consumer's name. */
export function groupsOf({ consumer, groups = [] }: Contract): readonly string[] {
  return [...new Set([consumer, ...groups])];
}

/** Whether the group has members now, or committed offsets that moved within `fieldgate.groups.seen`. */
export function isLive(rules: Rules, { at }: TopicEvidence, group: GroupEvidence): boolean {
  const { members, committed, moved } = group;
  if ((members ?? 0) > 0) return true;
  return committed !== undefined && moved !== undefined && at - moved <= rules["fieldgate.groups.seen"];
}

/** The maximum number of names in a reason or an alert; any others are only counted. */
const MAX_NAMES = 50;

/** The groups that the topic's contracts name. */
export function namedOn(rules: Rules, state: State, topic: string): ReadonlySet<string> {
  return new Set(contractsOn(rules, state, topic).flatMap(groupsOf));
}

export function unnamedOn(rules: Rules, state: State, topic: string): Unnamed {
  const { lastPoll, topics } = state.evidence;
  const evidence = topics.get(topic);
  if (lastPoll?.why !== undefined) return { kind: "unknown", why: { kind: "poll-failed", text: lastPoll.why } };
  // The topic may have been added after the last poll.
  if (lastPoll === undefined || evidence?.at !== lastPoll.at) return NOT_POLLED;
  const named = namedOn(rules, state, topic);
  const others = evidence.groups.filter(({ group }) => !named.has(group));
  const live = others.filter((group) => isLive(rules, evidence, group)).map(({ group }) => group);
  const hidden = others.filter(({ group, members }) => members === undefined && !live.includes(group));
  if (live.length === 0 && hidden.length > 0) {
    const groups = hidden.map(({ group }) => group).slice(0, MAX_NAMES);
    return { kind: "unknown", why: { kind: "groups-hidden", groups } };
  }
  // Groups that are not remembered were active no more recently than those that are.
  const more = Math.max(0, live.length - MAX_NAMES) + (live.length === others.length ? (evidence.more ?? 0) : 0);
  return { kind: "known", groups: live.slice(0, MAX_NAMES), ...(more > 0 ? { more } : {}) };
}

/** The evidence about a contract's groups. Groups that were never seen are missing. */
export function seenOf({ evidence }: State, contract: Contract): readonly GroupEvidence[] {
  const names = groupsOf(contract);
  return evidence.topics.get(contract.topic)?.groups.filter(({ group }) => names.includes(group)) ?? [];
}

/** Findings from the evidence about a contract; they are the same for every candidate. */
export function evidenceAgainst(rules: Rules, state: State, contract: Contract): readonly Finding[] {
  return [...staleness(rules, state, contract), ...sharedGroups(state, contract), ...otherSchemas(state, contract)];
}

/**
 * The contract's groups that a contract of another consumer names too. Otherwise a contract could make a group count as
 * its own whose members it does not speak for.
 */
function sharedGroups({ contracts }: State, contract: Contract): readonly Finding[] {
  const own = contracts.get(contract.topic);
  const consumersOf = own && consumersByGroup(own);
  return groupsOf(contract).flatMap((group) => {
    const others = [...(consumersOf?.get(placeOf(contract, group)) ?? [])].filter((one) => one !== contract.consumer);
    return others.length === 0 ? [] : [sharedGroupFinding(group, others.sort().slice(0, MAX_NAMES))];
  });
}

/** The consumers whose contracts for a topic name a group, by the group in its environment. */
const consumersByGroup = oncePer((contracts: ReadonlyMap<string, Contract>) => {
  const found = new Map<string, Set<string>>();
  for (const contract of contracts.values()) {
    for (const group of groupsOf(contract)) {
      const place = placeOf(contract, group);
      found.set(place, (found.get(place) ?? new Set()).add(contract.consumer));
    }
  }
  return found;
});

function placeOf({ environment }: Contract, group: string): string {
  return JSON.stringify([environment, group]);
}

/**
 * A contract is stale if too much time has passed since the latest of three times: the last activity of its groups, its
 * publication, and the topic's first poll.
 */
function staleness(rules: Rules, state: State, contract: Contract): readonly Finding[] {
  const staleMs = rules["fieldgate.contracts.stale"];
  const evidence = state.evidence.topics.get(contract.topic);
  const since = ownValue(evidence?.contracts, contract.consumer);
  if (evidence === undefined || since === undefined) return [];
  // A group that cannot be described may be reading.
  const signs = seenOf(state, contract).map(({ active, members }) =>
    members === undefined ? evidence.at : (active ?? 0),
  );
  if (evidence.at - Math.max(evidence.began, since, ...signs) < staleMs) return [];
  return [staleFinding(groupsOf(contract), staleMs)];
}

/**
 * Findings about members that announce a schema none of the consumer's contracts names. Several versions of a contract
 * may be deployed at the same time, and members may read with any of them.
 */
function otherSchemas(state: State, contract: Contract): readonly Finding[] {
  const announcing = seenOf(state, contract).filter(({ readers }) => Object.keys(readers).length > 0);
  if (announcing.length === 0) return [];
  const known = knownSchemas(state, contract);
  return announcing.flatMap(({ group, members = 0, readers }) => {
    const others = Object.entries(readers).filter(([fingerprint]) => !known.has(fingerprint));
    const count = others.reduce((total, [, some]) => total + some, 0);
    return count === 0 ? [] : [otherSchemaFinding(group, count, members)];
  });
}

/** Fingerprints of the reader schemas that the consumer's contracts on the topic name. */
export function knownSchemas(state: State, { environment, consumer, topic }: Contract): ReadonlySet<string> {
  const versions = contractsOf(state, topic).filter(
    (one) => one.environment === environment && one.consumer === consumer,
  );
  return new Set(versions.flatMap(({ schema }) => (schema === undefined ? [] : [readerFingerprint(schema)])));
}
