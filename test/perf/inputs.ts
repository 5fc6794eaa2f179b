/** What one input costs with 2,000 tables, 6,000 amendments and 10,000 contracts. Run `npm run perf:inputs`. */
import { cpuOfFirstLook, cpuOfOne, INPUTS, manyTables } from "./many.ts";

const state = manyTables();
for (let run = 1; run <= 3; run++) {
  for (const [name, make] of Object.entries(INPUTS)) {
    console.log(`${run}: ${name}: ${cpuOfOne(state, make, 200).toFixed(2)} ms CPU each`);
  }
  console.log(`${run}: the first look at the groups of all topics: ${cpuOfFirstLook(state).toFixed(0)} ms CPU`);
}
