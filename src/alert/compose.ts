import { type Contract, contractKey, isKeyOf } from "../contract/contract.ts";
import { isEvidenceMissing } from "../contract/evidence.ts";
import type { Amendment, Verdict } from "../gate/amendment/amendment.ts";
import { describeAmendment, renderOverwritten, renderWidened } from "../words/amendment.ts";
import type { Mode, State } from "../gate/state.ts";
import type { Alert, Change, Flow, Reminder, ReleasedAlert, SummaryAlert, Waiting, WithheldAlert } from "./alert.ts";
import { stopsDebezium } from "../gate/watch/watched.ts";
import { renderJobReason, renderReason } from "../words/reason.ts";
import { nextSteps } from "../words/next-step.ts";
import { fullName } from "../table/quote.ts";
import type { Field } from "../table/shape.ts";

/** Composes the alerts of one connector from its state, as values. src/slack turns them into messages. */

/** What alerts are composed from: one connector's state, and by topic the live groups that no contract names. */
export interface Scope {
  readonly connector: string;
  readonly mode: Mode;
  readonly state: State;
  /** False while the connector has stopped or cannot work. */
  readonly publishes: boolean;
  readonly groupsNotNamed: ReadonlyMap<string, readonly string[]>;
}

/** An alert, and the amendments that people have been alerted about once it is sent. */
export interface Draft {
  readonly alert: Alert;
  readonly covers: readonly Amendment[];
}

type Withheld = Amendment & { readonly gate: Extract<Amendment["gate"], { kind: "withheld" }> };
type Released = Amendment & { readonly gate: Extract<Amendment["gate"], { kind: "released" }> };

/** One alert for withheld amendments, followed by one for released ones. */
export function newsDrafts(scope: Scope, amendments: readonly Amendment[]): readonly Draft[] {
  const withheld = amendments.filter(isWithheld);
  const released = amendments.filter(isReleased);
  return [
    ...(withheld.length === 0 ? [] : [{ alert: withheldAlert(scope, withheld, undefined), covers: withheld }]),
    ...(released.length === 0 ? [] : [{ alert: releasedAlert(scope, released), covers: released }]),
  ];
}

/** A reminder of the amendments that are still withheld; undefined if there are none. */
export function reminderDraft(scope: Scope, amendments: readonly Amendment[], reminder: Reminder): Draft | undefined {
  const withheld = amendments.filter(isWithheld);
  if (withheld.length === 0) return undefined;
  return { alert: withheldAlert(scope, withheld, reminder), covers: withheld };
}

/** One alert that replaces many in a short time. */
export function summaryDraft(scope: Scope, amendments: readonly Amendment[]): Draft {
  const withheld = amendments.filter(isWithheld);
  const waiting = waitingFor(scope.state, withheld);
  const notReady = withheld.filter((amendment) => notReadyOf(amendment).length > 0).length;
  const alert: SummaryAlert = {
    kind: "summary",
    severity: stops(scope, withheld)
      ? "stopped"
      : notReady > 0
        ? "not-ready"
        : withheld.length > 0
          ? "withheld"
          : "info",
    mode: scope.mode,
    connector: scope.connector,
    flow: flowOf(scope, withheld),
    withheld: withheld.length,
    notReady,
    released: amendments.length - withheld.length,
    tables: countTables(scope.state, amendments),
    waiting,
  };
  return { alert, covers: amendments };
}

function withheldAlert(scope: Scope, amendments: readonly Withheld[], reminder: Reminder | undefined): WithheldAlert {
  const { connector, mode, state } = scope;
  const waiting = waitingFor(state, amendments);
  const groupsWaitedFor = [...new Set(amendments.flatMap(unnamedGroups))];
  const widened = amendments.flatMap(({ answer }) => (answer?.kind === "fits" ? (answer.candidate.widened ?? []) : []));
  return {
    kind: "withheld",
    severity: stops(scope, amendments) ? "stopped" : waiting.length > 0 ? "not-ready" : "withheld",
    mode,
    connector,
    flow: flowOf(scope, amendments),
    changes: amendments.map((amendment) => changeOf(state, amendment)),
    waiting,
    groupsWaitedFor,
    groupsNotNamed: groupsOf(scope, amendments).filter((group) => !groupsWaitedFor.includes(group)),
    widened: [...new Set(widened)].map(renderWidened),
    // In watch mode Debezium publishes the next row without the field.
    overwritten: mode === "watch" ? [] : amendments.flatMap((one) => renderOverwritten(one, fieldsOf(state, one))),
    next: nextSteps(amendments, ({ id }) => state.jobs.get(`backfill/${id}`), mode),
    reminder,
  };
}

function releasedAlert(scope: Scope, amendments: readonly Released[]): ReleasedAlert {
  const { connector, mode, state } = scope;
  const waiting = mode === "watch" ? waitingFor(state, amendments) : [];
  const jobs = amendments.flatMap(({ id }) => state.jobs.get(`backfill/${id}`) ?? []);
  return {
    kind: "released",
    severity: waiting.length > 0 ? "not-ready" : "info",
    mode,
    connector,
    changes: amendments.map((one) => ({ ...changeOf(state, one), schemaId: one.gate.schemaId })),
    wouldHaveWaitedFor: [...new Set(amendments.flatMap(({ gate }) => gate.wouldHaveWaitedFor))],
    waiting,
    groupsNotNamed: groupsOf(scope, amendments),
    backfills: [...new Set(jobs.map(({ reason }) => renderJobReason(reason)))],
    next: nextSteps(amendments, ({ id }) => state.jobs.get(`backfill/${id}`), mode),
  };
}

function flowOf({ publishes, state }: Scope, amendments: readonly Amendment[]): Flow {
  if (!publishes) return "none";
  return amendments.some(({ topic }) => state.tables.get(topic)?.parked !== undefined) ? "parked" : "flows";
}

function stops({ mode }: Scope, amendments: readonly Amendment[]): boolean {
  return mode === "watch" && amendments.some(stopsDebezium);
}

function changeOf(state: State, amendment: Amendment): Change {
  const { id, topic, name, gate, explained } = amendment;
  const by = explained === undefined ? "" : ` by ${explained.role} (${explained.command})`;
  return {
    id,
    topic,
    table: tableOf(state, topic),
    field: name,
    what: `${describeAmendment(amendment)}${by}`,
    why: sentence(renderReason(gate.reason)),
    since: gate.time,
    position: gate.since,
  };
}

/**
 * Each consumer once, with its first finding. Consumers that are not ready come before those whose verdict is unknown.
 */
function waitingFor(state: State, amendments: readonly Amendment[]): readonly Waiting[] {
  const byConsumer = new Map<string, Waiting>();
  for (const { topic, verdicts } of amendments) {
    for (const verdict of verdicts) {
      if (verdict.verdict === "ready") continue;
      const key = `${verdict.environment}/${verdict.consumer}`;
      byConsumer.set(key, withVerdict(byConsumer.get(key), verdict, ownerOf(state, topic, verdict)));
    }
  }
  const all = [...byConsumer.values()];
  return [
    ...all.filter(({ verdict }) => verdict === "not-ready"),
    ...all.filter(({ verdict }) => verdict === "unknown"),
  ];
}

function withVerdict(before: Waiting | undefined, one: Verdict, owner: string | undefined): Waiting {
  const { consumer, environment, verdict } = one;
  const errors = one.findings.filter(({ severity }) => severity === "error");
  const missing = one.findings.filter(isEvidenceMissing);
  const findings = [errors, missing].find((some) => some.length > 0) ?? one.findings;
  const finding = before?.finding ?? findings[0];
  const count = findings.length + (before?.finding === undefined ? 0 : before.more + 1);
  return {
    consumer,
    environment,
    verdict: verdict === "not-ready" || before?.verdict === "not-ready" ? "not-ready" : "unknown",
    owner: before?.owner ?? owner,
    finding,
    more: Math.max(0, count - 1),
  };
}

function ownerOf({ contracts }: State, topic: string, { consumer, environment }: Verdict): string | undefined {
  const named = { environment, consumer, topic };
  const own = contracts.get(topic) ?? new Map<string, Contract>();
  const deployed = own.get(contractKey(named));
  // The only known version of the contract may be one that is being rolled out.
  return (deployed ?? [...own].find(([key]) => isKeyOf(key, named))?.[1])?.owner;
}

function groupsOf({ groupsNotNamed }: Scope, amendments: readonly Amendment[]): readonly string[] {
  const topics = new Set(amendments.map(({ topic }) => topic));
  return [...new Set([...topics].flatMap((topic) => groupsNotNamed.get(topic) ?? []))];
}

/** The live groups without a contract that the amendment waits for. */
function unnamedGroups({ gate }: Withheld): readonly string[] {
  const unnamed = gate.reason.kind === "not-ready" ? gate.reason.unnamed : undefined;
  return unnamed?.kind === "known" ? unnamed.groups : [];
}

function countTables(state: State, amendments: readonly Amendment[]): SummaryAlert["tables"] {
  const counts = new Map<string, number>();
  for (const { topic } of amendments) {
    const table = tableOf(state, topic);
    counts.set(table, (counts.get(table) ?? 0) + 1);
  }
  return [...counts].map(([table, changes]) => ({ table, changes })).sort((a, b) => b.changes - a.changes);
}

function fieldsOf({ tables }: State, { topic }: Amendment): readonly Field[] {
  return tables.get(topic)?.shape.fields ?? [];
}

function tableOf({ tables }: State, topic: string): string {
  const table = tables.get(topic)?.shape.table;
  return table === undefined ? topic : fullName(table);
}

function notReadyOf({ verdicts }: Amendment): readonly Verdict[] {
  return verdicts.filter(({ verdict }) => verdict !== "ready");
}

function isWithheld(amendment: Amendment): amendment is Withheld {
  return amendment.gate.kind === "withheld";
}

function isReleased(amendment: Amendment): amendment is Released {
  return amendment.gate.kind === "released";
}

function sentence(why: string): string {
  return `${why.charAt(0).toUpperCase()}${why.slice(1)}${/[.?!]$/.test(why) ? "" : "."}`;
}
