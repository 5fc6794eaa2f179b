import { eachContract } from "../contract/contracts.ts";
import { randomUUID } from "node:crypto";
import { type Contract, contractKey, type ContractName, isKeyOf, rollingKey } from "../contract/contract.ts";
import { coverageOf } from "./coverage.ts";
import { type ControlTopics, renderCommand } from "./control-topics.ts";
import { GuardError } from "../errors.ts";
import { countsOf } from "./counts.ts";
import { checkCommandQuota, checkContractQuota } from "./quota.ts";
import {
  amendmentsOfTable,
  everyAmendment,
  findAmendment as findCalled,
  findTable,
  findTarget,
  type FoundAmendment,
  listAmendments,
  stateNotRead,
} from "./find.ts";
import type { Api, Published } from "../api/api.ts";
import type { Command } from "../api/command.ts";
import type { Outcome } from "../gate/decision/reason.ts";
import type { State } from "../gate/state.ts";
import { findAmendment } from "../gate/update.ts";
import type { Appender } from "../kafka/append.ts";
import { currentStateOf, type RunningConnector, type RunningConnectors } from "./running.ts";
import { type Planner, planMigration } from "./plan.ts";
import { healthOf } from "./health.ts";
import { amendmentView, connectorView, topicView } from "./views.ts";
import { renderOutcome, renderReason } from "../words/reason.ts";

/**
 * The service's side of the API that HTTP serves: reads and commands for all connectors of the process.
 */

export interface ApiParts extends RunningConnectors {
  readonly planners: ReadonlyMap<string, Omit<Planner, "name" | "state">>;
  readonly deployment: string;
  readonly version: string;
  readonly controlTopics: ControlTopics;
  readonly appender: Appender;
}

/** Implements the API: reads the last committed states, and writes to the contracts and commands topics. */
export function createApi(parts: ApiParts): Api {
  const { connectors, controlTopics, deployment, version } = parts;
  /** Computes the current states once per request, not per amendment. */
  const viewer = () => {
    const current = new Map(connectors.map((running) => [running, currentStateOf(parts, running)]));
    return ({ running, amendment }: FoundAmendment) =>
      amendmentView(running, amendment, current.get(running), Date.now());
  };
  return {
    health: async () => healthOf({ connectors, deployment, version, isOpen: true }),
    connectors: async () => connectors.map((running) => connectorView(running, Date.now())),
    amendments: async ({ table }) =>
      (table === undefined ? everyAmendment(connectors) : amendmentsOfTable(connectors, table)).map(viewer()),
    amendment: async (id) => viewer()(findCalled(connectors, id)),
    contracts: async () => Array.from(eachContract(controlTopics.contracts()), ([, contract]) => contract),
    async publishContract(contract: Contract) {
      const id = contractKey(contract);
      checkContractQuota(contract, await othersOf(parts, contract, (key) => !isKeyOf(key, contract)));
      await appendContract(parts, id, contract);
      // Old versions are withdrawn last, so that a failure in between leaves too many contracts, not too few.
      for (const key of await readKeys(controlTopics, contract))
        if (key !== id) await appendContract(parts, key, undefined);
      return published(parts, id, contract);
    },
    async publishRollingOut(contract: Contract) {
      const id = rollingKey(contract);
      checkContractQuota(contract, await othersOf(parts, contract, (key) => key !== id));
      await appendContract(parts, id, contract);
      return published(parts, id, contract);
    },
    async retireContract(named) {
      const keys = await readKeys(controlTopics, named);
      const waited = amendmentsWaitingFor(connectors, named);
      for (const key of keys) await appendContract(parts, key, undefined);
      return { retired: keys.length, waited };
    },
    command: (command, check) => appendCommand(parts, command, check),
    async outcome(commandId) {
      for (const { state } of connectors) {
        if (state === undefined) continue;
        const outcome = state.outcomes.get(commandId);
        if (outcome?.kind === "pending") return { kind: "pending", waits: waitsOf(state, outcome) };
        if (outcome !== undefined) return renderOutcome(outcome);
      }
      return { kind: "pending" };
    },
    coverage: async ({ policy }) => coverageOf(currentPlanners(parts), Date.now(), policy),
    plan: (steps) => planMigration(currentPlanners(parts), steps, Date.now()),
    async topic(name) {
      const { running, table } = findTable(connectors, name);
      const rules = parts.planners.get(running.name)?.rules;
      return topicView(table, { environment: rules?.["fieldgate.environment"], severity: rules?.severity });
    },
  };
}

/** Why each amendment of a pending release does not flow yet. */
function waitsOf(state: State, { ids = [] }: Extract<Outcome, { kind: "pending" }>) {
  return ids.flatMap((id) => {
    const gate = findAmendment(state, id)?.amendment.gate;
    return gate?.kind === "withheld" ? [{ id, why: renderReason(gate.reason) }] : [];
  });
}

async function published(parts: ApiParts, id: string, contract: Contract): Promise<Published> {
  const { controlTopics } = parts;
  await controlTopics.readContractsToEnd();
  const topics = new Set<string>();
  for (const [, { consumer, environment, topic }] of eachContract(controlTopics.contracts())) {
    if (consumer === contract.consumer && environment === contract.environment) topics.add(topic);
  }
  topics.delete(contract.topic);
  return { id, counts: countsOf(parts, contract, Date.now()), otherTopics: [...topics].toSorted() };
}

/** The consumer's other contracts, in all environments, as far as their keys remain. */
async function othersOf({ controlTopics }: ApiParts, { consumer }: Contract, remains: (key: string) => boolean) {
  await controlTopics.readContractsToEnd();
  return [...eachContract(controlTopics.contracts())].flatMap(([key, one]) =>
    one.consumer === consumer && remains(key) ? [one] : [],
  );
}

/** `undefined` as the contract withdraws it. */
async function appendContract({ appender, controlTopics }: ApiParts, key: string, contract: Contract | undefined) {
  const value = contract === undefined ? null : Buffer.from(JSON.stringify(contract));
  await appender.append(controlTopics.topics.contracts, 0, Buffer.from(key), value);
}

/** The keys of all current versions of a contract, including those that are being rolled out. */
async function readKeys(controlTopics: ControlTopics, named: ContractName): Promise<readonly string[]> {
  await controlTopics.readContractsToEnd();
  const own = controlTopics.contracts().get(named.topic);
  return [...(own?.keys() ?? [])].filter((key) => isKeyOf(key, named));
}

function amendmentsWaitingFor(connectors: readonly RunningConnector[], named: ContractName): readonly string[] {
  return listAmendments(connectors).flatMap(({ amendment: { id, topic, gate, verdicts } }) => {
    const isAsked = ({ consumer, environment, verdict }: (typeof verdicts)[number]) =>
      consumer === named.consumer && environment === named.environment && verdict !== "ready";
    return gate.kind === "withheld" && topic === named.topic && verdicts.some(isAsked) ? [id] : [];
  });
}

/** Throws `starting` until every connector has read its state, because tables would be missing before that. */
function currentPlanners(parts: ApiParts): readonly Planner[] {
  return parts.connectors.map((running) => {
    const { name } = running;
    const [planner, current] = [parts.planners.get(name), currentStateOf(parts, running)];
    if (planner !== undefined && current !== undefined) return { name, ...planner, ...current };
    throw stateNotRead(running);
  });
}

/** All amendments of a command must belong to one connector, so that it is carried out or refused as a whole. */
async function appendCommand(
  parts: ApiParts,
  command: Command,
  check: (connector: string) => void,
): Promise<{ readonly id: string }> {
  const found = command.ids.map((id) => findTarget(parts.connectors, id));
  const names = new Set(found.map(({ running }) => running.name));
  const [connector] = names;
  if (connector === undefined || names.size > 1) {
    throw new GuardError("refused", "the amendments belong to several connectors", {
      next: "send one command per connector",
    });
  }
  check(connector);
  checkCommandQuota(connector, parts.controlTopics.waitingCommands(connector));
  await parts.controlTopics.followCommands();
  const id = randomUUID();
  const ids = [...new Set(found.map((one) => one.id))];
  const text = renderCommand(connector, { ...command, id, ids, force: command.force ?? false });
  await parts.appender.append(parts.controlTopics.topics.commands, 0, Buffer.from(connector), Buffer.from(text));
  return { id };
}
