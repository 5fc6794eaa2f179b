import { describe, expect, it } from "vitest";
import type { SlotRoom } from "../../src/postgres/slot.ts";
import { dangerOf } from "../../src/service/watch-slot.ts";
import { renderBytes } from "../../src/words/slot.ts";

const MB = 1n << 20n;

function roomOf(changes: Partial<SlotRoom>): SlotRoom {
  return { walStatus: "extended", kept: 0n, safe: undefined, idle: undefined, ...changes };
}

describe("a slot is about to be lost", () => {
  it.each<[string, Partial<SlotRoom>, boolean, string]>([
    ["not while there is no limit", { kept: 1_000_000n * MB }, false, "none"],
    ["not while a quarter is left", { kept: 75n * MB, safe: 25n * MB }, false, "none"],
    ["once less than a quarter is left", { kept: 76n * MB, safe: 24n * MB }, false, "near"],
    ["until half is left again", { kept: 51n * MB, safe: 49n * MB }, true, "near"],
    ["no longer with half left", { kept: 50n * MB, safe: 50n * MB }, true, "none"],
    ["once it is over the limit", { walStatus: "unreserved", kept: 100n * MB, safe: -1n }, false, "near"],
    ["even if the limit is no longer known", { walStatus: "unreserved", kept: 100n * MB }, false, "near"],
    ["once it was not read for three quarters of the time", { idle: { ms: 76_000, limit: 100_000 } }, false, "near"],
    ["not before", { idle: { ms: 75_000, limit: 100_000 } }, false, "none"],
    ["not after it was lost", { walStatus: "lost" }, true, "lost"],
  ])("%s", (_name, changes, known, kind) => {
    expect(dangerOf("s", roomOf(changes), known).kind).toBe(kind);
  });
});

it.each([
  [0n, "0 bytes"],
  [1023n, "1023 bytes"],
  [1024n, "1.0 kB"],
  [16n * MB, "16 MB"],
  [3n * 1024n * MB + 512n * MB, "3.5 GB"],
  [2000n * 1024n * 1024n * MB, "2000 TB"],
])("%s bytes of log are shown as %s", (bytes, text) => {
  expect(renderBytes(bytes)).toBe(text);
});
