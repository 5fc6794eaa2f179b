import type { TableState } from "../../gate/state.ts";
import type { Parked } from "../../gate/parking/parked.ts";
import { parkedKey, type ParkedChange, readParkedKey, readParkedValue } from "../../store/parked.ts";
import { add } from "./batch.ts";
import type { Backlog, Parking } from "../parking.ts";
import { type Batch, inBackground, type Parts } from "../session.ts";

/**
 * The parked changes of a table that wait in memory. The parked topic has all of them. The first ones are held here
 * too, up to a limit, so that a short backlog is replayed without reading it back. The others are read back when their
 * turn comes.
 */

/** Limit for the parked changes in memory, over all tables. */
const HELD_BYTES = 16 << 20;
const FRESH_BYTES = 8 << 20;
/**
 * Kafka acknowledges a commit before its records can be read. After this many reads without result, the records count
 * as lost.
 */
const MISSES = 5;
const MISS_MS = 1000;

export function noParking(): Parking {
  return { backlogs: new Map(), reading: false, bytes: 0, freshBytes: 0, passed: new Map() };
}

function newBacklog({ id, written, replayed, passedOver, lost }: Parked): Backlog {
  return {
    id,
    written,
    replayed,
    passedOver,
    lost,
    queue: [],
    fresh: [],
    offset: undefined,
    misses: 0,
    layout: undefined,
    encoding: undefined,
    stuck: undefined,
  };
}

/** The backlog of a parked table. A new one begins where the state says. */
export function backlogOf({ parking }: Parts<"parking">, topic: string, parked: Parked): Backlog {
  const before = parking.backlogs.get(topic);
  if (before?.id === parked.id) return before;
  const backlog = newBacklog(parked);
  parking.backlogs.set(topic, backlog);
  return backlog;
}

/** Makes the backlog of every parked table at the beginning of a session. */
export function findBacklogs(session: Parts<"control" | "parking">): void {
  for (const [topic, { parked }] of session.control.state.tables) {
    if (parked !== undefined) backlogOf(session, topic, parked);
  }
}

/**
 * Holds a change that was just written in memory, so that it need not be read back if everything before it is in
 * memory.
 */
export function hold(parking: Parking, backlog: Backlog, change: ParkedChange): void {
  backlog.written = change.seq;
  join(parking, backlog);
  if (lastOf(backlog) + 1 === change.seq && parking.bytes < HELD_BYTES) {
    push(parking, backlog, change);
    return;
  }
  if (parking.freshBytes > FRESH_BYTES) dropFresh(parking, backlog);
  backlog.fresh.push(change);
  parking.freshBytes += sizeOf(change);
}

/** Adds the fresh changes to the queue once it has been read up to them. */
export function join(parking: Parking, backlog: Backlog): void {
  const { fresh } = backlog;
  const [first] = fresh;
  if (first === undefined || first.seq > lastOf(backlog) + 1) return;
  const next = fresh.filter(({ seq }) => seq > lastOf(backlog));
  dropFresh(parking, backlog);
  for (const change of next) push(parking, backlog, change);
}

function dropFresh(parking: Parking, { fresh }: Backlog): void {
  for (const change of fresh.splice(0)) parking.freshBytes -= sizeOf(change);
}

function lastOf({ queue, replayed }: Backlog): number {
  return queue.at(-1)?.seq ?? replayed;
}

function push(parking: Parking, backlog: Backlog, change: ParkedChange): void {
  backlog.queue.push(change);
  parking.bytes += sizeOf(change);
}

function sizeOf({ message }: ParkedChange): number {
  return 200 + (message?.length ?? 0);
}

/** Removes changes that were replayed or skipped from the front. */
export function release(parking: Parking, backlog: Backlog, count: number): void {
  for (const change of backlog.queue.splice(0, count)) parking.bytes -= sizeOf(change);
}

export function dropBacklog({ parking }: Parts<"parking">, topic: string): void {
  const backlog = parking.backlogs.get(topic);
  if (backlog === undefined) return;
  release(parking, backlog, backlog.queue.length);
  dropFresh(parking, backlog);
  parking.backlogs.delete(topic);
}

/** Adds the tombstone of a replayed change to the batch, because the topic need not keep the change. */
export function forgetChange(batch: Batch, parkedTopic: string, topic: string, { id }: Backlog, seq: number): void {
  add(batch, { topic: parkedTopic, partition: 0, key: parkedKey(topic, id, seq), value: null });
}

/** Reads the next changes of backlogs that have none in memory, in the background and in one pass. */
export function refill(session: Parts<"batch" | "parking">): void {
  const { parking, batch } = session;
  if (parking.reading) return;
  const wanted = new Map<string, Wanted>();
  for (const [topic, backlog] of parking.backlogs) {
    const committed = batch.committed.tables.get(topic);
    if (isHungry(backlog, committed))
      wanted.set(backlog.id, { topic, backlog, until: committed?.parked?.written ?? 0 });
  }
  if (wanted.size === 0) return;
  parking.reading = true;
  inBackground(session, async () => {
    await read(session, wanted);
    parking.reading = false;
    session.waker.wake();
  });
}

interface Wanted {
  readonly topic: string;
  readonly backlog: Backlog;
  /** The number of the last change that is committed. */
  readonly until: number;
}

function isHungry({ id, queue, replayed }: Backlog, committed: TableState | undefined): boolean {
  const { parked } = committed ?? {};
  return queue.length === 0 && parked?.id === id && parked.written > replayed;
}

async function read(session: Parts<"parking">, wanted: ReadonlyMap<string, Wanted>): Promise<void> {
  const { outside, parking, signal } = session;
  const offsets = [...wanted.values()].map(({ backlog }) => backlog.offset);
  const from = offsets.some((offset) => offset === undefined) ? undefined : least(offsets.flatMap((one) => one ?? []));
  const open = new Set(wanted.keys());
  let isFull = false;
  await outside.sink.readParked(
    from,
    ({ offset, key, value }) => {
      const { id, seq } = readParkedKey(key ?? Buffer.alloc(0)) ?? { id: "", seq: 0 };
      const one = wanted.get(id);
      if (one === undefined || !open.has(id) || value === null) return true;
      const { backlog, until } = one;
      if (seq > lastOf(backlog)) {
        backlog.offset = offset + 1n;
        backlog.misses = 0;
        push(parking, backlog, readParkedValue(seq, value));
      }
      if (seq >= until) open.delete(id);
      isFull = parking.bytes >= HELD_BYTES;
      return open.size > 0 && !isFull;
    },
    signal,
  );
  const missed = isFull ? [] : [...wanted.values()].filter(({ backlog }) => backlog.queue.length === 0);
  for (const one of missed) miss(session, one);
  if (missed.length > 0) await outside.sleep(MISS_MS, signal);
}

/** Skips changes that the topic should have but does not have, and has the table published again. */
function miss(session: Parts<"parking">, { topic, backlog, until }: Wanted): void {
  backlog.misses += 1;
  backlog.offset = undefined;
  if (backlog.misses >= MISSES) lose(session, topic, backlog, until);
}

/** The changes up to this one are missing from the parked topic: they are skipped, counted and reported. */
export function lose({ outside }: Parts<"parking">, topic: string, backlog: Backlog, until: number): void {
  const count = until - backlog.replayed;
  if (count <= 0) return;
  const changes = count === 1 ? "1 parked change is" : `${count} parked changes are`;
  outside.log.warn(`${topic}: ${changes} missing from ${outside.settings.parkedTopic}`);
  backlog.replayed = until;
  backlog.passedOver += count;
  backlog.lost = (backlog.lost ?? 0) + count;
}

function least(offsets: readonly bigint[]): bigint | undefined {
  return offsets.reduce<bigint | undefined>((low, one) => (low === undefined || one < low ? one : low), undefined);
}
