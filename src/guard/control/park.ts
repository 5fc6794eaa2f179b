import { isOfDropped } from "../../capture/sent.ts";
import { describeError, type ErrorCode, GuardError } from "../../errors.ts";
import { sameColumnType } from "../../gate/amendment/differ.ts";
import { isAmended } from "../../gate/on-poison.ts";
import type { ParkCause } from "../../gate/parking/parked.ts";
import type { TableState } from "../../gate/state.ts";
import { type ParkedChange, readLayout } from "../../store/parked.ts";
import { describeParked, describeUnparked } from "../../words/parked.ts";
import type { Backlog, Stuck } from "../parking.ts";
import { inBackground, type Parts, post, tableOf } from "../session.ts";
import { backlogOf } from "../stream/backlog.ts";
import { apply } from "./apply.ts";
import { startCatalogRead } from "./catalog-read.ts";
import { warnOfDeletion } from "../warn-people.ts";

/**
 * Parks a table whose next change cannot be written, decides what happens to the first parked change if it still cannot
 * be written, and reports that the table is parked.
 */

/** Stops that concern a single table. Once their cause is resolved, its next change can be written. */
const PARKABLE: ReadonlySet<ErrorCode> = new Set([
  "value-unfit",
  "key-changed",
  "record-too-large",
  "amendment-unsupported",
  "topic-unfit",
]);

export function isParkable(error: unknown): error is GuardError {
  return error instanceof GuardError && PARKABLE.has(error.code);
}

/** Whether the stop concerns a single table that may be parked, according to the connector's file. */
export function parks({ outside }: Parts<"control">, topic: string | undefined, error: unknown): topic is string {
  return topic !== undefined && outside.settings["fieldgate.on.unfit"] === "park" && isParkable(error);
}

/**
 * Can rows of a table that waits to be accepted be passed over? If it is accepted, all its rows are read, which takes a
 * key.
 */
export function canPass({ outside, control }: Parts<"control">, topic: string): boolean {
  const { key } = tableOf(control.state, topic).shape;
  return outside.settings["fieldgate.on.unfit"] === "park" && outside.delivery !== "none" && key.length > 0;
}

/** The error as a value for the state, without any of the row's data. */
export function causeOf({ code, text, next, unfit }: GuardError): ParkCause {
  return { code, text, next, field: unfit?.field, isNull: unfit?.isNull === true ? true : undefined };
}

/**
 * From this position on, the table's changes are kept in the parked topic. The change that could not be written is the
 * first.
 */
export async function park(
  session: Parts<"tape" | "control" | "batch" | "parking">,
  topic: string,
  stop: GuardError,
): Promise<void> {
  const { outside, control } = session;
  await prepareTopic(session);
  apply(session, { kind: "parked", topic, id: outside.uuid(), why: causeOf(stop) });
  const { parked } = tableOf(control.state, topic);
  if (parked !== undefined) backlogOf(session, topic, parked);
}

/** Makes the parked topic before it is needed: the log is not read on while it is made. */
export function prepareTopicEarly(session: Parts<"batch">): void {
  const { outside } = session;
  if (outside.delivery === "none" || outside.settings["fieldgate.on.unfit"] !== "park") return;
  inBackground(session, async () => {
    await prepareTopic(session).catch((error: unknown) => {
      if (!(error instanceof GuardError) || error.fate === "retry") throw error;
      outside.log.warn(
        `no table can be parked, and a row that cannot be published stops the connector: ${describeError(error)}`,
      );
    });
  });
}

/**
 * A topic from which Kafka deletes changes is used, because its loss is noticed and repaired, but it is reported.
 * @throws GuardError kafka-refused for a topic that would mix up the changes' order
 */
export async function prepareTopic({ outside, batch }: Parts<"batch">): Promise<void> {
  const { parkedTopic } = outside.settings;
  if (batch.maxBytes.has(parkedTopic)) return;
  await outside.sink.createParkedTopic();
  const described = (await outside.sink.describeTopics([parkedTopic])).get(parkedTopic);
  if (described === undefined) return;
  const { partitions, cleanupPolicy } = described;
  if (partitions !== 1) {
    throw new GuardError("kafka-refused", `topic ${parkedTopic} has ${partitions} partitions instead of one`, {
      next: "delete it: Fieldgate then creates it correctly, and publishes the rows of parked tables again",
    });
  }
  warnOfDeletion(outside, parkedTopic, cleanupPolicy, "parked changes before they are published");
  batch.maxBytes.set(parkedTopic, described.maxMessageBytes);
  // If it changes or is deleted, the next session begins with it as it is then.
  batch.topics.described.set(parkedTopic, described);
}

/** How long to wait before a change that still cannot be written is tried again for no other reason. */
const AGAIN_MICROS = 10_000_000n;

/**
 * The change waits until something changes. The catalog is read from time to time, because undoing a change may write
 * nothing to the log. `before`: the state of the last attempt.
 */
export function stuckNow(
  session: Parts<"control" | "tape" | "batch">,
  topic: string,
  before: Stuck | undefined,
  standing: Standing,
): Stuck {
  const { control, outside } = session;
  const table = tableOf(control.state, topic);
  const oid = Number(table.shape.table.oid);
  const now = outside.now();
  const unsettled = standing === "unsettled";
  const isTime = before === undefined || now >= before.again;
  if (isTime || unsettled) startCatalogRead(session, oid);
  if (isTime) readLimit(session, topic);
  const again = isTime ? now + AGAIN_MICROS : before.again;
  return { table, applied: control.catalog.applied.get(oid), again, unsettled };
}

/**
 * What to do with a change that still cannot be written. `withheld`: it waits for an amendment. `superseded`: the cause
 * no longer exists, so the table has a newer row in its place. `unsettled`: a catalog read will show which of these
 * applies. `poison`: only this row itself is at fault.
 */
type Standing = "withheld" | "superseded" | "unsettled" | "poison";

export function judgeHead(
  session: Parts<"control" | "batch">,
  topic: string,
  change: ParkedChange,
  stop: GuardError,
): Standing {
  const table = tableOf(session.control.state, topic);
  if (stop.code === "record-too-large") return standingOfLarge(session, topic, change);
  if (stop.unfit === undefined || isAmended(table, stop.unfit.field)) return "withheld";
  if (!stop.unfit.isNull && hasTypeOfNow(table, stop.unfit.field, change)) return "poison";
  // No read of the catalog will show more about it.
  if (isOfDropped(table.gap)) return "superseded";
  const applied = session.control.catalog.applied.get(Number(table.shape.table.oid));
  return applied !== undefined && applied > change.lsn ? "superseded" : "unsettled";
}

/** Once the topic accepts rows of this size, the table is read instead. */
function standingOfLarge({ batch }: Parts<"batch">, topic: string, { message, size }: ParkedChange): Standing {
  if (message !== undefined) return "poison";
  return (batch.maxBytes.get(topic) ?? 0) * 4 >= size ? "superseded" : "poison";
}

/** True if the row has a value for the field, of the type that its column still has. */
function hasTypeOfNow({ shape, known }: TableState, field: string, { layout }: ParkedChange): boolean {
  const attnum = [...shape.fields, ...shape.key].find(({ name }) => name === field)?.attnum;
  const then = readLayout(layout).columns.find((column) => column?.attnum === attnum)?.type;
  const now = known.find((column) => column.attnum === attnum)?.type;
  return then !== undefined && now !== undefined && sameColumnType(then, now);
}

/** Reads again in the background how large the topic's records may be. */
function readLimit(session: Parts<"batch">, topic: string): void {
  const { outside, batch, waker } = session;
  inBackground(session, async () => {
    const described = (await outside.sink.describeTopics([topic])).get(topic);
    if (described === undefined || described.maxMessageBytes === batch.maxBytes.get(topic)) return;
    batch.maxBytes.set(topic, described.maxMessageBytes);
    waker.wake();
  });
}

/** Puts the counts into the state, which is about to be committed together with the counted records. */
export function countParked(session: Parts<"control" | "tape" | "parking">): void {
  for (const [topic, { id, written, replayed, passedOver, lost }] of session.parking.backlogs) {
    if (session.control.state.tables.get(topic)?.parked?.id !== id) continue;
    apply(session, { kind: "replayed", topic, written, replayed, passedOver, lost });
  }
  for (const [topic, rows] of session.parking.passed) apply(session, { kind: "replacement-rows", topic, rows });
  session.parking.passed.clear();
}

/** Runs after the commit that records it. Reports that a table is parked, or that it flows again. */
export function reportParked(session: Parts<"control" | "batch" | "parking">): void {
  const { control, batch, parking } = session;
  for (const topic of control.parksToReport) {
    const table = batch.committed.tables.get(topic);
    if (table?.parked !== undefined) {
      // A moment later it may turn out that no decision is needed.
      if (!isSettled(parking.backlogs.get(topic))) continue;
      reportPark(session, table);
    } else if (table?.unparked !== undefined) reportFlow(session, table);
    control.parksToReport.delete(topic);
  }
}

function isSettled(backlog: Backlog | undefined): boolean {
  return backlog?.stuck?.unsettled === false;
}

function reportPark(session: Parts<"control">, table: TableState): void {
  const { outside } = session;
  const { parked } = table;
  if (parked === undefined || parked.reported) return;
  const { what, next } = describeParked(table);
  outside.log.warn(next === undefined ? what : `${what}; next: ${next}`);
  const reported = { kind: "park-reported", topic: table.shape.topic, id: parked.id } as const;
  const { why } = parked;
  const id = ["parked", parked.id, why.code, why.field, why.isNull, parked.lost].join("/");
  void outside
    .notice({ id, about: "parked", severity: "warn", what, next })
    .then(() => post(session, { input: reported }));
}

function reportFlow(session: Parts<"control">, table: TableState): void {
  const { outside } = session;
  const what = describeUnparked(table);
  const { lost, passedOver = 0 } = table.unparked ?? {};
  const isLoss = lost !== undefined || (isOfDropped(table.gap) && passedOver > 0);
  if (isLoss) outside.log.warn(what);
  else outside.log.info(what);
  const reported = { kind: "park-reported", topic: table.shape.topic, id: undefined } as const;
  const id = `unparked/${table.shape.topic}/${table.unparked?.time}`;
  const kind = isLoss
    ? ({ about: "rows-missing", severity: "warn" } as const)
    : ({ about: "flows-again", severity: "info" } as const);
  void outside.notice({ id, ...kind, what, next: undefined }).then(() => post(session, { input: reported }));
}
