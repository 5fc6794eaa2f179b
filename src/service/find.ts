import { GuardError } from "../errors.ts";
import { type Amendment, isCalled } from "../gate/amendment/amendment.ts";
import { repairedTopic } from "../gate/decision/repair.ts";
import { repartitionedTopic } from "../gate/decision/repartition.ts";
import type { TableState } from "../gate/state.ts";
import { topicOfRow } from "../gate/update.ts";
import { nearestName } from "../mistake.ts";
import { fullName } from "../table/quote.ts";
import type { RunningConnector } from "./running.ts";

/**
 * Finds what a name in a request means: a topic, a table, an amendment, or what a command is for. A name that no
 * connector knows is `not-found` with the nearest known name. While a connector that may know it has not read its
 * state yet, the answer is `starting` and never "there is none".
 */

type Connectors = readonly RunningConnector[];

export interface FoundAmendment {
  readonly running: RunningConnector;
  readonly amendment: Amendment;
}

/** Every amendment. Throws `starting` while a connector has not read its state. */
export function everyAmendment(connectors: Connectors): readonly FoundAmendment[] {
  checkStatesRead(connectors);
  return listAmendments(connectors);
}

/** The amendments of `public.customers` or `inventory.public.customers`. Throws `not-found` and `starting`. */
export function amendmentsOfTable(connectors: Connectors, table: string): readonly FoundAmendment[] {
  const captured = capturedTables(connectors);
  const found = captured.filter(({ topic, name }) => topic === table || name === table);
  // Several connectors may capture a table of this name, but only one publishes to a topic.
  if (!found.some(({ topic }) => topic === table)) checkStatesRead(connectors);
  if (found.length === 0) {
    const known = captured.flatMap(({ topic, name }) => [name, topic]);
    throw notFound(`no connector captures a table or publishes a topic called ${table}`, table, known);
  }
  const topics = new Set(found.map(({ topic }) => topic));
  return listAmendments(connectors).filter(({ amendment }) => topics.has(amendment.topic));
}

interface CapturedTable {
  readonly topic: string;
  /** With its schema. */
  readonly name: string;
}

function capturedTables(connectors: Connectors): readonly CapturedTable[] {
  return connectors.flatMap(({ state }) =>
    [...(state?.tables.values() ?? [])].map(({ shape }) => ({ topic: shape.topic, name: fullName(shape.table) })),
  );
}

/** The connector that publishes the topic, and its table. Throws `not-found` and `starting`. */
export function findTable(
  connectors: Connectors,
  topic: string,
): { readonly running: RunningConnector; readonly table: TableState } {
  for (const running of connectors) {
    const table = running.state?.tables.get(topic);
    if (table !== undefined) return { running, table };
  }
  checkStatesRead(connectors);
  const topics = capturedTables(connectors).map((one) => one.topic);
  throw notFound(`no connector publishes topic ${topic}`, topic, topics);
}

function notFound(what: string, name: string, known: readonly string[]): GuardError {
  const near = nearestName(name, known);
  return new GuardError("not-found", what, { next: near === undefined ? knownText(known) : `did you mean ${near}?` });
}

const SHOWN_NAMES = 20;

function knownText(names: readonly string[]): string {
  if (names.length === 0) return "no table has been published yet";
  const more = names.length > SHOWN_NAMES ? ` and ${names.length - SHOWN_NAMES} more` : "";
  return `the known names are ${names.slice(0, SHOWN_NAMES).join(", ")}${more}`;
}

/** Throws `starting` with the first connector that has not read its state yet, and what keeps it from doing so. */
function checkStatesRead(connectors: Connectors): void {
  const unread = connectors.find(({ state }) => state === undefined);
  if (unread !== undefined) throw stateNotRead(unread);
}

/** For a connector whose state is needed and not known. */
export function stateNotRead({ name, status }: Pick<RunningConnector, "name" | "status">): GuardError {
  const isFailing = status.kind === "retrying" || status.kind === "stopped";
  const why = isFailing ? ` (${status.kind}: ${status.message})` : "";
  return new GuardError("starting", `connector ${name} has not read its state yet${why}`, {
    next: isFailing ? (status.next ?? "end what keeps the connector from starting") : "try again in a moment",
  });
}

export function listAmendments(connectors: Connectors): readonly FoundAmendment[] {
  return connectors.flatMap((running) =>
    [...(running.state?.tables.values() ?? [])].flatMap((table) =>
      table.amendments.map((amendment) => ({ running, amendment })),
    ),
  );
}

/** Throws `not-found`, `starting`, and `refused` for a name that several amendments have. */
export function findAmendment(connectors: Connectors, id: string): FoundAmendment {
  const all = listAmendments(connectors);
  const called = all.filter(({ amendment }) => isCalled(amendment, id));
  // A field that was dropped and added again has released amendments too: its name means the open one, or the newest.
  const open = called.filter(({ amendment }) => amendment.gate.kind === "withheld");
  const [first, second] = open.length > 0 ? open : called.slice(-1);
  if (first === undefined) {
    checkStatesRead(connectors);
    throw noAmendment(all, id);
  }
  if (second === undefined) return first;
  const ids = open.map(({ amendment }) => amendment.id).join(", ");
  throw new GuardError("refused", `${id} matches several amendments: ${ids}`, { next: "use one of these ids" });
}

function noAmendment(all: readonly FoundAmendment[], id: string): GuardError {
  const names = all.flatMap(({ amendment: { id: other, topic, name } }) => [other, `${topic}.${name}`]);
  const near = nearestName(id, names);
  return new GuardError("not-found", `there is no amendment ${id}`, {
    next: near === undefined ? "`fieldgate amendments` lists the ids" : `did you mean ${near}?`,
  });
}

export interface Target {
  readonly running: RunningConnector;
  readonly id: string;
}

/** What a command names: an amendment, `TOPIC/repair`, `TOPIC/partitions`, or with `TOPIC/row` the change of a topic that waits. */
export function findTarget(connectors: Connectors, name: string): Target {
  const topic = topicOfRow(name);
  if (topic !== undefined) return { running: findTable(connectors, topic).running, id: name };
  const unamended = findUnamended(connectors, name);
  if (unamended !== undefined) return unamended;
  const { running, amendment } = findAmendment(connectors, name);
  return { running, id: amendment.id };
}

/** Finds what `TOPIC/repair` or `TOPIC/partitions` names, which belongs to no amendment. */
function findUnamended(connectors: Connectors, id: string): Target | undefined {
  const [repaired, spread] = [repairedTopic(id), repartitionedTopic(id)];
  const running = connectors.find(
    ({ state }) =>
      (repaired !== undefined && state?.jobs.has(`repair/${repaired}`) === true) ||
      (spread !== undefined && state?.tables.get(spread)?.morePartitions !== undefined),
  );
  return running && { running, id };
}
