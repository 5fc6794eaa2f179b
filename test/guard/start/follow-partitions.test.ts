import { expect, it } from "vitest";
import { followPartitions } from "../../../src/guard/start/follow-partitions.ts";
import { EMPTY } from "../../../src/store/records.ts";
import { publishing, TOPIC } from "../../gate/customers.ts";
import { worldOf } from "../session.ts";

function follow(used: number | undefined, more: number | undefined, now: number) {
  const { outside, log } = worldOf();
  const table = { ...publishing(), partitions: used, morePartitions: more };
  const stored = { ...EMPTY, tables: new Map([[TOPIC, table]]) };
  const { tables, jobs } = followPartitions(outside, stored, new Map([[TOPIC, { partitions: now }]]));
  const after = tables.get(TOPIC);
  return { used: after?.partitions, more: after?.morePartitions, jobs: [...jobs.keys()], log };
}

it("the number of partitions is recorded when the topic is first described", () => {
  expect(follow(undefined, undefined, 3)).toEqual({ used: 3, more: undefined, jobs: [], log: [] });
  expect(follow(3, undefined, 3)).toEqual({ used: 3, more: undefined, jobs: [], log: [] });
});

it("added partitions are reported once, and keys stay where they are", () => {
  const { log, ...rest } = follow(3, undefined, 6);
  expect(rest).toEqual({ used: 3, more: 6, jobs: [] });
  expect(log[0]).toContain(`fieldgate release ${TOPIC}/partitions`);
  expect(follow(3, 6, 6).log).toEqual([]);
});

it("a topic with fewer partitions was made again, so its rows are published again", () => {
  const { log, ...rest } = follow(6, undefined, 3);
  expect(rest).toEqual({ used: 3, more: undefined, jobs: [`repair/${TOPIC}`] });
  expect(log).toHaveLength(1);
});
