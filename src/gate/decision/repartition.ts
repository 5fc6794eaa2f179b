import type { OperatorCommand, State } from "../state.ts";
import { withTable } from "../update.ts";
import type { Refusal } from "./reason.ts";

/**
 * A key's partition depends on the number of partitions, and readers rely on one key's events being in one partition. So
 * partitions that were added to a topic are not used until an operator says `release TOPIC/partitions --reason "…"`.
 */

const SUFFIX = "/partitions";

/** The topic of such a name; undefined if the name is a different one. */
export function repartitionedTopic(name: string): string | undefined {
  return name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : undefined;
}

/** Why the command cannot be carried out; undefined if it can. */
export function refusesRepartition(state: State, command: OperatorCommand, name: string): Refusal | undefined {
  const table = state.tables.get(repartitionedTopic(name) ?? "");
  if (table?.morePartitions === undefined) return { kind: "amendment-unknown", name };
  const { kind, reason = "" } = command;
  return kind === "release" && reason.trim() !== "" ? undefined : { kind: "reason-missing", id: name };
}

/** From now on, keys are spread over all partitions. */
export function repartitioned(state: State, name: string): State {
  const table = state.tables.get(repartitionedTopic(name) ?? "");
  if (table?.morePartitions === undefined) return state;
  return withTable(state, { ...table, partitions: table.morePartitions, morePartitions: undefined });
}
