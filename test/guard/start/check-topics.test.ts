import { describe, expect, it } from "vitest";
import { refuseCompacted, refuseOtherTopics, repairGoneTopics } from "../../../src/guard/start/check-topics.ts";
import type { Settings } from "../../../src/guard/outside.ts";
import type { TopicDescription } from "../../../src/kafka/topics.ts";
import { publishing, stateOf, TOPIC } from "../../gate/customers.ts";
import { worldOf } from "../session.ts";

const { tables } = stateOf(publishing());
const describedWith = (cleanupPolicy: string): ReadonlyMap<string, TopicDescription> =>
  new Map([[TOPIC, { partitions: 1, maxMessageBytes: 1_000_000, cleanupPolicy, config: new Map() }]]);

describe("a compacted topic", () => {
  type Skipped = Settings["skipped.operations"];
  const cases: readonly [string, string, Skipped, boolean, boolean][] = [
    ["accepts rows with a key", "compact", new Set(["t"]), false, false],
    ["accepts no truncations", "compact,delete", new Set(), false, true],
    ["accepts no rows of a table without a key", "compact", new Set(["t"]), true, true],
    ["that is not compacted accepts both", "delete", new Set(), true, false],
  ];
  it.each(cases)("%s", (_, policy, skipped, keyless, refused) => {
    const { outside } = worldOf({ settings: { "skipped.operations": skipped } });
    const check = () => refuseCompacted(outside, new Map([[TOPIC, { keyless }]]), describedWith(policy));
    if (refused)
      expect(check).toThrow(
        expect.objectContaining({ code: "config-invalid", message: expect.stringContaining(TOPIC) }),
      );
    else expect(check).not.toThrow();
  });
});

describe("the topics of a state", () => {
  it("that no longer exist are reported, and all their rows are published again", () => {
    const { outside, log } = worldOf();
    expect(repairGoneTopics(outside, tables, new Map())).toEqual([
      expect.objectContaining({ id: `repair/${TOPIC}`, state: "running" }),
    ]);
    expect(log).toEqual([
      expect.stringContaining(`topic ${TOPIC} and all its events are gone`),
      expect.stringContaining("notice: topic"),
    ]);
    expect(repairGoneTopics(outside, tables, describedWith("delete"))).toEqual([]);
    expect(repairGoneTopics(outside, tables, describedWith("delete"), new Set([TOPIC]))).toHaveLength(1);
  });

  it("that the file now names differently are reported", () => {
    const { schema, name } = publishing().shape.table;
    const named = (prefix: string, mode: "guard" | "watch" = "guard") => {
      const { outside, log } = worldOf({ mode, settings: { "topic.prefix": prefix, route: undefined } });
      refuseOtherTopics(outside, tables);
      return log;
    };
    expect(named(TOPIC.replace(`.${schema}.${name}`, ""))).toEqual([]);
    expect(() => named("other")).toThrow(
      expect.objectContaining({ code: "config-invalid", message: expect.stringContaining(TOPIC) }),
    );
    expect(named("other", "watch")).toEqual([expect.stringContaining(`other.${schema}.${name}`)]);
  });
});
