import { describe, expect, it } from "vitest";
import { insteadOfRelease, nextStep, nextSteps } from "../../src/words/next-step.ts";
import type { ChunkJob } from "../../src/chunk/job.ts";
import type { Amendment } from "../../src/gate/amendment/amendment.ts";
import { column } from "../gate/customers.ts";
import { finding, notReady, released, SINCE, waitsFor, withheld } from "../alert/amendments.ts";

const WAITING: ChunkJob = {
  id: "backfill/x",
  topic: "x",
  kind: "backfill",
  column: undefined,
  due: "all",
  cursor: undefined,
  again: [],
  rows: 0,
  scanned: 0,
  estimate: 1,
  state: "waiting",
  reason: { kind: "too-many-rows", rows: 1, amendment: "x" },
};

describe("the next command", () => {
  it.each<[string, readonly Amendment[], readonly string[]]>([
    [
      "several releases are one command",
      [withheld(3), withheld(4)],
      ["fieldgate release inventory.public.customers/3 inventory.public.customers/4"],
    ],
    [
      "a consumer that is not ready is named once",
      [waitsFor(3, "a", notReady()), waitsFor(4, "b", notReady())],
      ["once billing is ready, in its repository: fieldgate publish --env production"],
    ],
    [
      "an amendment that no operator can release has to be examined",
      [withheld(3, "a", { unmapped: finding() }), withheld(4, "b", { gone: true })],
      [
        "fieldgate amendments show inventory.public.customers/3",
        "fieldgate amendments show inventory.public.customers/4",
      ],
    ],
    [
      "groups that no contract names have to be named first",
      [
        withheld(3, "a", {
          gate: {
            kind: "withheld",
            ...SINCE,
            reason: { kind: "not-ready", consumers: [], unnamed: { kind: "known", groups: ["sink"] } },
          },
        }),
      ],
      ["name sink in a contract's `groups`, in the consumer's repository: fieldgate publish"],
    ],
    [
      "groups that Kafka does not show have to be named first, too",
      [
        withheld(3, "a", {
          gate: {
            kind: "withheld",
            ...SINCE,
            reason: {
              kind: "not-ready",
              consumers: [],
              unnamed: { kind: "unknown", why: { kind: "groups-hidden", groups: ["jobs"] } },
            },
          },
        }),
      ],
      ["name jobs in a contract's `groups`, in the consumer's repository: fieldgate publish"],
    ],
    ["a released amendment needs nothing", [released()], []],
  ])("%s", (_, amendments, expected) => {
    expect(nextSteps(amendments, () => undefined, "guard")).toEqual(expected);
  });

  it("of a waiting backfill starts it", () => {
    expect(nextStep(released(), WAITING, "guard")).toBe(
      "fieldgate release inventory.public.customers/3 --backfill all",
    );
  });
});

it("a column of a type that is not mapped is given another type or excluded, because no release lets it flow", () => {
  const at = column(3, "at", "text", { typeName: "tid" });
  expect(insteadOfRelease(withheld(3, "at", { unmapped: finding(), column: at }))).toBe(
    "type tid is in no event: give the column a type that is mapped, or name it in column.exclude.list",
  );
});
