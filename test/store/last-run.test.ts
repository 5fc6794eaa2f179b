import { expect, it } from "vitest";
import { followKeys } from "../../src/store/last-run.ts";
import { changes, EMPTY, replay } from "../../src/store/records.ts";

const FIRST = { keys: { a: "1", b: "x" }, unreported: {} };

it("a changed key is open until it is reported, from its first value on", () => {
  const second = followKeys(FIRST, { a: "2", b: "x" });
  expect(second).toEqual({ keys: { a: "2", b: "x" }, unreported: { a: "1" } });
  expect(followKeys(second, { a: "3", b: "y" }).unreported).toEqual({ a: "1", b: "x" });
});

it("a change that is undone before it was reported is none", () => {
  expect(followKeys(followKeys(FIRST, { a: "2", b: "x" }), FIRST.keys)).toEqual(FIRST);
});

it("a key that an earlier version did not record is not known to have changed", () => {
  expect(followKeys(FIRST, { ...FIRST.keys, c: "new" }).unreported).toEqual({});
});

it("is recorded and read again", () => {
  const lastRun = followKeys(FIRST, { a: "2", b: "x" });
  expect(replay(changes(EMPTY, { ...EMPTY, lastRun })).lastRun).toEqual(lastRun);
});
