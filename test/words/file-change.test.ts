import { expect, it } from "vitest";
import { describeFileChange, isRepairedBy } from "../../src/words/file-change.ts";

it("names newly skipped operations, and what consumers keep", () => {
  expect(describeFileChange("skipped.operations", "t", "d,t").what).toBe(
    "skipped.operations was t and is now d,t: deletes are no longer published, so consumers keep what they had",
  );
});

it("names operations that are published again, and the rows that can be published again", () => {
  const { what, severity } = describeFileChange("skipped.operations", "d,t,u", "none");
  expect(severity).toBe("warn");
  expect(what).toContain("deletes and truncations and updates are published again");
  expect(what).toContain("all rows of the tables are published again");
  expect(what).toContain("consumers keep rows that were deleted in the meantime");
});

it.each([
  ["u,t", "t", true],
  ["c", "none", true],
  ["d,t", "t", false],
  ["none", "u", false],
])("after skipped.operations %s, %s needs a repair: %s", (was, now, due) => {
  expect(isRepairedBy(was, now)).toBe(due);
});

it("a key without consequences for consumers is a line of information", () => {
  expect(describeFileChange("fieldgate.release.policy", "manual", "contracts")).toEqual({
    severity: "info",
    what: "fieldgate.release.policy was manual and is now contracts",
    next: undefined,
  });
});
