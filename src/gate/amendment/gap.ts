import type { ChunkJob } from "../../chunk/job.ts";
import type { Attnum } from "../../table/column.ts";
import type { Gap, Sent, SentNews } from "../../capture/sent.ts";
import { onReplacedOver, waitsAsItself } from "./replaced.ts";
import type { Decided, Input, Rules, State, TableState, When } from "../state.ts";
import { repairFor, step, withJob, withTable } from "../update.ts";

/**
 * Columns of the key may have new values without an event, so that consumers keep rows under the old keys. undefined if
 * there are none, or if changes of the table are not sent at all, which is a gap of its own.
 */
export function rekeyed(
  { shape, sent, gap }: TableState,
  keys: readonly Attnum[],
  { position: since, time }: When,
): Gap | undefined {
  if (keys.length === 0 || (gap?.news.kind === "lost" && sent?.kind !== "sent")) return undefined;
  const columns = shape.key.filter(({ attnum }) => keys.includes(attnum)).map(({ name }) => name);
  return { news: { kind: "rekeyed", columns }, since, time, reported: false };
}

type Seen = Extract<Input, { kind: "seen" }>;

/**
 * Old rows in the log lacked columns of the events' key, and have them again: a row whose key changed in between is
 * published under its new key, and nothing removes it from its old one. `before`: the key that the rows had instead, if
 * that was an amendment, and is over.
 */
export function uncovered(
  rules: Pick<Rules, "mode">,
  { shape, rowKey }: TableState,
  seen: Seen,
  before: readonly Attnum[] | undefined,
  { position: since, time }: When,
): Gap | undefined {
  const key = shape.key.map(({ attnum }) => attnum);
  const had = before ?? (rowKey === undefined ? undefined : oldRowsOf(seen, key));
  if (rules.mode === "watch" || had === undefined) return undefined;
  const columns = shape.key.filter(({ attnum }) => !had.includes(attnum)).map(({ name }) => name);
  return columns.length === 0 ? undefined : { news: { kind: "uncovered", columns }, since, time, reported: false };
}

/**
 * The columns of old rows under the Relation, if the catalog already shows that they have those of the key again. While
 * they lack them, looks report that.
 */
function oldRowsOf({ relation, columns, table }: Seen, key: readonly Attnum[]): readonly Attnum[] | undefined {
  const byIndex = relation.identity === "default" || relation.identity === "index";
  const isOver = table.replicaIdentity === "full" || key.every((column) => table.identified.includes(column));
  const flagged = columns.filter((_, index) => relation.columns[index]?.key);
  const sure = flagged.filter((column) => column !== undefined);
  return byIndex && isOver && sure.length === flagged.length ? sure : undefined;
}

/** Updates the table after a look, and returns the repair job if a gap has ended. */
export function afterLook(
  rules: Pick<Rules, "mode">,
  table: TableState,
  sent: Sent,
  news: SentNews,
  { position: since, time }: When,
): { readonly table: TableState; readonly job: ChunkJob | undefined } {
  if (news.kind === "none") return { table, job: undefined };
  if (news.kind === "same") return { table: { ...table, sent }, job: undefined };
  const gap: Gap = { news, since, time, reported: false };
  const { kind } = news;
  // No repair removes rows from the topic.
  if (kind === "lost" || kind === "emptied" || kind === "detached") {
    return { table: { ...table, sent, gap }, job: undefined };
  }
  return { table: { ...missing(table), sent, gap }, job: repairFor(rules, table.shape) };
}

/**
 * Rows of the gap may hold values in columns that are withheld, or that have not been noticed yet, and the repair publishes
 * them without those columns.
 */
function missing(table: TableState): TableState {
  const amendments = table.amendments.map((amendment) =>
    amendment.kind === "added" && amendment.gate.kind === "withheld" ? { ...amendment, missed: true } : amendment,
  );
  return { ...table, doubt: true, amendments };
}

/** Records how the table is sent now, as a look has shown. */
export function onSent(
  rules: Rules,
  state: State,
  { topic, sent, news }: Extract<Input, { kind: "sent" }>,
  when: When,
): Decided {
  const before = state.tables.get(topic);
  if (before === undefined) return step(state);
  const { table, job } = afterLook(rules, before, sent, news, when);
  if (table === before) return step(state);
  // Its columns were left out of the publication: all its rows are read again, and the next one shows its columns.
  const isOver = news.kind === "again" && waitsAsItself(table);
  const next = isOver ? onReplacedOver(withTable(state, table), topic).state : withTable(state, table);
  const repaired = job === undefined ? next : withJob(next, job);
  return table.gap === before.gap ? step(repaired) : step(repaired, { kind: "report-gap", topic });
}

/** Recorded once people have been alerted, so that a restart does not repeat the alert. */
export function onGapReported(state: State, { topic, since }: Extract<Input, { kind: "gap-reported" }>): Decided {
  const table = state.tables.get(topic);
  if (table?.gap?.since !== since || table.gap.reported) return step(state);
  return step(withTable(state, { ...table, gap: { ...table.gap, reported: true } }));
}
