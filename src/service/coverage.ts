import { ownValue } from "../json.ts";
import { STALE } from "../contract/evidence.ts";
import type { Contract } from "../contract/contract.ts";
import type { GroupEvidence, TopicEvidence } from "../gate/evidence/evidence.ts";
import type { ReleasePolicy } from "../gate/decision/policy.ts";
import {
  contractsOn,
  evidenceAgainst,
  groupsOf,
  isLive,
  knownSchemas,
  seenOf,
  unnamedOn,
} from "../gate/evidence/readers.ts";
import { policyOf } from "../gate/decision/settle.ts";
import { underPolicy } from "../gate/decision/what-if.ts";
import { renderGroupsUnknown, renderReason } from "../words/reason.ts";
import { type CoverageView, isCovered, type TopicCoverage } from "../api/coverage.ts";
import type { CurrentState } from "./running.ts";

/**
 * The answer to `coverage`: for every topic its consumer groups, the contracts that name them, and the live groups that
 * no contract names. With a policy, also what that policy would have done with each amendment.
 */

export interface CoveredConnector extends CurrentState {
  readonly name: string;
}

/** Computes the answer. `now` is in milliseconds. */
export function coverageOf(
  connectors: readonly CoveredConnector[],
  now: number,
  policy: ReleasePolicy | undefined,
): CoverageView {
  const topics = connectors.flatMap((one) =>
    [...one.state.tables.keys()].map((topic) => topicCoverage(one, topic, now)),
  );
  return {
    complete: topics.every(isCovered),
    topics,
    ...(policy === undefined ? {} : { whatIf: whatIf(connectors, policy) }),
  };
}

function topicCoverage(covered: CoveredConnector, topic: string, now: number): TopicCoverage {
  const { name, rules, state } = covered;
  const evidence = state.evidence.topics.get(topic);
  const unnamed = unnamedOn(rules, state, topic);
  const contracts = contractsOn(rules, state, topic);
  const consumers = [...Map.groupBy(contracts, ({ consumer }) => consumer).values()];
  return {
    connector: name,
    topic,
    environment: rules["fieldgate.environment"],
    mode: rules.mode,
    policy: policyOf(rules, topic),
    lastPoll: {
      at: isoTime(evidence?.at),
      secondsAgo: secondsSince(evidence?.at, now),
      problem: unnamed.kind === "unknown" ? renderGroupsUnknown(unnamed.why) : null,
    },
    groups: evidence?.groups.map((group) => groupCoverage(covered, evidence, contracts, group, now)) ?? [],
    contracts: consumers.map((versions) => contractCoverage(covered, versions, now)),
    unnamed: unnamed.kind === "known" ? [...unnamed.groups] : [],
  };
}

function groupCoverage(
  { rules, state }: CoveredConnector,
  evidence: TopicEvidence,
  contracts: readonly Contract[],
  seen: GroupEvidence,
  now: number,
): TopicCoverage["groups"][number] {
  const consumersOf = (which: (contract: Contract) => boolean) => [
    ...new Set(contracts.filter(which).map(({ consumer }) => consumer)),
  ];
  return {
    group: seen.group,
    live: isLive(rules, evidence, seen),
    members: seen.members ?? null,
    read: isoTime(seen.active),
    readSecondsAgo: secondsSince(seen.active, now),
    moved: isoTime(seen.moved),
    namedBy: consumersOf((contract) => groupsOf(contract).includes(seen.group)),
    announced: Object.entries(seen.readers).map(([fingerprint, members]) => ({
      fingerprint,
      members,
      consumers: consumersOf((contract) => knownSchemas(state, contract).has(fingerprint)),
    })),
  };
}

/** `versions` are the contracts of one consumer, at least one. */
function contractCoverage(
  { rules, state }: CoveredConnector,
  versions: readonly Contract[],
  now: number,
): TopicCoverage["contracts"][number] {
  const consumer = versions[0]?.consumer ?? "";
  const since = versions.flatMap(
    ({ topic }) => ownValue(state.evidence.topics.get(topic)?.contracts, consumer) ?? [],
  )[0];
  const readTimes = versions.flatMap((contract) => seenOf(state, contract).flatMap(({ active }) => active ?? []));
  const read = readTimes.length === 0 ? undefined : Math.max(...readTimes);
  const all = versions.flatMap((contract) => evidenceAgainst(rules, state, contract));
  const findings = [...new Map(all.map((finding) => [JSON.stringify(finding), finding])).values()];
  return {
    consumer,
    groups: [...new Set(versions.flatMap(groupsOf))],
    versions: versions.length,
    since: isoTime(since),
    read: isoTime(read),
    readSecondsAgo: secondsSince(read, now),
    stale: findings.some(({ rule }) => rule === STALE),
    findings,
  };
}

const LIMITS =
  "A released field is judged by the verdicts, commands and groups at its release, a withheld one by the current ones. " +
  "What it would have waited for earlier, and for how long, is not recorded.";

function whatIf(connectors: readonly CoveredConnector[], policy: ReleasePolicy): NonNullable<CoverageView["whatIf"]> {
  const amendments = connectors.flatMap(({ rules, state }) =>
    [...state.tables.values()].flatMap((table) =>
      table.amendments.map((amendment) => {
        const { kind, reason, waitsFor } = underPolicy(policy, rules, state, table, amendment);
        const { id, name, topic, gate } = amendment;
        return {
          id,
          field: `${topic}.${name}`,
          gate: gate.kind,
          would: kind,
          why: renderReason(reason),
          waitsFor: [...waitsFor],
        };
      }),
    ),
  );
  return { policy, note: LIMITS, amendments };
}

function isoTime(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

function secondsSince(ms: number | undefined, now: number): number | null {
  return ms === undefined ? null : Math.max(0, Math.round((now - ms) / 1000));
}
