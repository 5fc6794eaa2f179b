import type { Counts } from "../api/api.ts";
import type { Contract } from "../contract/contract.ts";
import { parseSchemaText } from "../avro/schema-text.ts";
import { checkFlowing } from "../contract/judge.ts";
import { dayOf } from "../contract/severity.ts";
import { type Finding, keptFindings } from "../finding.ts";
import { weigh } from "../gate/decision/settle.ts";
import { withheldOf } from "../gate/update.ts";
import { nearestName } from "../mistake.ts";
import { oncePer } from "../once.ts";
import { type CurrentState, currentStateOf, type RunningConnectors } from "./running.ts";
import { troubleView } from "./trouble-view.ts";

/**
 * What a contract counts for, given what the connectors publish now. `now` is in milliseconds. The contracts must have
 * been read to the end, so that the verdicts include this one.
 */
export function countsOf(all: RunningConnectors, contract: Contract, now: number): Counts {
  const { topic, environment } = contract;
  const inEnvironment = all.connectors.filter(({ name }) => environmentOf(all, name) === environment);
  const counting = inEnvironment.filter(({ state }) => state?.tables.has(topic) === true);
  if (counting.length > 0) {
    const states = counting.flatMap((running) => currentStateOf(all, running, [topic]) ?? []);
    const troubles = counting.flatMap((running) => {
      const trouble = troubleView(running, now);
      return trouble === undefined ? [] : [{ connector: running.name, ...trouble }];
    });
    return {
      kind: "counts",
      connectors: counting.map(({ name }) => name),
      errors: keptFindings(states.flatMap((current) => errorsAgainst(current, contract, now))),
      withheld: states.flatMap((current) => withheldFrom(current, contract, now)),
      ...(troubles.length === 0 ? {} : { troubles }),
    };
  }
  const unread = inEnvironment.filter(({ state }) => state === undefined);
  if (unread.length > 0) return { kind: "unknown", connectors: unread.map(({ name }) => name) };
  return { kind: "nowhere", ...whereInstead(all, contract) };
}

function environmentOf({ planners }: RunningConnectors, connector: string): string | undefined {
  return planners.get(connector)?.rules["fieldgate.environment"];
}

/** Errors of the contract against the events that flow now, as `fieldgate check` finds them. */
export function errorsAgainst({ rules, state }: CurrentState, contract: Contract, now: number): readonly Finding[] {
  const table = state.tables.get(contract.topic);
  if (table === undefined || table.unpublished === true) return [];
  const waiting = withheldOf(table).map(({ name, column }) => column?.name ?? name);
  const weights = { day: dayOf(new Date(now).toISOString()), changes: rules.severity ?? [] };
  const { findings } = checkFlowing(contract, parsedOnce(table.shape.valueSchema), waiting, weights);
  return findings.filter(({ severity }) => severity === "error");
}

const parsedOnce = oncePer(({ text }: { readonly text: string }) => parseSchemaText(text));

type Withheld = Extract<Counts, { readonly kind: "counts" }>["withheld"][number];

function withheldFrom({ rules, state }: CurrentState, { topic, consumer }: Contract, now: number): readonly Withheld[] {
  const table = state.tables.get(topic);
  if (table === undefined) return [];
  return withheldOf(table).map((amendment) => {
    const verdicts = weigh(rules, state, table, amendment, { time: new Date(now).toISOString() });
    const notReady = verdicts.filter(({ verdict }) => verdict !== "ready");
    const others = new Set(notReady.map((verdict) => verdict.consumer));
    others.delete(consumer);
    // Before the registry has answered there is no schema to judge.
    const own = verdicts.length === 0 ? "unknown" : notReady.find((verdict) => verdict.consumer === consumer)?.verdict;
    return { id: amendment.id, field: amendment.name, verdict: own ?? "ready", waitsFor: [...others] };
  });
}

function whereInstead(all: RunningConnectors, { topic }: Contract): Omit<Extract<Counts, { kind: "nowhere" }>, "kind"> {
  const published = new Map<string, Set<string>>();
  for (const { name, state } of all.connectors) {
    const environment = environmentOf(all, name);
    for (const known of state?.tables.keys() ?? []) {
      if (environment !== undefined) published.set(known, (published.get(known) ?? new Set()).add(environment));
    }
  }
  const environments = [...(published.get(topic) ?? [])];
  const near = environments.length > 0 ? undefined : nearestName(topic, published.keys());
  const [environment] = near === undefined ? [] : (published.get(near) ?? []);
  const nearest = near === undefined || environment === undefined ? null : { topic: near, environment };
  return { environments, nearest };
}
