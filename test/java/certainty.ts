import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { explainCauses } from "../../src/avro/cause.ts";
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
  const counted: Record<string, number> = { compatible: 0, "no datum": 0 };
  const count = (what: string): void => void (counted[what] = (counted[what] ?? 0) + 1);
  await fc.assert(
    fc.asyncProperty(pairs, fc.nat(), async (pair, of) => {
      const answer = await java.ask({ ...pair, data: DATA, seed: of });
      if ("refused" in answer || answer.read === undefined) return;
      const { decoded, failed, failure } = answer.read;
      if (decoded + failed === 0) return count("no datum");
      const outcome = failed === 0 ? "all decode" : decoded === 0 ? "none decodes" : "some decode";
      if (answer.compatible) return count(`compatible: ${outcome}`);
      const causes = explainCauses(parseSchema(pair.reader), parseSchema(pair.writer));
      const said = certaintyOf(causes.map(({ certainty }) => certainty));
      count(`${said}: ${outcome}`);
      const told = { causes, failure, outcome };
      if (said === "by-policy") expect(told).toMatchObject({ outcome: "all decode" });
      if (said === "always") expect(told).toMatchObject({ outcome: "none decodes" });
    }),
    { seed, numRuns: RUNS },
  );
  console.log(JSON.stringify({ seed, ...counted }, null, 2));
});

function certaintyOf(certainties: readonly string[]): string {
  return ["always", "on-some-data"].find((one) => certainties.includes(one)) ?? "by-policy";
}
