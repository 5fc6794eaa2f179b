import { GuardError } from "../../errors.ts";
import type { ChunkJob } from "../../chunk/job.ts";
import type { State } from "../../gate/state.ts";
import { inBackground, type Parts } from "../session.ts";

/**
 * A topic that was deleted while the connector was not running, and made again by a broker that makes topics by itself,
 * looks like any other topic. But nothing was ever written to it, although its table's snapshot was published.
 */

const SLICE = 100;

/** Checks this once per session, beside the loop. Such a topic ends the session, and the next one repairs it. */
export function findEmptied(session: Parts<"control">): void {
  const { outside, control } = session;
  const names = published(control.state);
  if (outside.delivery === "none" || names.length === 0) return;
  inBackground(session, async () => {
    for (let at = 0; at < names.length; at += SLICE) {
      const [emptied] = await outside.sink.emptyTopics(names.slice(at, at + SLICE));
      if (emptied !== undefined) throw madeAgain(emptied);
    }
  });
}

/** Topics to which rows were written. A repair that has not published a row yet will publish all of them anyway. */
function published({ tables, jobs }: State): readonly string[] {
  return [...tables.keys()].filter((topic) => {
    const repair = jobs.get(`repair/${topic}`);
    const job = isOpen(repair) ? repair : jobs.get(`snapshot/${topic}`);
    return (job?.rows ?? 0) > 0;
  });
}

function isOpen(job: ChunkJob | undefined): boolean {
  return job !== undefined && job.state !== "done";
}

function madeAgain(topic: string): GuardError {
  return new GuardError("topic-changed", `topic ${topic} was deleted and made again by somebody else`, {
    next: "nothing: all rows of its table are published again",
    emptied: topic,
  });
}
