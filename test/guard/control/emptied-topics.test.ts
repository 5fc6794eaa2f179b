import { expect, it } from "vitest";
import { type ChunkJob, newJob } from "../../../src/chunk/job.ts";
import { findEmptied } from "../../../src/guard/control/emptied-topics.ts";
import { stateOf, TOPIC } from "../../gate/customers.ts";
import { sessionIn, worldOf } from "../session.ts";

const snapshot = (rows: number): ChunkJob => ({ ...newJob(`snapshot/${TOPIC}`, TOPIC, "snapshot"), rows });
const repair = (rows: number, state: ChunkJob["state"]): ChunkJob => ({
  ...newJob(`repair/${TOPIC}`, TOPIC, "backfill"),
  rows,
  state,
});

it.each<[what: string, jobs: readonly ChunkJob[], isChecked: boolean]>([
  ["to which its snapshot has written is", [snapshot(3)], true],
  ["of an empty table is not", [snapshot(0)], false],
  [
    "whose repair has not written yet is not, because the repair will write every row",
    [snapshot(3), repair(0, "running")],
    false,
  ],
  [
    "whose repair has written some of the rows is, because the repair would not write those again",
    [snapshot(3), repair(2, "running")],
    true,
  ],
  ["whose repair is done is", [snapshot(3), repair(3, "done")], true],
])("a topic %s checked for being empty", (_, jobs, isChecked) => {
  const asked: string[] = [];
  const world = worldOf({
    sink: {
      async emptyTopics(names) {
        asked.push(...names);
        return [];
      },
    },
  });
  const state = { ...stateOf(), jobs: new Map(jobs.map((job) => [job.id, job])) };
  findEmptied(sessionIn(world, state));
  expect(asked).toEqual(isChecked ? [TOPIC] : []);
});
