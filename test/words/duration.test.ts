import { expect, test } from "vitest";
import { renderDuration } from "../../src/words/duration.ts";

test.each([
  [-5000, "0 s"],
  [0, "0 s"],
  [119_000, "119 s"],
  [120_000, "2 min"],
  [7_199_000, "120 min"],
  [7_200_000, "2 h"],
  [172_799_000, "48 h"],
  [172_800_000, "2 days"],
])("%i ms reads %s", (ms, text) => {
  expect(renderDuration(ms)).toBe(text);
});
