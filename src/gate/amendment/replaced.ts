import { fieldOf } from "../../event/field.ts";
import { isSameType } from "../../event/types/avro-type.ts";
import { attnum, type Attnum, type Table } from "../../table/column.ts";
import type { Field } from "../../table/shape.ts";
import { excludedFromReplacement } from "./excluded.ts";
import type { Reason } from "../decision/reason.ts";
import { versionsOf } from "./rewritten.ts";
import type { Input, Rules, State, Decided, TableState, When } from "../state.ts";
import { step, withJob, withRepair, withTable } from "../update.ts";
import { newAmendment } from "./revise.ts";

/**
 * Handles a captured table whose name now belongs to a different table: it was dropped and created again, or renamed
 * and replaced. Rows of the new table are held back until an operator accepts it. In watch mode it is accepted at once,
 * because Debezium does not stop.
 */

/** A different table now has the name. None of its rows are published until an operator accepts the replacement. */
export function onReplaced(
  rules: Rules,
  state: State,
  input: Extract<Input, { kind: "replaced" }>,
  when: When,
): Decided {
  const table = state.tables.get(input.topic);
  if (table === undefined || (input.table.oid === table.shape.table.oid) !== (input.unexplained !== undefined)) {
    return step(state);
  }
  const none = { attnum: undefined, column: undefined, changes: [], key: undefined, gone: false, unmapped: undefined };
  const fresh = newAmendment(input.topic, { kind: "table", name: "table", ...none }, when);
  const reason = { kind: input.unexplained ?? "table-replaced" } as const;
  const amendment = { ...fresh, gate: { ...fresh.gate, reason } };
  const others = table.amendments.filter(({ kind }) => kind !== "table");
  if (rules.mode === "watch") {
    const taken = { ...table, replacement: input.table, amendments: [...others, amendment] };
    const next = replaced(rules, withTable(state, taken), taken, when, { kind: "debezium-follows-table" });
    return step(next, { kind: "alert", id: amendment.id });
  }
  const next = withTable(state, { ...table, replacement: input.table, amendments: [...others, amendment] });
  const before = table.amendments.find(({ kind }) => kind === "table");
  // People were already alerted for this reason; this may be yet another table.
  if (before?.gate.kind === "withheld" && before.gate.reason.kind === reason.kind)
    return step(withTable(state, { ...table, replacement: input.table }));
  return step(next, { kind: "alert", id: amendment.id });
}

/** True if the table waits to be accepted in its own place, because its columns in the log differ from the catalog's. */
export function waitsAsItself({ replacement, shape }: TableState): boolean {
  return replacement?.oid === shape.table.oid;
}

/** The other table is gone, or the captured one has its name back: there is nothing left to accept. */
export function onReplacedOver(state: State, topic: string): Decided {
  const table = state.tables.get(topic);
  if (table?.replacement === undefined) return step(state);
  const amendments = table.amendments.filter(({ kind, gate }) => kind !== "table" || gate.kind === "released");
  return step(withTable(state, { ...table, replacement: undefined, replacementRows: undefined, amendments }));
}

/** Rows of the replacement were passed over. */
export function onReplacementRows(state: State, topic: string, rows: number): Decided {
  const table = state.tables.get(topic);
  if (table?.replacement === undefined) return step(state);
  return step(withTable(state, { ...table, replacementRows: (table.replacementRows ?? 0) + rows }));
}

/**
 * Accepts the replacement. Each field is bound to the column with its name and type. With the next row, the remaining
 * fields are found to be dropped and the remaining columns to be added. Every row is published again.
 */
export function replaced(
  rules: Rules,
  state: State,
  table: TableState,
  when: When,
  reason: Reason = { kind: "replacement-accepted" },
): State {
  const { replacement, shape } = table;
  if (replacement === undefined) return state;
  const fields = shape.fields.map((field) => mappedTo(rules, field, replacement));
  const attnumOf = new Map(shape.fields.map((field, index) => [field.attnum, fields[index]?.attnum]));
  const key = shape.key.map((field) => ({ ...field, attnum: attnumOf.get(field.attnum) ?? formerly(field.attnum) }));
  const { oid, schema, name } = replacement;
  // The replacement may have been renamed since it took the name, and even replaced in turn.
  const listed = table.capturedAs ?? { schema: shape.table.schema, name: shape.table.name };
  const isListed = listed.schema === schema && listed.name === name;
  const live = replacement.columns.filter((column) => !column.generated);
  const gate = { kind: "released" as const, since: when.position, time: when.time, reason };
  const amendments = table.amendments
    .filter(({ kind }) => kind === "table")
    .map((one) => ({ ...one, gate: { ...gate, schemaId: Number(shape.valueSchema.id), wouldHaveWaitedFor: [] } }));
  const next: TableState = {
    ...table,
    shape: { ...shape, table: { oid, schema, name }, fields, key },
    capturedAs: isListed ? undefined : listed,
    // The catalog is ahead of the log, so the first row identifies the columns.
    known: [],
    assigned: undefined,
    excluded: excludedFromReplacement(rules, table, live),
    filenode: replacement.filenode,
    versions: versionsOf(replacement),
    defined: undefined,
    amendments,
    replacement: undefined,
    replacementRows: undefined,
    // Parked changes are of the old columns; every row is published again instead.
    parked: table.parked && { ...table.parked, supersededTo: table.parked.written },
  };
  const placed = withTable(withoutBackfills(state, shape.topic), next);
  return withRepair(rules, placed, shape);
}

/** Ends backfills that read a column of the old table, because its attnum may now belong to another column. */
function withoutBackfills(state: State, topic: string): State {
  const open = [...state.jobs.values()].filter(
    (job) => job.topic === topic && job.column !== undefined && (job.state === "running" || job.state === "waiting"),
  );
  const reason = { kind: "table-replaced" } as const;
  return open.reduce((now, job) => withJob(now, { ...job, state: "done", reason }), state);
}

function mappedTo(rules: Rules, field: Field, table: Table): Field {
  for (const column of table.columns) {
    const mapped = fieldOf(column, rules.modes);
    if (mapped.kind !== "field" || mapped.field.name !== field.name) continue;
    if (isSameType(mapped.field.avro.type, field.avro.type)) {
      return { ...field, attnum: column.attnum, type: column.type };
    }
  }
  return { ...field, attnum: formerly(field.attnum) };
}

/** The attnum of a column of the old table, made negative so that it matches no column of the new table. */
function formerly(column: Attnum): Attnum {
  return column < 0 ? column : attnum(-Number(column));
}
