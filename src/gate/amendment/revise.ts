import { type Amendment, amendmentId, type Explanation } from "./amendment.ts";
import type { Difference, SeenColumn } from "./differ.ts";
import type { Input, TableState, When } from "../state.ts";

/**
 * Turns the differences between a topic's shape and its table into amendments. A new difference gets a new amendment.
 * An existing amendment is kept, replaced or dropped.
 */

export function newAmendment(topic: string, difference: Difference, when: When): Amendment {
  const { kind, attnum } = difference;
  return {
    id: amendmentId(topic, kind === "key" || kind === "table" || attnum === undefined ? keyOrTable(kind) : attnum),
    topic,
    ...difference,
    answer: undefined,
    notTaken: undefined,
    verdicts: [],
    order: undefined,
    gate: { kind: "withheld", since: when.position, time: when.time, reason: { kind: "not-judged" } },
    missed: false,
    alerted: undefined,
  };
}

function keyOrTable(kind: Amendment["kind"]): "key" | "table" {
  return kind === "table" ? "table" : "key";
}

/** Drops amendments that are no longer differences. Those that differ in a new way are judged again. */
export function revise(
  table: TableState,
  sure: readonly SeenColumn[],
  found: readonly Difference[],
  proven: boolean,
  input: Extract<Input, { readonly kind: "seen" }>,
  when: When,
): readonly Amendment[] {
  const { topic } = table.shape;
  const { explained } = input;
  const isSure = ({ attnum }: Amendment) => proven || sure.some(({ column }) => column.attnum === attnum);
  const isNewFile = hasOtherFile(table, input);
  const revised = new Map(
    found.map((difference) => {
      const fresh = newAmendment(topic, difference, when);
      const before = table.amendments.find(({ id }) => id === fresh.id);
      const isNew = before === undefined || before.gate.kind === "released";
      // A column that existed before it became an amendment has values that no event carries.
      const wasThere = table.known.some((known) => known.attnum === difference.attnum);
      const missed = fresh.kind === "added" && (table.doubt || wasThere);
      const unproven = fresh.kind === "added" && isUnproven(table, input, difference);
      if (isNew) return [fresh.id, { ...fresh, missed, unproven, explained }] as const;
      return [fresh.id, restate(isNewFile ? asUnproven(before) : before, fresh, explained)] as const;
    }),
  );
  const kept = table.amendments.flatMap((amendment) => {
    const now = revised.get(amendment.id);
    revised.delete(amendment.id);
    if (now !== undefined) return [now];
    // The captured table may go on under another name while the one that has its name waits to be accepted.
    const stays = amendment.gate.kind === "released" || amendment.kind === "table" || !isSure(amendment);
    return stays ? [amendment] : [];
  });
  return [...kept, ...revised.values()];
}

/**
 * Whether older rows can hold values in an added column that the catalog does not show. They cannot if the table still
 * has the same file and the column's attnum was not assigned before. A partitioned table has no file of its own, so its
 * columns always count as unproven.
 */
function isUnproven(
  table: TableState,
  input: Extract<Input, { readonly kind: "seen" }>,
  { attnum }: Difference,
): boolean {
  const { assigned } = table;
  return hasOtherFile(table, input) || assigned === undefined || attnum === undefined || attnum <= assigned;
}

/** Whether the rows may have been written to a new file since the columns were last proven. */
function hasOtherFile(
  { filenode }: TableState,
  { table, rewritten }: Extract<Input, { readonly kind: "seen" }>,
): boolean {
  return rewritten === true || filenode === undefined || filenode <= 0 || filenode !== table.filenode;
}

/** `ALTER TYPE … USING` can give a withheld column values in every row, without an event and without a trace in its own definition. */
function asUnproven(amendment: Amendment): Amendment {
  const isOpen = amendment.kind === "added" && amendment.unproven !== true;
  return isOpen ? { ...amendment, unproven: true } : amendment;
}

/** The facts that an amendment is about, without its gate and its judgement. */
function about({ kind, name, column, changes, key, gone, unmapped }: Amendment): string {
  // A rewrite moves the value of older rows from the catalog into the rows themselves. The column remains the same.
  const same = column && { ...column, missing: undefined };
  return JSON.stringify([kind, name, same, changes, key, gone, unmapped?.rule]);
}

/** Returns the same amendment if nothing about it changed, or else one that has to be judged again. */
export function restate(before: Amendment, fresh: Amendment, explained: Explanation | undefined): Amendment {
  if (about(before) === about(fresh)) {
    return explained === undefined || before.explained !== undefined ? before : { ...before, explained };
  }
  // A release was meant for the column as it was, so it is dropped. A withhold remains in force.
  const order = before.order?.kind === "withhold" ? before.order : undefined;
  const { gate, missed, unproven } = before;
  return { ...fresh, gate, missed, unproven, order, explained: explained ?? before.explained };
}
