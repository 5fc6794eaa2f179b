import { expect, it } from "vitest";
import { describeFileChange, isRepairedBy } from "../../src/words/file-change.ts";

it("operations that are skipped from now on are named, and what consumers keep", () => {
  expect(describeFileChange("skipped.operations", "t", "d,t").what).toBe(
    "skipped.operations was t and is d,t now: deletes are no longer published, so consumers keep what they had",
  );
});

it("operations that come back are named, and what can be published once more", () => {
  const { what, severity } = describeFileChange("skipped.operations", "d,t,u", "none");
  expect(severity).toBe("warn");
  expect(what).toContain("deletes and truncations and updates are published again");
  expect(what).toContain("all rows of the tables are published once more");
  expect(what).toContain("rows that were deleted meanwhile stay with consumers");
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
    what: "fieldgate.release.policy was manual and is contracts now",
    next: undefined,
  });
});
