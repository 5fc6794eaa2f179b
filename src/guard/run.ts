import { describeError, GuardError } from "../errors.ts";
import { slab } from "../event/slab.ts";
import type { TableState } from "../gate/state.ts";
import type { TransactionalWriter } from "../kafka/writer.ts";
import { changes, isStarted, replay, startedRecord, type Stored } from "../store/records.ts";
import { formatLsn, type Lsn } from "../wal/lsn.ts";
import type { Position } from "../wal/position.ts";
import { idleMachine } from "./chunks.ts";
import { follow, stateRecord } from "./loop.ts";
import type { Outside, Source } from "./outside.ts";
import { createWake, fail, post, type Session } from "./session.ts";
import { type Capturable, capturable, firstState, snapshotJobs } from "./start.ts";

/** Delays between sessions after errors that may pass, in ms. */
const DELAYS = [100, 500, 1000, 2000, 5000, 10_000];
/** A session that lived so long ends the growing of the delay. */
const HEALTHY_MICROS = 60_000_000n;

/**
 * Runs a connector until the signal, or until something that only a person can mend: that is thrown. Whatever may
 * pass is tried again with growing delay, from the fence on; nothing is acknowledged meanwhile.
 */
export async function runConnector(outside: Outside, signal: AbortSignal): Promise<void> {
  const turn: Turn = { started: undefined };
  for (let tries = 0; !signal.aborted; tries++) {
    const begun = outside.now();
    try {
      await runSession(outside, turn, signal);
    } catch (error) {
      if (signal.aborted) return;
      const problem = problemOf(error);
      if (!(await mayPass(outside, turn, error, signal))) {
        outside.status({ kind: "stopped", ...problem });
        throw error;
      }
      if (outside.now() - begun > HEALTHY_MICROS) tries = 0;
      outside.status({ kind: "retrying", ...problem });
      outside.log.warn(`${problem.message}; trying again`);
    }
    await outside.sleep(DELAYS[Math.min(tries, DELAYS.length - 1)] ?? 10_000, signal).catch(() => {}); // aborted: the loop ends
  }
}

/** Which `started` record was this process's last. */
interface Turn {
  started: string | undefined;
}

/**
 * The broker also fences a writer whose transaction it gave up, say after this process was stopped for a while: then
 * the last `started` is still ours and we go on. Another's means that another instance runs the connector.
 */
async function mayPass(outside: Outside, turn: Turn, error: unknown, signal: AbortSignal): Promise<boolean> {
  if (!(error instanceof GuardError)) return false;
  if (error.code !== "kafka-fenced") return error.fate === "retry";
  try {
    const records = await outside.sink.readState(undefined, signal);
    return (
      turn.started !== undefined &&
      records.findLast(({ key }) => key === "started")?.value?.includes(turn.started) === true
    );
  } catch (failure) {
    return failure instanceof GuardError && failure.fate === "retry";
  }
}

function problemOf(error: unknown) {
  const known = error instanceof GuardError ? error : undefined;
  return { code: known?.code, message: known?.message ?? describeError(error), next: known?.next };
}

/** From fence to failure. */
async function runSession(outside: Outside, turn: Turn, signal: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  outside.status({ kind: "starting" });
  await using source = await outside.openSource();
  const maxBytes = new Map<string, number>();
  await outside.sink.createTopic({ name: outside.settings.stateTopic, partitions: 1, config: STATE_TOPIC });
  await using writer = await outside.sink.openWriter((topic) => maxBytes.get(topic) ?? 1_048_576);
  try {
    const before = await fence(outside, turn, writer, either);
    const stored = await beginOrGoOn(outside, source, writer, before, either);
    await streamFrom(outside, source, writer, stored, maxBytes, either);
  } finally {
    ended.abort();
  }
}

const STATE_TOPIC = {
  "cleanup.policy": "compact",
  "segment.bytes": "16777216",
  "segment.ms": "600000",
  "delete.retention.ms": "600000",
  "min.cleanable.dirty.ratio": "0.1",
};

/**
 * A first commit fences every older writer and settles what it left open; reading up to it gives the whole state.
 */
async function fence(outside: Outside, turn: Turn, writer: TransactionalWriter, signal: AbortSignal): Promise<Stored> {
  const id = outside.uuid();
  const time = new Date(Number(outside.now() / 1000n)).toISOString();
  await writer.commit([stateRecord(outside.settings.stateTopic, startedRecord(id, time))], signal);
  turn.started = id;
  return replay(await outside.sink.readState((record) => isStarted(record, id), signal));
}

async function beginOrGoOn(
  outside: Outside,
  source: Source,
  writer: TransactionalWriter,
  stored: Stored,
  signal: AbortSignal,
): Promise<Stored> {
  const facts = await source.check();
  if (stored.position !== undefined) await mustBeSameLog(outside, source, stored.position);
  const items = capturable(outside.settings, await source.tables());
  for (const finding of items.flatMap((item) => item.leftOut)) outside.log.warn(finding.message);
  await createTopics(outside, items);
  const record = async (before: Stored, after: Stored): Promise<Stored> => {
    const records = changes(before, after).map((entry) => stateRecord(outside.settings.stateTopic, entry));
    await writer.commit(records, signal);
    return after;
  };
  let now = stored;
  const missing = items.filter((item) => !stored.tables.has(item.topic));
  if (now.position !== undefined) {
    await source.ensurePublication();
    if (missing.length === 0) return now;
    // Tables and their snapshots in one commit: a table that is known is not looked at again.
    return record(now, withSnapshots(outside, { ...now, tables: await firstStates(outside, now, missing) }, missing));
  }
  if (missing.length > 0) now = await record(now, { ...now, tables: await firstStates(outside, now, missing) });
  const { slot, publication } = outside.settings;
  if (now.intent === undefined) {
    await mustBeNewSlot(outside, source);
    now = await record(now, { ...now, intent: { slot, publication, systemId: facts.systemId } });
  }
  await source.ensurePublication();
  const endLsn = await slotPoint(outside, source, signal);
  const { systemId, timeline } = facts;
  const position: Position = { endLsn, commitLsn: undefined, tx: undefined, systemId, timeline, slot };
  return record(now, { ...withSnapshots(outside, now, items), position });
}

function withSnapshots(outside: Outside, stored: Stored, items: readonly Capturable[]): Stored {
  if (outside.settings.snapshot === "no_data") return stored;
  return { ...stored, jobs: new Map([...stored.jobs, ...snapshotJobs(items)]) };
}

async function firstStates(
  outside: Outside,
  stored: Stored,
  items: readonly Capturable[],
): Promise<ReadonlyMap<string, TableState>> {
  const tables = new Map(stored.tables);
  for (const item of items) tables.set(item.topic, await firstState(outside, item));
  return tables;
}

async function mustBeNewSlot(outside: Outside, source: Source): Promise<void> {
  if ((await source.slot()) === undefined) return;
  throw new GuardError("slot-exists", `slot ${outside.settings.slot} exists and this connector has no state of it`, {
    next: "name another with slot.name, or drop it if nothing reads it: SELECT pg_drop_replication_slot(…)",
  });
}

/** Where the stream begins. A crash between creating the slot and recording its position left it inactive. */
async function slotPoint(outside: Outside, source: Source, signal: AbortSignal): Promise<Lsn> {
  const slot = await source.slot();
  if (slot !== undefined) return slot.confirmedFlush;
  return source.createSlot((blockers) => {
    const who = blockers.map((blocker) => `pid ${blocker.pid} (${blocker.user}, ${blocker.application})`).join(", ");
    outside.log.warn(`creating the slot waits for open transactions of ${who}`);
  }, signal);
}

/** Another server or slot, one that forked below the position, ends before it, or lost its log, is refused by name. */
async function mustBeSameLog(outside: Outside, source: Source, position: Position): Promise<void> {
  const facts = await source.check();
  const { slot } = outside.settings;
  const at = formatLsn(position.endLsn);
  if (facts.systemId !== position.systemId) {
    throw changedSource(`the server's system id is ${facts.systemId}, the state is of ${position.systemId}`);
  }
  if (facts.timeline !== position.timeline) {
    throw changedSource(
      `the server is on timeline ${facts.timeline}, the state's position ${at} on ${position.timeline}`,
    );
  }
  if (slot !== position.slot) throw changedSource(`the state is of slot ${position.slot}, the file says ${slot}`);
  if (facts.end < position.endLsn) {
    throw changedSource(`the log ends at ${formatLsn(facts.end)}, before the state's position ${at}`);
  }
  const there = await source.slot();
  if (there === undefined || there.walStatus === "lost") throw lostSlot(`slot ${slot} is gone or lost its log`);
  if (there.confirmedFlush > position.endLsn) {
    throw lostSlot(`slot ${slot} is at ${formatLsn(there.confirmedFlush)}, ahead of the state's position ${at}`);
  }
}

function changedSource(message: string): GuardError {
  return new GuardError("source-changed", message, {
    next: "point the connector at the old server, or start a new connector with another name and topic.prefix",
  });
}

function lostSlot(message: string): GuardError {
  return new GuardError("slot-lost", `${message}: changes since then cannot be read any more`, {
    next: "start a new connector with another name: its snapshot publishes every row as it is now",
  });
}

async function createTopics(outside: Outside, items: readonly Capturable[]): Promise<void> {
  const names = items.map((item) => item.topic);
  const described = await outside.sink.describeTopics(names);
  for (const name of names) {
    if (described.get(name) === undefined) await outside.sink.createTopic({ name, ...outside.settings.topicCreation });
  }
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
  if (position === undefined) throw new GuardError("state-invalid", "no position after the first start");
  const topics = await outside.sink.describeTopics([...stored.tables.keys(), outside.settings.stateTopic]);
  for (const [name, topic] of topics) maxBytes.set(name, topic?.maxMessageBytes ?? 1_048_576);
  await outside.desk.readContractsToEnd();
  const wake = createWake();
  await source.terminateReader();
  await using stream = await source.openStream(position.endLsn, wake.wake);
  const { tables, jobs, outcomes, commandOffset } = stored;
  const session: Session = {
    outside,
    source,
    signal,
    writer,
    stream,
    wake,
    partitions: new Map([...topics].map(([name, topic]) => [name, topic?.partitions ?? 1])),
    maxBytes,
    slab: slab(),
    state: { tables, jobs, outcomes, contracts: outside.desk.contracts() },
    position,
    commandOffset,
    committed: stored,
    inbox: [],
    batch: [],
    batchBytes: 0,
    relations: new Map(),
    looks: new Map(),
    rechecks: [],
    tx: undefined,
    held: undefined,
    keepaliveEnd: undefined,
    lastCommitTime: undefined,
    toTell: new Set(),
    work: { judging: new Set(), registering: new Map(), silent: false },
    chunks: idleMachine(),
    failure: undefined,
  };
  using _listening = outside.desk.listen(commandOffset, {
    contract: (key, contract) => post(session, { input: { kind: "contract", key, contract } }),
    command: (command, offset) => post(session, { input: { kind: "command", command }, nextCommand: offset + 1n }),
  });
  using _aborted = onAbort(signal, () => fail(session, signal.reason));
  await follow(session);
}

function onAbort(signal: AbortSignal, then: () => void): Disposable {
  signal.addEventListener("abort", then, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", then) };
}
