import { randomUUID } from "node:crypto";
import { type Contract, contractKey, type ContractName, isKeyOf, rollingKey } from "../contract/contract.ts";
import { nearestName } from "../mistake.ts";
import { coverageOf } from "./coverage.ts";
import { type ControlTopics, renderCommand } from "./control-topics.ts";
import { GuardError } from "../errors.ts";
import { type Amendment, isCalled } from "../gate/amendment/amendment.ts";
import { repartitionedTopic } from "../gate/decision/repartition.ts";
import { repairedTopic } from "../gate/decision/repair.ts";
import type { Api, Health, TopicView } from "../api/api.ts";
import type { Command } from "../api/command.ts";
import { topicOfRow } from "../gate/update.ts";
import type { Appender } from "../kafka/append.ts";
import { currentStateOf, type RunningConnector, type RunningConnectors } from "./running.ts";
import { type Planner, planMigration } from "./plan.ts";
import { amendmentView, connectorView, topicView, waitView } from "./views.ts";
import { renderOutcome } from "../words/reason.ts";

/**
 * The service's side of the API that HTTP serves: reads and commands for all connectors of the process.
 */

export interface ApiParts extends RunningConnectors {
  readonly deployment: string;
  readonly version: string;
  readonly controlTopics: ControlTopics;
  readonly appender: Appender;
}

interface FoundAmendment {
  readonly running: RunningConnector;
  readonly amendment: Amendment;
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
    health: async () => ({
      status: healthOf(connectors),
      deployment,
      version,
      ...parkedOf(connectors),
      ...waitingOf(connectors),
    }),
    connectors: async () => connectors.map((running) => connectorView(running, Date.now())),
    amendments: async ({ table }) =>
      listAmendments(connectors)
        .filter((found) => isOfTable(found, table))
        .map(viewer()),
    amendment: async (id) => viewer()(findAmendment(connectors, id)),
    contracts: async () => [...controlTopics.contracts().values()],
    async publishContract(contract: Contract) {
      const id = contractKey(contract);
      await appendContract(parts, id, contract);
      // Old versions are withdrawn last, so that a failure in between leaves too many contracts, not too few.
      for (const key of await readKeys(controlTopics, contract))
        if (key !== id) await appendContract(parts, key, undefined);
      return { id };
    },
    async publishRollingOut(contract: Contract) {
      const id = rollingKey(contract);
      await appendContract(parts, id, contract);
      return { id };
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
        const outcome = state?.outcomes.get(commandId);
        if (outcome !== undefined) return renderOutcome(outcome);
      }
      return { kind: "pending" };
    },
    coverage: async ({ policy }) => coverageOf(currentPlanners(parts), Date.now(), policy),
    plan: (steps) => planMigration(currentPlanners(parts), steps, Date.now()),
    topic: async (name) => readTopic(parts, name),
  };
}

/**
 * Throws `not-found` if no connector publishes the topic, and `refused` while a connector that might publish it is
 * still starting.
 */
function readTopic({ connectors, planners }: ApiParts, topic: string): TopicView {
  for (const { name, state } of connectors) {
    const table = state?.tables.get(topic);
    if (table !== undefined) return topicView(table, planners.get(name)?.rules.severity);
  }
  const starting = connectors.find(({ state }) => state === undefined);
  if (starting !== undefined) throw stateNotRead(starting.name);
  const topics = connectors.flatMap(({ state }) => [...(state?.tables.keys() ?? [])]);
  const near = nearestName(topic, topics);
  const next = near === undefined ? topicsText(topics) : `did you mean ${near}?`;
  throw new GuardError("not-found", `no connector publishes topic ${topic}`, { next });
}

function stateNotRead(connector: string): GuardError {
  return new GuardError("refused", `connector ${connector} has not read its state yet`, {
    next: "try again in a moment",
  });
}

const SHOWN_TOPICS = 20;

function topicsText(topics: readonly string[]): string {
  if (topics.length === 0) return "no table has been published yet";
  const more = topics.length > SHOWN_TOPICS ? ` and ${topics.length - SHOWN_TOPICS} more` : "";
  return `the published topics are ${topics.slice(0, SHOWN_TOPICS).join(", ")}${more}`;
}

/** `undefined` as the contract withdraws it. */
async function appendContract({ appender, controlTopics }: ApiParts, key: string, contract: Contract | undefined) {
  const value = contract === undefined ? null : Buffer.from(JSON.stringify(contract));
  await appender.append(controlTopics.topics.contracts, 0, Buffer.from(key), value);
}

/** The keys of all current versions of a contract, including those that are being rolled out. */
async function readKeys(controlTopics: ControlTopics, named: ContractName): Promise<readonly string[]> {
  await controlTopics.readContractsToEnd();
  return [...controlTopics.contracts().keys()].filter((key) => isKeyOf(key, named));
}

function amendmentsWaitingFor(connectors: readonly RunningConnector[], named: ContractName): readonly string[] {
  return listAmendments(connectors).flatMap(({ amendment: { id, topic, gate, verdicts } }) => {
    const isAsked = ({ consumer, environment, verdict }: (typeof verdicts)[number]) =>
      consumer === named.consumer && environment === named.environment && verdict !== "ready";
    return gate.kind === "withheld" && topic === named.topic && verdicts.some(isAsked) ? [id] : [];
  });
}

/** Throws `refused` until every connector has read its state, because tables would be missing before that. */
function currentPlanners(parts: ApiParts): readonly Planner[] {
  return parts.connectors.map((running) => {
    const { name } = running;
    const [planner, current] = [parts.planners.get(name), currentStateOf(parts, running)];
    if (planner !== undefined && current !== undefined) return { name, ...planner, ...current };
    throw stateNotRead(name);
  });
}

function healthOf(connectors: readonly RunningConnector[]): Health["status"] {
  if (connectors.some(({ status }) => status.kind === "stopped")) return "stopped";
  return connectors.every(({ state }) => state !== undefined) ? "ok" : "starting";
}

function parkedOf(connectors: readonly RunningConnector[]): Pick<Health, "parked"> {
  const parked = connectors.flatMap(({ name, state }) => {
    const tables = [...(state?.tables.values() ?? [])].filter((table) => table.parked !== undefined).length;
    return tables === 0 ? [] : [{ connector: name, tables }];
  });
  return parked.length === 0 ? {} : { parked };
}

function waitingOf(connectors: readonly RunningConnector[]): Pick<Health, "waiting"> {
  const waiting = connectors.flatMap((running) => {
    const wait = waitView(running, Date.now());
    return wait === undefined ? [] : [{ connector: running.name, for: wait.on, seconds: wait.seconds }];
  });
  return waiting.length === 0 ? {} : { waiting };
}

function listAmendments(connectors: readonly RunningConnector[]): readonly FoundAmendment[] {
  return connectors.flatMap((running) =>
    [...(running.state?.tables.values() ?? [])].flatMap((table) =>
      table.amendments.map((amendment) => ({ running, amendment })),
    ),
  );
}

function isOfTable({ running, amendment }: FoundAmendment, table: string | undefined): boolean {
  if (table === undefined || amendment.topic === table) return true;
  const shape = running.state?.tables.get(amendment.topic)?.shape;
  return `${shape?.table.schema}.${shape?.table.name}` === table;
}

function findAmendment(connectors: readonly RunningConnector[], id: string): FoundAmendment {
  const found = listAmendments(connectors).filter(({ amendment }) => isCalled(amendment, id));
  const [first, second] = found;
  if (first === undefined) {
    throw new GuardError("not-found", `there is no amendment ${id}`, { next: "`fieldgate amendments` lists the ids" });
  }
  if (second === undefined) return first;
  const ids = found.map(({ amendment }) => amendment.id).join(", ");
  throw new GuardError("refused", `${id} matches several amendments: ${ids}`, { next: "use one of these ids" });
}

interface Target {
  readonly running: RunningConnector;
  readonly id: string;
}

/** What a command names: an amendment, `TOPIC/repair`, `TOPIC/partitions`, or with `TOPIC/row` the change of a topic that waits. */
function findTarget(connectors: readonly RunningConnector[], name: string): Target {
  if (topicOfRow(name) !== undefined) return findRow(connectors, name);
  const unamended = findUnamended(connectors, name);
  if (unamended !== undefined) return unamended;
  const { running, amendment } = findAmendment(connectors, name);
  return { running, id: amendment.id };
}

/** Finds what `TOPIC/repair` or `TOPIC/partitions` names, which belongs to no amendment. */
function findUnamended(connectors: readonly RunningConnector[], id: string): Target | undefined {
  const [repaired, spread] = [repairedTopic(id), repartitionedTopic(id)];
  const running = connectors.find(
    ({ state }) =>
      (repaired !== undefined && state?.jobs.has(`repair/${repaired}`) === true) ||
      (spread !== undefined && state?.tables.get(spread)?.morePartitions !== undefined),
  );
  return running && { running, id };
}

function findRow(connectors: readonly RunningConnector[], id: string): Target {
  const topic = topicOfRow(id) ?? "";
  const running = connectors.find(({ state }) => state?.tables.has(topic) === true);
  if (running !== undefined) return { running, id };
  const near = nearestName(
    topic,
    connectors.flatMap(({ state }) => [...(state?.tables.keys() ?? [])]),
  );
  throw new GuardError("not-found", `no connector publishes topic ${topic}`, {
    next: near === undefined ? "`fieldgate amendments` lists the topics" : `did you mean ${near}/row?`,
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
  const id = randomUUID();
  const ids = found.map((one) => one.id);
  const text = renderCommand(connector, { ...command, id, ids, force: command.force ?? false });
  await parts.appender.append(parts.controlTopics.topics.commands, 0, Buffer.from(connector), Buffer.from(text));
  return { id };
}
