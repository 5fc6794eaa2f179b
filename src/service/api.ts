import { randomUUID } from "node:crypto";
import { type Contract, contractKey, type ContractName, isKeyOf, rollingKey } from "../contract/contract.ts";
import { nearestName } from "../mistake.ts";
import { coverageOf } from "./coverage.ts";
import { commandText, type OpenDesk } from "./control-topics.ts";
import { GuardError } from "../errors.ts";
import { type Amendment, isCalled } from "../gate/amendment/amendment.ts";
import type { Api, Command, Health, TopicView } from "../api/api.ts";
import type { Appender } from "../kafka/append.ts";
import { type Known, knownNow, type Running } from "./running.ts";
import { type Planner, planOf } from "./plan.ts";
import { amendmentView, connectorView, topicView } from "./views.ts";

export interface ApiParts extends Known {
  readonly deployment: string;
  readonly version: string;
  readonly desk: OpenDesk;
  readonly appender: Appender;
}

interface Found {
  readonly running: Running;
  readonly amendment: Amendment;
}

/** What the HTTP server asks: reads from the last committed states, writes to the contracts and commands topics. */
export function serviceApi(parts: ApiParts): Api {
  const { connectors, desk, deployment, version } = parts;
  /** What is known is put together once for a request, not for each amendment. */
  const viewer = () => {
    const known = new Map(connectors.map((running) => [running, knownNow(parts, running)]));
    return ({ running, amendment }: Found) => amendmentView(running, amendment, known.get(running), Date.now());
  };
  return {
    health: async () => ({ status: healthOf(connectors), deployment, version }),
    connectors: async () => connectors.map((running) => connectorView(running, Date.now())),
    amendments: async ({ table }) =>
      all(connectors)
        .filter((found) => isOf(found, table))
        .map(viewer()),
    amendment: async (id) => viewer()(one(connectors, id)),
    contracts: async () => [...desk.contracts().values()],
    async publishContract(contract: Contract) {
      const id = contractKey(contract);
      await appendContract(parts, id, contract);
      // Only then: whatever happens in between, too many are asked and not too few.
      for (const key of await keysOf(desk, contract)) if (key !== id) await appendContract(parts, key, undefined);
      return { id };
    },
    async publishRollingOut(contract: Contract) {
      const id = rollingKey(contract);
      await appendContract(parts, id, contract);
      return { id };
    },
    async retireContract(named) {
      const keys = await keysOf(desk, named);
      const waited = waitingFor(connectors, named);
      for (const key of keys) await appendContract(parts, key, undefined);
      return { retired: keys.length, waited };
    },
    command: (command, check) => append(parts, command, check),
    async outcome(commandId) {
      for (const { state } of connectors) {
        const outcome = state?.outcomes.get(commandId);
        if (outcome !== undefined) return outcome;
      }
      return { kind: "pending" };
    },
    coverage: async ({ policy }) => coverageOf(plannersOf(parts), Date.now(), policy),
    plan: (steps) => planOf(plannersOf(parts), steps, Date.now()),
    topic: async (name) => topicOf(parts, name),
  };
}

/** Throws `not-found` for a topic no connector publishes, and `refused` while a connector may still turn out to. */
function topicOf({ connectors, planners }: ApiParts, topic: string): TopicView {
  for (const { name, state } of connectors) {
    const table = state?.tables.get(topic);
    if (table !== undefined) return topicView(table, planners.get(name)?.rules.severity);
  }
  const starting = connectors.find(({ state }) => state === undefined);
  if (starting !== undefined) throw notRead(starting.name);
  const topics = connectors.flatMap(({ state }) => [...(state?.tables.keys() ?? [])]);
  const near = nearestName(topic, topics);
  const next = near === undefined ? topicsText(topics) : `did you mean ${near}?`;
  throw new GuardError("not-found", `no connector publishes topic ${topic}`, { next });
}

function notRead(connector: string): GuardError {
  return new GuardError("refused", `connector ${connector} has not read its state yet`, {
    next: "ask again in a moment",
  });
}

const SHOWN_TOPICS = 20;

function topicsText(topics: readonly string[]): string {
  if (topics.length === 0) return "no table has been published yet";
  const more = topics.length > SHOWN_TOPICS ? ` and ${topics.length - SHOWN_TOPICS} more` : "";
  return `published are ${topics.slice(0, SHOWN_TOPICS).join(", ")}${more}`;
}

/** undefined withdraws it. */
async function appendContract({ appender, desk }: ApiParts, key: string, contract: Contract | undefined) {
  const value = contract === undefined ? null : Buffer.from(JSON.stringify(contract));
  await appender.append(desk.topics.contracts, 0, Buffer.from(key), value);
}

/** Under which keys the named contract stands as of now, versions that are being rolled out included. */
async function keysOf(desk: OpenDesk, named: ContractName): Promise<readonly string[]> {
  await desk.readContractsToEnd();
  return [...desk.contracts().keys()].filter((key) => isKeyOf(key, named));
}

function waitingFor(connectors: readonly Running[], named: ContractName): readonly string[] {
  return all(connectors).flatMap(({ amendment: { id, topic, gate, verdicts } }) => {
    const isAsked = ({ consumer, environment, verdict }: (typeof verdicts)[number]) =>
      consumer === named.consumer && environment === named.environment && verdict !== "ready";
    return gate.kind === "withheld" && topic === named.topic && verdicts.some(isAsked) ? [id] : [];
  });
}

/** Throws `refused` while a connector has not read its state: its tables would be missing. */
function plannersOf(parts: ApiParts): readonly Planner[] {
  return parts.connectors.map((running) => {
    const { name } = running;
    const [planner, now] = [parts.planners.get(name), knownNow(parts, running)];
    if (planner !== undefined && now !== undefined) return { name, ...planner, ...now };
    throw notRead(name);
  });
}

function healthOf(connectors: readonly Running[]): Health["status"] {
  if (connectors.some(({ status }) => status.kind === "stopped")) return "stopped";
  return connectors.every(({ state }) => state !== undefined) ? "ok" : "starting";
}

function all(connectors: readonly Running[]): readonly Found[] {
  return connectors.flatMap((running) =>
    [...(running.state?.tables.values() ?? [])].flatMap((table) =>
      table.amendments.map((amendment) => ({ running, amendment })),
    ),
  );
}

function isOf({ running, amendment }: Found, table: string | undefined): boolean {
  if (table === undefined || amendment.topic === table) return true;
  const shape = running.state?.tables.get(amendment.topic)?.shape;
  return `${shape?.table.schema}.${shape?.table.name}` === table;
}

function one(connectors: readonly Running[], id: string): Found {
  const found = all(connectors).filter(({ amendment }) => isCalled(amendment, id));
  const [first, second] = found;
  if (first === undefined) {
    throw new GuardError("not-found", `there is no amendment ${id}`, { next: "fieldgate amendments lists them" });
  }
  if (second === undefined) return first;
  const ids = found.map(({ amendment }) => amendment.id).join(", ");
  throw new GuardError("refused", `${id} names several amendments: ${ids}`, { next: "say one of these ids" });
}

/** All amendments of one command are of one connector: it is carried out as a whole or refused as a whole. */
async function append(
  parts: ApiParts,
  command: Command,
  check: (connector: string) => void,
): Promise<{ readonly id: string }> {
  const found = command.ids.map((id) => one(parts.connectors, id));
  const names = new Set(found.map(({ running }) => running.name));
  const [connector] = names;
  if (connector === undefined || names.size > 1) {
    throw new GuardError("refused", "a command is about amendments of one connector", { next: "say it for each" });
  }
  check(connector);
  const id = randomUUID();
  const { kind, reason, backfill, value, actor } = command;
  const ids = found.map(({ amendment }) => amendment.id);
  const force = command.force ?? false;
  const beside = command.beside && { name: command.beside.name };
  const text = commandText(connector, { id, kind, ids, reason, force, backfill, beside, value, actor });
  await parts.appender.append(parts.desk.topics.commands, 0, Buffer.from(connector), Buffer.from(text));
  return { id };
}
