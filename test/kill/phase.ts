import type { Random } from "./random.ts";
import type { AmendmentRecord, State } from "./state.ts";

export const PHASES = ["snapshot", "large", "ddl", "withheld", "release", "backfill", "steady"] as const;

/** What the service was doing when it died, judged by the state that it left. */
export type Phase = (typeof PHASES)[number];

/** A position at this index in a transaction means that the transaction is a large one. */
const LARGE = 1000;

/**
 * Several phases can apply at once. `altered` has, by table, the highest attnum that the database has committed: as long
 * as the state does not have it, the service still has that DDL ahead of it. `kept`, a column that is withheld for good,
 * does not count as a phase.
 */
export function phasesOf(state: State, altered: ReadonlyMap<string, number>, kept: string): ReadonlySet<Phase> {
  const phases = new Set<Phase>();
  for (const job of state.jobs) if (job.state === "running") phases.add(job.kind);
  if ((state.position?.tx?.index ?? 0) >= LARGE) phases.add("large");
  for (const { shape, known } of state.tables) {
    const last = Math.max(0, ...known.map(({ attnum }) => attnum));
    if (last < (altered.get(shape.table.name) ?? 0)) phases.add("ddl");
  }
  for (const amendment of amendments(state, kept)) {
    if (isReleasing(amendment)) phases.add("release");
    if (amendment.gate.kind === "withheld") phases.add(amendment.alerted === undefined ? "ddl" : "withheld");
  }
  return phases.size === 0 ? new Set(["steady"]) : phases;
}

/** The release is requested and not done, or done and not yet alerted. */
export function isReleasing({ gate, order, alerted }: AmendmentRecord): boolean {
  if (gate.kind === "withheld") return order?.kind === "release";
  return alerted?.key.startsWith("released") !== true;
}

export function amendments(state: State, kept: string): readonly AmendmentRecord[] {
  return state.tables.flatMap((table) => table.amendments).filter(({ column }) => column.name !== kept);
}

/** The phases to kill in, in this order: snapshots first, and the phases of a column one after the other. */
export function schedule(kills: number, random: Random): readonly Phase[] {
  const counts = new Map(
    PHASES.map((phase, index) => [phase, Math.floor(kills / PHASES.length) + (index < kills % PHASES.length ? 1 : 0)]),
  );
  const take = (phase: Phase): readonly Phase[] => {
    const left = counts.get(phase) ?? 0;
    counts.set(phase, left - 1);
    return left > 0 ? [phase] : [];
  };
  const result: Phase[] = [];
  for (let left = counts.get("snapshot") ?? 0; left > 0; left--) result.push(...take("snapshot"));
  while ([...counts.values()].some((left) => left > 0)) {
    const life: readonly Phase[] = ["ddl", "withheld", "release", "backfill"];
    const groups = random.shuffle<readonly Phase[]>([["steady"], ["large"], life]);
    result.push(...groups.flat().flatMap(take));
  }
  return result;
}
