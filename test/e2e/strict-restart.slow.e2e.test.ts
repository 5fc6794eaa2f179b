import { expect, it } from "vitest";
import { joined } from "../kafka/place.ts";
import { until } from "../stack/until.ts";
import { captureTable, latest } from "./world.ts";

const STRICT = { "fieldgate.release.policy": "strict", "fieldgate.groups.look.ms": "250" };
const ROWS = 20;

it("after a kill, the strict policy still waits for the same group, and later every row is published once", async () => {
  await using world = await captureTable({ connector: STRICT });
  const { database, events, topic } = world;
  const group = `${topic}.audit`;
  await using _member = await joined(group, topic);
  const untilWithheld = () =>
    until(async () => {
      const { gate } = await world.service.amendment("nick", "withheld");
      return gate.why.includes(group) ? gate : undefined;
    }, "the amendment waits for the group");
  const insert = (from: number) =>
    database.query(`insert into t select i, 'row', 'nick ' || i from generate_series(${from}, ${from + ROWS - 1}) i`);

  await database.query("alter table t add column nick text");
  await insert(2);
  const before = await untilWithheld();
  await insert(2 + ROWS);
  world.service.kill("SIGKILL");
  expect(await world.service.exited).toBeNull();
  await world.stop();
  await insert(2 + 2 * ROWS);
  const service = await world.start();
  const after = await untilWithheld();
  expect(after).toEqual(before);
  const kept = await events.until((seen) => seen.length >= 1 + 3 * ROWS, "rows continue to flow");
  expect(kept.filter(({ after: row }) => row !== null && "nick" in row)).toEqual([]);

  const reads = { decodesWith: "writer", unknownFields: "reject", fields: ["id", "a", "nick"] };
  await service.publishContract({ consumer: "audit", topic, ...reads, groups: [group] });
  await service.amendment("nick", "released");
  await service.idle();
  await insert(2 + 3 * ROWS);
  const last = 1 + 4 * ROWS;
  const all = await events.until((seen) => seen.some(({ after: row }) => row?.["id"] === last), "the last row");
  const ids = Array.from({ length: last - 1 }, (_, index) => index + 2);
  expect(all.filter(({ op }) => op === "c").map(({ after: row }) => row?.["id"])).toEqual(ids);
  const rows = latest(all.map(({ after: row }) => row));
  expect(new Map(rows.map((row) => [row["id"], row["nick"] ?? null]))).toEqual(
    new Map<unknown, unknown>([[1, null], ...ids.map((id) => [id, `nick ${id}`] as const)]),
  );
});
