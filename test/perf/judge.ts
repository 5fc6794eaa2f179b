/** How long 200 contracts x 50 candidates take to judge; the limit is 2 s. By hand: `npm run perf:judge`. */
import { judgeAll } from "./crowd.ts";

for (let run = 1; run <= 5; run++) {
  const { ms, verdicts } = judgeAll();
  console.log(`${run}: ${ms.toFixed(0)} ms, ${JSON.stringify(verdicts)}`);
}
