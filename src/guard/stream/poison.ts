import { GuardError } from "../../errors.ts";
import { remainderOf, withNulls } from "../../event/poison.ts";
import type { EventRecord } from "../../event/row-encoder.ts";
import { isPoison } from "../../gate/on-poison.ts";
import type { PoisonOrder } from "../../gate/poison.ts";
import { type PoisonWay, WAY_OF } from "../../gate/poison-way.ts";
import type { TableState } from "../../gate/state.ts";
import type { Refusal } from "../../gate/decision/reason.ts";
import type { OutRecord } from "../../kafka/record.ts";
import { type DeadLetter, type LetterColumn, letterRecord, type Place } from "../../store/dead-letter.ts";
import type { Attnum, ColumnType } from "../../table/column.ts";
import { formatLsn } from "../../wal/lsn.ts";
import type { Relation, RowChange } from "../../wal/message.ts";
import { nextForRow } from "../../words/poison.ts";
import { apply } from "../control/apply.ts";
import { noteHandled, passStuck } from "../control/poison-news.ts";
import { type Parts, tableOf } from "../session.ts";
import { add, fitting, outRecord } from "./batch.ts";
import { publishedColumn } from "./row-encoder.ts";

/**
 * What becomes of a change that no event can carry, whether it comes from the log, from a chunk or from the parked topic:
 * by the connector's file or an operator's command it is published with null instead of the value, or it is a dead letter in
 * the same Kafka transaction. Otherwise it waits for an operator, and its table with it.
 */

type Settling = Parts<"tape" | "control" | "batch">;

/** A change that was tried in vain. */
export interface PoisonedRow {
  readonly topic: string;
  /** Names this one change, so that a command is for no other. */
  readonly at: string;
  readonly op: DeadLetter["op"];
  readonly place: Place;
  /** undefined: it was too large to be read. */
  readonly change:
    | {
        readonly row: RowChange;
        readonly columns: readonly (Attnum | undefined)[];
        /** Their types when the row was written; absent: those of now. */
        readonly types?: readonly (ColumnType | undefined)[] | undefined;
        readonly identity: Relation["identity"];
        /** @throws GuardError value-unfit */
        readonly encode: (row: RowChange) => readonly EventRecord[];
      }
    | undefined;
  /** The key's columns as text, where only they were read. */
  readonly keyTexts?: DeadLetter["keyTexts"];
}

export type PoisonPlan =
  | {
      readonly kind: "settled";
      readonly way: PoisonWay;
      readonly records: readonly OutRecord[];
      /** How many of them are events. */
      readonly events: number;
    }
  /** The topic of the dead letters has to be made ready first, which has to be waited for: prepareDeadLetters. */
  | { readonly kind: "unprepared" }
  /** It waits for an operator. */
  | {
      readonly kind: "waits";
      readonly stop: GuardError;
      readonly ways: readonly PoisonWay[];
      readonly refused: Refusal | undefined;
    }
  /** Not only this row is at fault: the stop stays as it is. */
  | { readonly kind: "other"; readonly stop: GuardError };

/**
 * Decides what becomes of one change after this stop, and puts that into the batch. `unprepared`: nothing was done; it
 * is tried again after prepareDeadLetters. A stop: the table waits.
 */
export function settlePoison(
  session: Settling,
  poisoned: PoisonedRow,
  stop: GuardError,
): "settled" | "unprepared" | GuardError {
  const plan = planPoison(session, poisoned, stop);
  carryOut(session, poisoned, plan, stop);
  if (plan.kind === "settled" || plan.kind === "unprepared") return plan.kind;
  return plan.stop;
}

/** What would become of it; nothing is changed. */
export function planPoison(session: Settling, poisoned: PoisonedRow, stop: GuardError): PoisonPlan {
  const { outside, control } = session;
  const { settings } = outside;
  const table = tableOf(control.state, poisoned.topic);
  if (!isPoison(table, stop)) return { kind: "other", stop };
  const policy = settings.poisonOf.get(poisoned.topic) ?? settings["fieldgate.on.poison"];
  const order = orderFor(table, poisoned.at);
  const nulls = nullsOf(session, table, poisoned);
  const ways: readonly PoisonWay[] = nulls === undefined ? ["dead-letter"] : ["null", "dead-letter"];
  const way = order?.way ?? WAY_OF[policy];
  if (way === "null" && nulls !== undefined) return { kind: "settled", way, records: nulls, events: nulls.length };
  const { refused } = control.poison;
  const isRefused = refused !== undefined && outside.now() < refused.again;
  if (way === "dead-letter" && !isRefused) return letterPlan(session, table, poisoned, stop, order);
  const because = way === "dead-letter" ? refused?.error : undefined;
  const next = nextForRow(poisoned.topic, ways, policy, stop);
  return {
    kind: "waits",
    stop: new GuardError(stop.code, because === undefined ? stop.text : `${stop.text}; ${because.text}`, {
      next: because?.next === undefined ? next : `${because.next}; or: ${next}`,
      ...(stop.unfit === undefined ? {} : { unfit: stop.unfit }),
    }),
    ways,
    refused: refusalOf(session, poisoned.topic, way, because),
  };
}

function refusalOf(
  { outside }: Settling,
  topic: string,
  way: PoisonWay | undefined,
  because: GuardError | undefined,
): Refusal | undefined {
  if (because !== undefined) {
    return { kind: "dead-letters-refused", topic: outside.settings.deadLetterTopic, text: because.text };
  }
  return way === "null" ? { kind: "row-not-null", topic } : undefined;
}

function orderFor({ poison }: TableState, at: string): PoisonOrder | undefined {
  return poison?.stuck?.at === at ? poison.stuck.order : undefined;
}

/** A stop of an attempt is its outcome. */
function attemptAt({ batch, control }: Settling, { topic, place, change }: PoisonedRow) {
  return (row: RowChange): readonly OutRecord[] | GuardError => {
    try {
      return fitting(batch, control.state, topic, change?.encode(row) ?? [], place.lsn);
    } catch (error) {
      if (error instanceof GuardError && error.fate === "stop") return error;
      throw error;
    }
  };
}

function nullsOf(session: Settling, { shape }: TableState, poisoned: PoisonedRow): readonly OutRecord[] | undefined {
  const { change } = poisoned;
  if (change === undefined) return undefined;
  return withNulls({ row: change.row, columns: change.columns, shape }, attemptAt(session, poisoned));
}

function letterPlan(
  session: Settling,
  table: TableState,
  poisoned: PoisonedRow,
  stop: GuardError,
  order: PoisonOrder | undefined,
): PoisonPlan {
  const { outside, batch } = session;
  const { deadLetterTopic } = outside.settings;
  if (!batch.partitions.has(deadLetterTopic)) return { kind: "unprepared" };
  const { change, topic, op, place, keyTexts } = poisoned;
  const { shape } = table;
  const rest =
    change === undefined || op === "r"
      ? ({ what: "nothing", records: [] } as const)
      : remainderOf({ row: change.row, columns: change.columns, shape }, attemptAt(session, poisoned));
  const letter: DeadLetter = {
    topic,
    table: { oid: Number(shape.table.oid), schema: shape.table.schema, name: shape.table.name },
    op,
    code: stop.code,
    field: stop.unfit?.field,
    at: place,
    published: rest.what,
    decided: order === undefined ? { by: "policy" } : { by: "operator", actor: order.actor, reason: order.reason },
    key: shape.key.map(({ name, attnum }) => ({ name, attnum })),
    change: change && { row: change.row, identity: change.identity, columns: letterColumns(session, table, change) },
    keyTexts,
  };
  const whole = outRecord(batch, deadLetterTopic, letterRecord(letter, true));
  const fits = batch.writer.limitBrokenBy(whole) === undefined;
  const record = fits ? whole : outRecord(batch, deadLetterTopic, letterRecord(letter, false));
  return { kind: "settled", way: "dead-letter", records: [...rest.records, record], events: rest.records.length };
}

function letterColumns(
  { outside }: Settling,
  table: TableState,
  { columns, types }: NonNullable<PoisonedRow["change"]>,
): readonly (LetterColumn | undefined)[] {
  return columns.map((column, index) => {
    const attnum = publishedColumn(outside.settings, table, column);
    const known = table.known.find((one) => one.attnum === attnum);
    if (attnum === undefined || known === undefined) return undefined;
    const { oid, typmod } = types?.[index] ?? known.type;
    return { attnum, name: known.name, typeOid: oid, typmod };
  });
}

/** Puts a plan into the batch and into the state. */
export function carryOut(
  session: Settling,
  { topic, at, place }: PoisonedRow,
  plan: PoisonPlan,
  stop: GuardError,
): void {
  const { batch, control } = session;
  const { code, unfit } = stop;
  const field = unfit?.field;
  switch (plan.kind) {
    case "settled":
      for (const record of plan.records) add(batch, record);
      noteHandled(control.poison, topic, { way: plan.way, code, field, position: formatLsn(place.lsn) });
      if (control.state.tables.get(topic)?.poison?.stuck?.at === at) passStuck(session, topic, plan.way);
      return;
    case "waits":
      apply(session, { kind: "row-stuck", topic, stuck: { at, code, field, ways: plan.ways }, refused: plan.refused });
      control.poison.stuck.add(topic);
      return;
    case "unprepared":
    case "other":
      return;
    default:
      plan satisfies never;
  }
}
