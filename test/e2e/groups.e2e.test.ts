import { expect, it } from "vitest";
import type { CoverageView } from "../../src/api/coverage.ts";
import { joined } from "../kafka/place.ts";
import { until } from "../stack/until.ts";
import { captureTable } from "./world.ts";

const STRICT = { "fieldgate.release.policy": "strict", "fieldgate.groups.look.ms": "250" };

it("the strict policy withholds a field until a contract names the live group", async () => {
  await using world = await captureTable({ connector: STRICT });
  const { database, events, service, topic } = world;
  const group = `${topic}.audit`;
  const coverage = (query = "") => service.get<CoverageView>(`/v1/coverage${query}`);
  await using _member = await joined(group, topic);
  const unnamed = await until(async () => {
    const [view] = (await coverage()).topics;
    return view?.unnamed.includes(group) === true ? view : undefined;
  }, "the group is seen");
  expect(unnamed).toMatchObject({ topic, policy: "strict", groups: [{ group, live: true, namedBy: [] }] });

  await database.query("alter table t add column nick text; insert into t values (2, 'two', 'deuce')");
  const withheld = await until(async () => {
    const amendment = await service.amendment("nick", "withheld");
    return amendment.gate.why.includes(group) ? amendment : undefined;
  }, "the amendment waits for the group");
  expect(withheld.gate.unnamed).toEqual({ kind: "known", groups: [group] });
  expect(withheld.next).toContain(group);
  expect(await service.command({ kind: "release", ids: [withheld.id] })).toMatchObject({ kind: "refused" });
  const { complete, whatIf } = await coverage("?policy=contracts");
  expect(complete).toBe(false);
  expect(whatIf).toMatchObject({ policy: "contracts", amendments: [{ id: withheld.id, would: "flows" }] });
  const before = await events.until((seen) => seen.length >= 2, "rows continue to flow");
  expect(before[1]?.after).toEqual({ id: 2, a: "two" });

  const reads = { decodesWith: "writer", unknownFields: "reject", fields: ["id", "a"], ignores: ["nick"] };
  await service.publishContract({ consumer: "audit", topic, ...reads, groups: [group] });
  const released = await service.amendment("nick", "released");
  expect(released.verdicts[0]?.seen?.[0]).toMatch(/^group .*\.audit: 1 member, seen \d+ s ago$/);
  await events.until(
    (seen) => seen.some(({ after }) => after?.["nick"] === "deuce"),
    "the value written while it was withheld",
  );
  expect(await coverage()).toMatchObject({
    complete: true,
    topics: [
      { unnamed: [], groups: [{ group, namedBy: ["audit"] }], contracts: [{ consumer: "audit", stale: false }] },
    ],
  });
});
