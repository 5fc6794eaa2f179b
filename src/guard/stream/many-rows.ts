import type { ChunkJob } from "../../chunk/job.ts";
import { nameOfJob } from "../../gate/decision/repair.ts";
import { withJob } from "../../gate/update.ts";
import { renderJobReason } from "../../words/reason.ts";
import type { ChunkRead } from "../../postgres/chunk.ts";
import type { Settings } from "../outside.ts";
import { type Parts, tableOf } from "../session.ts";
import { fullName } from "../../table/quote.ts";
import { warnPeople } from "../warn-people.ts";

/**
 * Makes a backfill or a repair of more rows than fieldgate.backfill.max.rows wait for an operator. The number of rows
 * is determined when the job reads its first chunk, because the statistics may not show it.
 */

type RowsBeyond = Extract<ChunkRead, { kind: "too-many" }>["rows"];

/** The maximum number of rows that the job may read without asking; undefined if it need not ask. */
export function mostRows(settings: Settings, job: ChunkJob): number | undefined {
  const isAsked = job.kind === "snapshot" || job.cleared === true || job.scanned > 0 || job.again.length > 0;
  return isAsked ? undefined : settings["fieldgate.backfill.max.rows"];
}

export function waitForOperator({ control, outside }: Parts<"control">, id: string, rows: RowsBeyond): void {
  const job = control.state.jobs.get(id);
  if (job?.state !== "running") return;
  const most = outside.settings["fieldgate.backfill.max.rows"];
  const known = typeof rows === "number" ? { rows } : { rows: -1, moreThan: rows === "more" ? most : undefined };
  const reason = { kind: "too-many-rows", ...known, amendment: nameOfJob(job) } as const;
  control.state = withJob(control.state, { ...job, state: "waiting", reason });
  const { table } = tableOf(control.state, job.topic).shape;
  const what = `${fullName(table)}: rows are not published again yet: ${renderJobReason(reason)}`;
  const next = `fieldgate release ${nameOfJob(job)} --backfill all, or none`;
  warnPeople(outside, { id: `rows/${job.id}`, about: "waits", what, next });
}
