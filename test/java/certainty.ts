import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { explainCauses } from "../../src/avro/reading/cause.ts";
import type { Cause } from "../../src/avro/reading/cause-text.ts";
import { parseSchema } from "../../src/avro/parse.ts";
import { runtimeFindings } from "../../src/rules/runtime/runtime.ts";
import { type Oracle, startOracle } from "./oracle.ts";
import { type Pair, pairs } from "./pairs.ts";

let java: Oracle;
beforeAll(async () => void (java = await startOracle()));
afterAll(async () => java[Symbol.asyncDispose]());

const RUNS = Number(process.env["FIELDGATE_JAVA_READS"] ?? 6_000);
const seed = Number(process.env["FIELDGATE_JAVA_SEED"] ?? 5);
const DATA = 16;

test(`${RUNS} generated pairs: Java's decoder does what our certainty says (seed ${seed})`, async () => {
  const counted: Record<string, number> = {};
  const count = (what: string): void => void (counted[what] = (counted[what] ?? 0) + 1);
  await fc.assert(
    fc.asyncProperty(pairs, fc.nat(), async (pair, of) => {
      const answer = await java.ask({ ...pair, data: DATA, seed: of, behind: 1024 });
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
      // Java's check throws for an ambiguous alias even in a branch that it would not take.
      const isTold = answer.compatible || answer.error !== undefined || causes.length > 0;
      expect({ causes, isTold }).toMatchObject({ isTold: true });
    }),
    { seed, numRuns: RUNS },
  );
  console.log(JSON.stringify({ seed, ...counted }, null, 2));
});

test(`${RUNS} generated pairs with no bytes after the datum: compatible pairs are read, unless runtime/array-items is found`, async () => {
  const counted: Record<string, number> = {};
  const count = (what: string): void => void (counted[what] = (counted[what] ?? 0) + 1);
  await fc.assert(
    fc.asyncProperty(fc.oneof(pairs, arrays), fc.nat(), async (pair, of) => {
      const answer = await java.ask({ ...pair, data: DATA, seed: of, behind: 0 });
      if ("refused" in answer || answer.read === undefined || !answer.compatible) return;
      const [reader, writer] = [parseSchema(pair.reader), parseSchema(pair.writer)];
      const causes = explainCauses(reader, writer);
      if (certaintyOf(causes) !== "it decodes") return;
      const found = runtimeFindings("java", { reader, writer });
      const { failed, failure } = answer.read;
      count(`${found.length > 0 ? "found" : "nothing found"}: ${failed > 0 ? "throws" : "reads"}`);
      if (found.length === 0) expect({ failed, failure }).toMatchObject({ failed: 0 });
      else if (failed > 0) expect(failure).toMatch(/^Collection claims /);
    }),
    { seed, numRuns: RUNS },
  );
  console.log(JSON.stringify({ seed, ...counted }));
  expect(counted["found: throws"]).toBeGreaterThan(0);
});

/** The same pair inside an array. */
const arrays = pairs.map(({ reader, writer }): Pair => {
  const [own, written] = [reader, writer].map((items) => ({ type: "array", items }));
  return { reader: own ?? reader, writer: written ?? writer };
});

function certaintyOf(causes: readonly Cause[]): string {
  const thrown = causes.filter(({ effect }) => effect === "throws").map(({ certainty }) => certainty);
  if (thrown.includes("always")) return "always throws";
  return thrown.includes("on-some-data") ? "throws on some data" : "it decodes";
}
