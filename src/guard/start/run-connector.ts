import { describeError, GuardError } from "../../errors.ts";
import { slab } from "../../event/slab.ts";
import { recalled } from "../../gate/evidence/evidence.ts";
import { missingContracts } from "../../gate/evidence/missing.ts";
import type { TransactionalWriter } from "../../kafka/writer.ts";
import { isStarted, replay, startedRecord, type Stored } from "../../store/records.ts";
import { isoTime } from "../../wal/lsn.ts";
import { findEmptied } from "../control/emptied-topics.ts";
import { noCatalogReads } from "../control/catalog-read.ts";
import { firstTopicLooks } from "../control/topic-look.ts";
import { noRegistryWork } from "../control/registry-work.ts";
import { verifyInBackground } from "../control/verify-schemas.ts";
import { runLoop } from "../loop.ts";
import type { Outside, Source } from "../outside.ts";
import { retrying } from "../retrying.ts";
import { warnOfDeletion } from "../warn-people.ts";
import { withWaits } from "../with-waits.ts";
import { firstLooks } from "../control/looks.ts";
import { type Ddl, post, type Session } from "../session.ts";
import { createWaker } from "../waker.ts";
import { stateRecord } from "../stream/batch.ts";
import { prepareTopic, prepareTopicEarly } from "../control/park.ts";
import { findBacklogs, noParking } from "../stream/backlog.ts";
import { noPoison } from "../control/poison-news.ts";
import { idleChunks } from "../stream/chunks.ts";
import { describeTopics } from "./capture-tables.ts";
import { followPartitions } from "./follow-partitions.ts";
import { prepareState } from "./first-start.ts";

/**
 * Runs a connector as one session after another. Each session opens the source and the writer, fences older writers,
 * reads the state, prepares what is missing (first-start.ts), and runs the loop until an error ends it.
 */

/** Delays between sessions, in milliseconds. */
const DELAYS_MS = [100, 500, 1000, 2000, 5000, 10_000] as const;

/**
 * Runs a connector until the signal aborts, or until an error that only a person can resolve, which is thrown. Any
 * other error ends the session; the next one begins with the fence, after a growing delay. In between, nothing is
 * acknowledged.
 */
export async function runConnector(given: Outside, signal: AbortSignal): Promise<void> {
  const outside = withWaits(given);
  const { now, sleep, status, log } = outside;
  const turn: Turn = { own: new Set(), seen: false, emptied: new Set(), unreadable: false };
  try {
    await retrying(() => runSession(outside, turn, signal), {
      now,
      sleep,
      signal,
      delaysMs: DELAYS_MS,
      onRetry(error) {
        status({ kind: "retrying", ...problemOf(error) });
        log.warn(`${error.message}; trying again`);
      },
    });
  } catch (error) {
    if (signal.aborted) return;
    status({ kind: "stopped", ...problemOf(error) });
    throw error;
  }
}

/** What this process knows from its earlier sessions. */
interface Turn {
  /** Ids of its `started` records. */
  readonly own: Set<string>;
  /** True once one of them was read back. Every later record in the topic was written after it. */
  seen: boolean;
  /** Topics that were made again by somebody else, and whose rows are not scheduled for publication yet. */
  readonly emptied: Set<string>;
  /** The last session ended at a part of the log that PostgreSQL cannot read. */
  unreadable: boolean;
}

/**
 * Decides, before fencing again, whether another instance has started in the meantime. Being fenced does not prove
 * that, because the broker also fences a writer whose transaction expired, for example while this process was
 * suspended. A lost connection, on the other hand, may mean that another instance took the slot. If both simply
 * continued, they would fence each other forever.
 */
async function mustBeOurTurn(outside: Outside, turn: Turn, signal: AbortSignal): Promise<void> {
  if (!turn.seen) return;
  const records = await outside.sink.readState(undefined, signal);
  const last = records.findLast(({ key }) => key === "started");
  if (last !== undefined && [...turn.own].some((id) => isStarted(last, id))) return;
  throw new GuardError("connector-taken", "another instance has started this connector", {
    next: "run one instance of a deployment; this one has stopped running the connector",
  });
}

function problemOf(error: unknown) {
  const known = error instanceof GuardError ? error : undefined;
  return { code: known?.code, message: known?.message ?? describeError(error), next: known?.next };
}

const MIN_MESSAGE_BYTES = 64 << 20;

/**
 * The size limit for a message of the log. A larger one is not read: it would be held in memory several times, and no
 * event has room for it. A row may be four times as long as its event, because it contains the old row beside the new
 * one and bytes as hexadecimal digits.
 */
function mostBytes(limits: Iterable<number>): number {
  return Math.max(MIN_MESSAGE_BYTES, ...[...limits].map((limit) => limit * 4));
}

/** Used for a topic whose max.message.bytes is not known yet: Kafka's default. */
const DEFAULT_MAX_BYTES = 1_048_576;

async function runSession(outside: Outside, turn: Turn, stopping: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const signal = AbortSignal.any([stopping, ended.signal]);
  outside.status({ kind: "starting" });
  await mustBeOurTurn(outside, turn, signal);
  await using source = await outside.openSource();
  const maxBytes = new Map<string, number>();
  await outside.sink.createStateTopic();
  await using writer = await outside.sink.openWriter((topic) => maxBytes.get(topic) ?? DEFAULT_MAX_BYTES);
  try {
    const before = await fence(outside, turn, writer, signal);
    const stored = await prepareState(outside, source, writer, before, turn, signal);
    turn.emptied.clear();
    turn.unreadable = false;
    await streamFrom(outside, source, writer, stored, maxBytes, signal);
  } catch (error) {
    if (error instanceof GuardError && error.emptied !== undefined) turn.emptied.add(error.emptied);
    if (error instanceof GuardError && error.code === "log-unreadable") turn.unreadable = true;
    throw error;
  } finally {
    ended.abort();
  }
}

/**
 * Commits a unique record, then reads the state topic up to it. The commit fences every older writer and ends its open
 * transactions, so what is read is the whole state.
 */
async function fence(outside: Outside, turn: Turn, writer: TransactionalWriter, signal: AbortSignal): Promise<Stored> {
  const id = outside.uuid();
  const time = isoTime(outside.now());
  turn.own.add(id);
  await writer.commit([stateRecord(outside.settings.stateTopic, startedRecord(id, time))], signal);
  const records = await outside.sink.readState((record) => isStarted(record, id), signal);
  turn.own.clear();
  turn.own.add(id);
  turn.seen = true;
  return replay(records);
}

async function streamFrom(
  outside: Outside,
  source: Source,
  writer: TransactionalWriter,
  stored: Stored,
  maxBytes: Map<string, number>,
  signal: AbortSignal,
): Promise<void> {
  const { position } = stored;
  if (position === undefined)
    throw new GuardError(
      "state-invalid",
      "the state topic has no log position, although the connector has started before",
    );
  const { controlTopics, groups, sink, settings } = outside;
  const topics = new Map(await describeTopics(outside, [...stored.tables.keys()]));
  const stateTopic = (await sink.describeTopics([settings.stateTopic])).get(settings.stateTopic);
  if (stateTopic !== undefined) {
    topics.set(settings.stateTopic, stateTopic);
    warnOfDeletion(
      outside,
      settings.stateTopic,
      stateTopic.cleanupPolicy,
      "amendments, exclusions and unfinished jobs",
    );
  }
  const dataTopics = new Map([...topics].filter(([name]) => name !== settings.stateTopic));
  for (const [name, { maxMessageBytes }] of topics) maxBytes.set(name, maxMessageBytes);
  await controlTopics.readContractsToEnd();
  if (stored.lastRun?.keys["fieldgate.environment"] === settings["fieldgate.environment"]) {
    const known = controlTopics.contracts();
    controlTopics.missing(missingContracts(stored.evidence, settings["fieldgate.environment"], known));
  }
  const waker = createWaker();
  await source.terminateReader();
  await using stream = await source.openStream(position.endLsn, waker.wake, mostBytes(maxBytes.values()));
  const { tables, jobs, outcomes, evidence, commandOffset } = followPartitions(outside, stored, dataTopics);
  const ddl = await findTrigger(source, stored.trigger);
  const looks = firstLooks(outside, await source.look(), tables.values());
  // From here to `listen` nothing may be awaited, so that no contract arrives between the copy and the listening.
  const session: Session = {
    outside,
    source,
    signal,
    waker,
    tape: {
      stream,
      position,
      tx: undefined,
      held: undefined,
      keepaliveEnd: undefined,
      lastCommitTime: undefined,
      relations: new Map(),
    },
    control: {
      state: { tables, jobs, outcomes, contracts: controlTopics.contracts(), evidence: recalled(evidence) },
      inbox: [],
      commandOffset,
      ddl,
      catalog: noCatalogReads(),
      rechecks: [],
      work: noRegistryWork(),
      toAlert: new Set(),
      parksToReport: new Set(),
      looks,
      lastRun: stored.lastRun,
      poison: noPoison(),
      halts: new Map(),
    },
    batch: {
      writer,
      records: [],
      bytes: 0,
      slab: slab(),
      partitions: new Map([...topics].map(([name, { partitions }]) => [name, partitions])),
      maxBytes,
      topics: firstTopicLooks(dataTopics),
      committed: stored,
    },
    chunks: idleChunks(),
    heartbeat: { ids: undefined, due: 0n, busy: false },
    parking: noParking(),
  };
  using _listening = controlTopics.listen(commandOffset, {
    contract: (key, contract) => post(session, { input: { kind: "contract", key, contract } }),
    command: (command, offset) => post(session, { input: { kind: "command", command }, nextCommand: offset + 1n }),
  });
  using _polling = groups.listen(
    () => [...session.control.state.tables.keys()],
    (poll) => post(session, { input: { kind: "groups", poll } }),
  );
  using _aborted = onAbort(signal, () => waker.fail(signal.reason));
  verifyInBackground(session);
  findBacklogs(session);
  if (session.parking.backlogs.size > 0) await prepareTopic(session);
  else prepareTopicEarly(session);
  findEmptied(session);
  await runLoop(session);
}

async function findTrigger(source: Source, before: string | undefined): Promise<Ddl> {
  const secret = await source.ddlSecret();
  const found = secret === undefined ? undefined : await source.triggerIdentity();
  const complete = found === before ? found : undefined;
  return { secret, readAgain: 0n, complete, found: complete === undefined ? found : undefined, unproven: new Set() };
}

function onAbort(signal: AbortSignal, then: () => void): Disposable {
  signal.addEventListener("abort", then, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", then) };
}
