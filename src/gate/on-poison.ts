import type { GuardError } from "../errors.ts";
import type { Refusal } from "./decision/reason.ts";
import type { Poison, PoisonCounts, PoisonInput, StuckChange } from "./poison.ts";
import type { PoisonWay } from "./poison-way.ts";
import type { Decided, Input, State, TableState, When } from "./state.ts";
import { answered, step, withheldOf, withJob, withTable } from "./update.ts";

/** What is decided about poisoned changes: which are, and what a table's record keeps of them. */

const NO_COUNTS: PoisonCounts = { null: 0, "dead-letter": 0 };

/** Is only the row at fault? Not if an amendment of the field is withheld: then its release may let the row through. */
export function isPoison(table: TableState, { code, unfit }: Pick<GuardError, "code" | "unfit">): boolean {
  if (code === "record-too-large") return true;
  if (code !== "value-unfit" || unfit?.isValue !== true) return false;
  return !isAmended(table, unfit.field);
}

/** Is the field, or the key that it is part of, waiting for somebody's decision? */
export function isAmended(table: TableState, field: string): boolean {
  const inKey = table.shape.key.some(({ name }) => name === field);
  return withheldOf(table).some(({ name, kind }) => name === field || (kind === "key" && inKey));
}

export function onPoison(state: State, input: PoisonInput, when: When): Decided {
  const table = state.tables.get(input.topic);
  if (table === undefined) return step(state);
  const before: Poison = table.poison ?? { counts: NO_COUNTS };
  const { counts } = before;
  const next = (change: Partial<Poison>) => withTable(state, { ...table, poison: { ...before, ...change } });
  switch (input.kind) {
    case "poisoned": {
      const sum = (way: PoisonWay) => counts[way] + input.counts[way];
      const last = { ...input.last, time: when.time };
      return step(next({ counts: { null: sum("null"), "dead-letter": sum("dead-letter") }, last }));
    }
    case "row-stuck": {
      if (before.stuck?.at === input.stuck.at && before.stuck.order === undefined) return step(state);
      const refused = input.refused ?? ({ kind: "row-passed", topic: input.topic } as const);
      const stuck = { ...input.stuck, since: when.position, time: when.time };
      return step(answerOrder(next({ stuck }), before.stuck, refused));
    }
    case "row-passed": {
      if (before.stuck === undefined) return step(state);
      const { topic, way } = input;
      return step(answerOrder(next({ stuck: undefined }), before.stuck, { kind: "row-passed", topic }, way));
    }
    case "poison-reported":
      return step(next({ reported: input.reported }));
    default:
      return input satisfies never;
  }
}

/** The job waits at its next row, and everything else flows. */
export function onJobStuck(state: State, { id, stuck }: Extract<Input, { kind: "job-stuck" }>): Decided {
  const job = state.jobs.get(id);
  return step(job === undefined ? state : withJob(state, { ...job, stuck }));
}

/** The command is done if the change became what it ordered, and refused otherwise. */
function answerOrder(state: State, stuck: StuckChange | undefined, refusal: Refusal, way?: PoisonWay): State {
  const { order } = stuck ?? {};
  if (order === undefined) return state;
  const done = way === order.way;
  return answered(
    state,
    order.command,
    done ? { kind: "done", done: { kind: "row-settled", way } } : { kind: "refused", refusals: [refusal] },
  );
}
