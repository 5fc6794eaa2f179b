import { isOfDropped } from "../../capture/sent.ts";
import { settleTopic } from "../decision/settle.ts";
import type { Decided, Input, Rules, State, When } from "../state.ts";
import { step, withRepair, withTable } from "../update.ts";
import type { ParkCause, Parked } from "./parked.ts";

/** The next change of the table cannot be written, or the first parked change now fails for a different reason. */
export function onParked(
  state: State,
  { topic, id, why }: Extract<Input, { kind: "parked" }>,
  { position, time }: When,
): Decided {
  const table = state.tables.get(topic);
  if (table === undefined) return step(state);
  const { parked } = table;
  if (parked !== undefined && isSameCause(parked.why, why)) return step(state);
  const begun: Parked = { id, why, since: position, time, written: 0, replayed: 0, passedOver: 0, reported: false };
  const next = parked === undefined ? begun : { ...parked, why, reported: false };
  return step(withTable(state, { ...table, parked: next, unparked: undefined }), { kind: "report-parked", topic });
}

function isSameCause(left: ParkCause, right: ParkCause): boolean {
  return left.code === right.code && left.field === right.field && left.isNull === right.isNull;
}

/** More changes were parked or replayed, in the transaction that is about to be committed. */
export function onReplayed(state: State, input: Extract<Input, { kind: "replayed" }>): Decided {
  const table = state.tables.get(input.topic);
  if (table?.parked === undefined) return step(state);
  const { parked } = table;
  const { written, replayed, passedOver, lost } = input;
  const isSame = parked.written === written && parked.replayed === replayed && parked.passedOver === passedOver;
  if (isSame) return step(state);
  const next = { ...parked, written, replayed, passedOver, lost };
  if (lost === parked.lost) return step(withTable(state, { ...table, parked: next }));
  const { topic } = input;
  return step(withTable(state, { ...table, parked: { ...next, reported: false } }), { kind: "report-parked", topic });
}

/**
 * Everything was replayed. Fields that were added in the meantime may flow now, and skipped changes lead to a repair.
 */
export function onUnparked(
  rules: Rules,
  state: State,
  { topic, written, passedOver, lost }: Extract<Input, { kind: "unparked" }>,
  when: When,
): Decided {
  const table = state.tables.get(topic);
  if (table?.parked === undefined) return step(state);
  const { time, reported } = table.parked;
  const gone = isOfDropped(table.gap) && passedOver > 0;
  // If people were not alerted that the table was parked, they need not be alerted that it flows again with all changes.
  const isNews = reported || passedOver > 0 || lost !== undefined;
  const unparked = isNews ? { time, written, passedOver, lost } : undefined;
  const free = withTable(state, { ...table, parked: undefined, unparked });
  const repaired = passedOver > 0 && !gone ? withRepair(rules, free, table.shape) : free;
  const settled = settleTopic(rules, repaired, topic, when);
  return { state: settled.state, effects: [{ kind: "report-parked", topic }, ...settled.effects] };
}

/** Recorded once people have been alerted, so that a restart does not repeat the alert. */
export function onParkReported(state: State, { topic, id }: Extract<Input, { kind: "park-reported" }>): Decided {
  const table = state.tables.get(topic);
  if (table === undefined) return step(state);
  if (id === undefined) return step(withTable(state, { ...table, unparked: undefined }));
  if (table.parked?.id !== id || table.parked.reported) return step(state);
  return step(withTable(state, { ...table, parked: { ...table.parked, reported: true } }));
}
