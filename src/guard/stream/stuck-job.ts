import type { ChunkJob } from "../../chunk/job.ts";
import type { GuardError } from "../../errors.ts";
import { apply } from "../control/apply.ts";
import { withNextSteps } from "../control/halt.ts";
import { type Parts, tableOf } from "../session.ts";
import { warnPeople } from "../warn-people.ts";

/**
 * A job whose next row cannot be written waits, and everything else flows: the changes of its table, and other jobs. It is
 * tried again when something has changed that the row depends on, at the start of a session, and once a minute.
 */

const AGAIN_MICROS = 60_000_000n;

/** Sets the job aside, and reports it unless it waits for the same cause already. */
export function setAside(session: Parts<"control" | "tape" | "chunks">, id: string, error: GuardError): void {
  const { control, chunks, outside } = session;
  const job = control.state.jobs.get(id);
  if (job === undefined) return;
  const { code, text, next, unfit } = withNextSteps(session, job.topic, error);
  const field = unfit?.field ?? error.unfit?.field;
  const position = tableOf(control.state, job.topic).poison?.stuck?.at;
  const stuck = { code, field, at: position, text, next };
  apply(session, { kind: "job-stuck", id, stuck });
  chunks.stuck.set(id, { table: tableOf(control.state, job.topic), again: outside.now() + AGAIN_MICROS });
  const before = job.stuck;
  if (before?.code === code && before.field === field && before.at === position) return;
  const key = ["stuck", id, code, field, position].join("/");
  warnPeople(outside, { id: key, about: "waits", what: `${id} waits: ${text}`, next });
}

/** True if the job is set aside and nothing has changed since. */
export function isSetAside({ control, chunks, outside }: Parts<"control" | "chunks">, job: ChunkJob): boolean {
  const waits = chunks.stuck.get(job.id);
  if (job.stuck === undefined || waits === undefined || outside.now() >= waits.again) return false;
  const table = control.state.tables.get(job.topic);
  const { shape, known, amendments, poison } = waits.table;
  const isSame = table?.shape === shape && table.known === known && table.amendments === amendments;
  return isSame && table.poison?.stuck?.order === poison?.stuck?.order;
}
