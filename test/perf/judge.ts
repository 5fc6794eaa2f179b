/** How long it takes to judge 200 contracts on 50 candidates; the limit is 2 s. Run `npm run perf:judge`. */
import { CROWDS, judgeAll } from "./crowd.ts";

for (let run = 1; run <= 4; run++) {
  for (const [name, crowd] of Object.entries(CROWDS)) {
    const { cpuMs, wallMs, verdicts } = judgeAll(crowd);
    console.log(`${run}: ${name}: ${cpuMs.toFixed(0)} ms CPU, ${wallMs.toFixed(0)} ms, ${JSON.stringify(verdicts)}`);
  }
}
