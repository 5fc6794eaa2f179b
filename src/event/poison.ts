import { GuardError } from "../errors.ts";
import type { Attnum } from "../table/column.ts";
import type { Shape } from "../table/shape.ts";
import type { RowChange } from "../wal/message.ts";
import { editTuple, filledFromOld, rowMessage, type RowParts, rowParts, textIn } from "../wal/rewrite.ts";

/**
 * A poisoned change has a value that no event can carry. Here is what an event can carry of it: the change with null in
 * place of such values, or what is left of it when its new row is in no event. Each attempt is a message that the server
 * could have sent, so the row encoder alone judges what fits.
 */

/** A change whose first attempt was a stop. */
export interface PoisonedRow {
  readonly row: RowChange;
  /** Its columns in wire order, as the row encoder has them. */
  readonly columns: readonly (Attnum | undefined)[];
  readonly shape: Pick<Shape, "fields" | "key">;
}

/** Encodes a change; a stop is returned. */
export type Attempt<R> = (row: RowChange) => readonly R[] | GuardError;

/**
 * The change with null in every field that its value does not fit. An old row with such a value in a required field is
 * left out instead. Undefined: a field of the new row or of the key cannot be null, or the change is too large.
 */
export function withNulls<R>({ row, columns, shape }: PoisonedRow, attempt: Attempt<R>): readonly R[] | undefined {
  const tried = new Set<string>();
  let parts = rowParts(row);
  for (;;) {
    const result = attempt(rowMessage(parts));
    if (!(result instanceof GuardError)) return result;
    const { unfit } = result;
    if (unfit === undefined || unfit.part === "key") return undefined;
    const place = `${unfit.part} ${unfit.field}`;
    const isRequired = tried.has(place);
    if (!unfit.isValue && !isRequired) return undefined;
    const field = shape.fields.find(({ name }) => name === unfit.field);
    const column = field === undefined ? -1 : columns.indexOf(field.attnum);
    const next =
      isRequired || column < 0 ? reducedOnce(parts, unfit.part, columns, shape) : nulled(parts, unfit.part, column);
    tried.add(place);
    if (next === undefined) return undefined;
    parts = next;
  }
}

function nulled(parts: RowParts, part: "before" | "after", column: number): RowParts {
  const edit = (tuple: Buffer) => editTuple(tuple, (at) => (at === column ? "null" : "keep"));
  if (part === "after") return { ...parts, now: parts.now && edit(parts.now) };
  return { ...parts, old: parts.old && { ...parts.old, tuple: edit(parts.old.tuple) } };
}

function reducedOnce(
  parts: RowParts,
  part: "before" | "after",
  columns: PoisonedRow["columns"],
  shape: PoisonedRow["shape"],
): RowParts | undefined {
  if (part !== "before" || parts.old?.kind !== "full" || shape.key.length === 0) return undefined;
  return withoutOldRow(filledFromOld(parts), columns, shape);
}

/** What is published of a change whose new row is in no event. */
export interface Remainder<R> {
  /** `row`: all but the old row; `removal`: the event that removes the row from its old key. */
  readonly what: "row" | "removal" | "nothing";
  readonly records: readonly R[];
}

/**
 * What an event can carry of the change, so that no row remains under a key that the table no longer has: all of it, if
 * only the old row does not fit; of a row that moved to another key, its removal from the old one.
 */
export function remainderOf<R>({ row, columns, shape }: PoisonedRow, attempt: Attempt<R>): Remainder<R> {
  const parts = filledFromOld(rowParts(row));
  const { old, now } = parts;
  if (old === undefined || shape.key.length === 0) return NOTHING;
  const small = withoutOldRow(parts, columns, shape);
  if (now === undefined) return firstOf(attempt, ["removal", small]);
  if (!isMoved(parts, columns, shape)) return firstOf(attempt, ["row", small]);
  const removal: RowParts = { ...small, kind: "delete", now: undefined };
  // No consumer has a row under a key that no event can have.
  const arrival: RowParts = { ...parts, kind: "insert", old: undefined };
  return firstOf(attempt, ["row", small], ["removal", removal], ["row", arrival]);
}

const NOTHING = { what: "nothing", records: [] } as const;

function firstOf<R>(
  attempt: Attempt<R>,
  ...attempts: readonly (readonly [Remainder<R>["what"], RowParts])[]
): Remainder<R> {
  for (const [what, parts] of attempts) {
    const records = attempt(rowMessage(parts));
    if (!(records instanceof GuardError)) return { what, records };
  }
  return NOTHING;
}

/** The change as the log has it under REPLICA IDENTITY DEFAULT: the old row has only its key, and only if that changed. */
function withoutOldRow(parts: RowParts, columns: PoisonedRow["columns"], shape: PoisonedRow["shape"]): RowParts {
  const { old, now } = parts;
  if (old === undefined || (now !== undefined && !isMoved(parts, columns, shape))) return { ...parts, old: undefined };
  const keyed = new Set(shape.key.map(({ attnum }) => columns.indexOf(attnum)));
  const tuple = editTuple(old.tuple, (at) => (keyed.has(at) ? "keep" : "null"));
  return { ...parts, old: { kind: "key", tuple } };
}

/** Does the event's key differ between the two rows? A value that is missing from one of them did not change. */
function isMoved({ old, now }: RowParts, columns: PoisonedRow["columns"], { key }: PoisonedRow["shape"]): boolean {
  if (old === undefined || now === undefined) return false;
  return key.some(({ attnum }) => {
    const at = columns.indexOf(attnum);
    const [before, after] = [textIn(old.tuple, at), textIn(now, at)];
    const isMissing = before === undefined || after === undefined || (before === null && old.kind === "key");
    return !isMissing && before !== after;
  });
}
