import { expect, it } from "vitest";
import { cpuOfFirstLook, cpuOfOne, INPUTS, manyTables, withAccepted } from "../perf/many.ts";

/** 0.4 to 3 ms were measured on two cores. Scanning every table and contract took far longer. */
const MOST_MS = 20;

it.each([
  ...Object.entries(INPUTS).map(([name, make]) => [name, make, manyTables] as const),
  ["a contract for an accepted field", INPUTS["contract"], () => withAccepted(manyTables(), 20)] as const,
])(
  "with 2,000 tables, 6,000 amendments and 10,000 contracts, an input is decided within 20 ms of processor time: %s",
  (_, make, given) => {
    if (make === undefined) throw new Error("there is no such input");
    const state = given();
    let used = cpuOfOne(state, make, 20);
    // Try again in case other processes used the time.
    for (let again = 0; again < 3 && used >= MOST_MS; again++) used = Math.min(used, cpuOfOne(state, make, 20));
    expect(used).toBeLessThan(MOST_MS);
  },
);

it("the first poll of the consumer groups of 2,000 topics is decided within 400 ms of processor time", () => {
  const state = manyTables();
  let used = cpuOfFirstLook(state);
  for (let again = 0; again < 3 && used >= 400; again++) used = Math.min(used, cpuOfFirstLook(state));
  expect(used).toBeLessThan(400);
});
