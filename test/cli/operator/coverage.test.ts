import { describe, expect, it } from "vitest";
import * as z from "zod";
import { coverageJson, coverageMarkdown, coverageText } from "../../../src/cli/operator/coverage-text.ts";
import { otherSchemaFinding, staleFinding } from "../../../src/contract/evidence.ts";
import { coverageSchema, type CoverageView } from "../../../src/api/coverage.ts";

const SINCE = "2026-03-01T06:31:07.123Z";
const group = { live: true, members: 3, read: SINCE, readSecondsAgo: 20, moved: SINCE, namedBy: [], announced: [] };
const contract = { versions: 1, since: SINCE, read: SINCE, readSecondsAgo: 20, stale: false, findings: [] };
const topic = { connector: "inventory", environment: "default", mode: "guard", policy: "strict" } as const;
const fingerprint = "0123456789abcdef".repeat(4);

const view: CoverageView = {
  complete: false,
  topics: [
    {
      ...topic,
      topic: "inventory.public.customers",
      lastPoll: { at: SINCE, secondsAgo: 20, problem: null },
      groups: [
        { ...group, group: "audit|sink", members: null, readSecondsAgo: 10_800, moved: null },
        {
          ...group,
          group: "billing",
          namedBy: ["billing"],
          announced: [
            { fingerprint, members: 1, consumers: ["billing"] },
            { fingerprint: fingerprint.replaceAll("0", "f"), members: 2, consumers: [] },
          ],
        },
        { ...group, group: "old", live: false, members: 0, readSecondsAgo: 1_400_000, namedBy: ["old"] },
      ],
      contracts: [
        { ...contract, consumer: "billing", groups: ["billing"], findings: [otherSchemaFinding("billing", 2, 3)] },
        { ...contract, consumer: "new", groups: ["new", "new-v2"], read: null, readSecondsAgo: null },
        {
          ...contract,
          consumer: "old",
          groups: ["old"],
          stale: true,
          findings: [staleFinding(["old"], 1_209_600_000)],
        },
      ],
      unnamed: ["audit|sink"],
    },
    {
      ...topic,
      mode: "watch",
      topic: "inventory.public.orders",
      lastPoll: { at: SINCE, secondsAgo: 20, problem: null },
      groups: [],
      contracts: [],
      unnamed: [],
    },
    {
      ...topic,
      topic: "inventory.public.items",
      lastPoll: { at: null, secondsAgo: null, problem: "the consumer groups have not been read yet" },
      groups: [],
      contracts: [],
      unnamed: [],
    },
  ],
  whatIf: {
    policy: "strict",
    note: "What it would have waited for before is not recorded.",
    amendments: [
      {
        id: "inventory.public.customers/3",
        field: "inventory.public.customers.nick",
        gate: "released",
        would: "waits",
        why: "no contract names the live groups audit|sink",
        waitsFor: ["audit|sink"],
      },
      {
        id: "inventory.public.customers/4",
        field: "inventory.public.customers.zip",
        gate: "withheld",
        would: "unknown",
        why: "not known who reads the topic",
        waitsFor: [],
      },
    ],
  },
};

describe("the output of coverage", () => {
  it.each([
    ["text", coverageText, "text"],
    ["markdown", coverageMarkdown, "md"],
    ["json", coverageJson, "json"],
  ])("%s matches its snapshot", async (_, print, ending) => {
    await expect(`${print(view)}\n`).toMatchFileSnapshot(`snapshots/coverage.${ending}.txt`);
    expect(() => print({ complete: true, topics: [] })).not.toThrow();
  });

  it("json matches schemas/coverage.schema.json, which is generated from the answer's type", async () => {
    const schema = z.toJSONSchema(coverageSchema);
    await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot("../../../schemas/coverage.schema.json");
    expect(coverageSchema.parse(JSON.parse(coverageJson(view)))).toEqual(view);
  });
});
