import { agreedTo, type ChunkJob } from "../../chunk/job.ts";
import type { OperatorCommand, State } from "../state.ts";
import { withJob } from "../update.ts";
import type { Refusal } from "./reason.ts";

/**
 * Handles an operator's decision about a repair of more rows than fieldgate.backfill.max.rows. `release TOPIC/repair
 * --backfill all` starts it, and `--backfill none` declines it. A repair belongs to no amendment, so it has its own
 * name.
 */

const SUFFIX = "/repair";

/** The topic in a repair's name; undefined if it is not the name of a repair. */
export function repairedTopic(name: string): string | undefined {
  return name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : undefined;
}

/** The name that an operator uses for the job in a command. */
export function nameOfJob({ id, topic }: Pick<ChunkJob, "id" | "topic">): string {
  const backfill = "backfill/";
  return id.startsWith(backfill) ? id.slice(backfill.length) : `${topic}${SUFFIX}`;
}

/** Why the command cannot decide about the repair; undefined if it can. */
export function refusesRepair(state: State, command: OperatorCommand, name: string): Refusal | undefined {
  const topic = repairedTopic(name);
  if (topic === undefined || !state.jobs.has(`repair/${topic}`)) return { kind: "amendment-unknown", name };
  return command.kind === "release" && command.backfill !== undefined
    ? undefined
    : { kind: "repair-undecided", id: name };
}

/** Starts or declines the job, if it waits for an operator. */
export function decidedJob(state: State, id: string, { backfill, actor }: OperatorCommand): State {
  const job = state.jobs.get(id);
  if (job?.state !== "waiting" || backfill === undefined) return state;
  return withJob(
    state,
    backfill === "all" ? agreedTo(job) : { ...job, state: "done", reason: { kind: "declined", actor } },
  );
}
