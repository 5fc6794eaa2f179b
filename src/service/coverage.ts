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
import type { CoverageView, TopicCoverage } from "../api/coverage.ts";
import type { KnownNow } from "./running.ts";

/** One connector, and what it knows now. */
export interface Covered extends KnownNow {
  readonly name: string;
}

/** Who reads which topic, by which contract. `policy`: and what that policy would have done. `now` in milliseconds. */
export function coverageOf(
  connectors: readonly Covered[],
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

function isCovered({ looked, unnamed, contracts }: TopicCoverage): boolean {
  return looked.problem === null && unnamed.length === 0 && contracts.every(({ stale }) => !stale);
}

function topicCoverage(covered: Covered, topic: string, now: number): TopicCoverage {
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
    looked: {
      at: iso(evidence?.at),
      secondsAgo: age(evidence?.at, now),
      problem: unnamed.kind === "unknown" ? unnamed.why : null,
    },
    groups: evidence?.groups.map((group) => groupCoverage(covered, evidence, contracts, group, now)) ?? [],
    contracts: consumers.map((versions) => contractCoverage(covered, versions, now)),
    unnamed: unnamed.kind === "known" ? [...unnamed.groups] : [],
  };
}

function groupCoverage(
  { rules, state }: Covered,
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
    read: iso(seen.active),
    readSecondsAgo: age(seen.active, now),
    moved: iso(seen.moved),
    namedBy: consumersOf((contract) => groupsOf(contract).includes(seen.group)),
    announced: Object.entries(seen.readers).map(([fingerprint, members]) => ({
      fingerprint,
      members,
      consumers: consumersOf((contract) => knownSchemas(state, contract).has(fingerprint)),
    })),
  };
}

/** `versions`: of one consumer, at least one. */
function contractCoverage(
  { rules, state }: Covered,
  versions: readonly Contract[],
  now: number,
): TopicCoverage["contracts"][number] {
  const consumer = versions[0]?.consumer ?? "";
  const since = versions.flatMap(({ topic }) => state.evidence.topics.get(topic)?.contracts[consumer] ?? [])[0];
  const signs = versions.flatMap((contract) => seenOf(state, contract).flatMap(({ active }) => active ?? []));
  const read = signs.length === 0 ? undefined : Math.max(...signs);
  const all = versions.flatMap((contract) => evidenceAgainst(rules, state, contract));
  const findings = [...new Map(all.map((finding) => [finding.message, finding])).values()];
  return {
    consumer,
    groups: [...new Set(versions.flatMap(groupsOf))],
    versions: versions.length,
    since: iso(since),
    read: iso(read),
    readSecondsAgo: age(read, now),
    stale: findings.some(({ rule }) => rule === STALE),
    findings,
  };
}

const CANNOT_TELL =
  "A field that flows is decided on by the verdicts, the orders and the groups of its release; one that is withheld as " +
  "things are now. What it would have waited for before, and for how long, is not recorded.";

function whatIf(connectors: readonly Covered[], policy: ReleasePolicy): NonNullable<CoverageView["whatIf"]> {
  const amendments = connectors.flatMap(({ rules, state }) =>
    [...state.tables.values()].flatMap((table) =>
      table.amendments.map((amendment) => {
        const { kind, why, waitsFor } = underPolicy(policy, rules, state, table, amendment);
        const { id, name, topic, gate } = amendment;
        return { id, field: `${topic}.${name}`, gate: gate.kind, would: kind, why, waitsFor: [...waitsFor] };
      }),
    ),
  );
  return { policy, note: CANNOT_TELL, amendments };
}

function iso(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

function age(ms: number | undefined, now: number): number | null {
  return ms === undefined ? null : Math.max(0, Math.round((now - ms) / 1000));
}
