import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { explainCauses } from "../../src/avro/cause.ts";
import type { Cause } from "../../src/avro/cause-text.ts";
import { parseSchema } from "../../src/avro/parse.ts";
import { type Oracle, startOracle } from "./oracle.ts";
import { pairs } from "./pairs.ts";

let java: Oracle;
beforeAll(async () => void (java = await startOracle()));
afterAll(async () => java[Symbol.asyncDispose]());

const RUNS = Number(process.env["FIELDGATE_JAVA_READS"] ?? 6_000);
const seed = Number(process.env["FIELDGATE_JAVA_SEED"] ?? 5);
const DATA = 16;

test(`${RUNS} generated pairs: what Java's decoder does is as certain as we say (seed ${seed})`, async () => {
  const counted: Record<string, number> = {};
  const count = (what: string): void => void (counted[what] = (counted[what] ?? 0) + 1);
  await fc.assert(
    fc.asyncProperty(pairs, fc.nat(), async (pair, of) => {
      const answer = await java.ask({ ...pair, data: DATA, seed: of });
      if ("refused" in answer || answer.read === undefined) return;
      const { decoded, failed, failure } = answer.read;
      if (decoded + failed === 0) return count("no datum");
      const outcome = failed === 0 ? "all decode" : decoded === 0 ? "none decodes" : "some decode";
      const causes = explainCauses(parseSchema(pair.reader), parseSchema(pair.writer));
      const said = certaintyOf(causes);
      count(`${answer.compatible ? "compatible" : "incompatible"}, ${said}: ${outcome}`);
      const told = { causes, failure, outcome };
      if (said === "it decodes") expect(told).toMatchObject({ outcome: "all decode" });
      if (said === "always throws") expect(told).toMatchObject({ outcome: "none decodes" });
      // Java's check throws for an ambiguous alias also in a branch that it then would not take.
      const isTold = answer.compatible || answer.error !== undefined || causes.length > 0;
      expect({ causes, isTold }).toMatchObject({ isTold: true });
    }),
    { seed, numRuns: RUNS },
  );
  console.log(JSON.stringify({ seed, ...counted }, null, 2));
});

function certaintyOf(causes: readonly Cause[]): string {
  const thrown = causes.filter(({ effect }) => effect === "throws").map(({ certainty }) => certainty);
  if (thrown.includes("always")) return "always throws";
  return thrown.includes("on-some-data") ? "throws on some data" : "it decodes";
}
