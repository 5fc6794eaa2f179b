import fc from "fast-check";
import { expect, test } from "vitest";
import { checkCompatibility } from "../../../src/avro/reading/compatibility.ts";
import { parseSchema } from "../../../src/avro/parse.ts";
import { runtimeFindings } from "../../../src/rules/runtime/runtime.ts";
import type { AvroSchema } from "../../../src/avro/schema.ts";
import { datum, turns, type Choose } from "./datum.ts";
import { decoded } from "./decoding.ts";
import { schemaPair, type SchemaPair } from "./pairs.ts";
import { isSame } from "./same.ts";

const choices = fc.array(fc.nat({ max: 1_000_000 }), { minLength: 20, maxLength: 120 });

/** Takes the numbers one after the other, then 0. */
function taking(numbers: readonly number[]): Choose {
  let at = 0;
  return (of) => (numbers[at++] ?? 0) % of;
}

interface Judged {
  readonly told: readonly string[];
  readonly differs: string | undefined;
}

/** undefined if Java rejects the pair. */
function judged(pair: SchemaPair): Judged | undefined {
  const parsed = javas(pair);
  if (parsed === undefined) return undefined;
  const [own, written] = parsed;
  const found = runtimeFindings("avsc", { reader: own, writer: written, text: pair.reader });
  const differs = [0, 1, 2, 3, 4, 5].flatMap((turn) => {
    const { bytes, read } = datum(written, turns(turn));
    const { value, throws } = decoded(pair, bytes);
    if (throws !== undefined) return [throws];
    return isSame(read(own), value) ? [] : [`reads ${JSON.stringify(value)}`];
  })[0];
  return { told: found.filter(({ severity }) => severity === undefined).map(({ rule }) => rule), differs };
}

function javas({ reader, writer }: SchemaPair): readonly [AvroSchema, AvroSchema] | undefined {
  try {
    const [own, written] = [parseSchema(reader), parseSchema(writer)];
    return checkCompatibility(own, written).compatible ? [own, written] : undefined;
  } catch {
    return undefined;
  }
}

/** Can be raised by hand: the law also held over 6,000 pairs. */
const RUNS = Number(process.env["FIELDGATE_RUNTIME_PAIRS"] ?? 400);

test("whenever Java accepts a pair and avsc rejects it or reads it differently, a rule says so", () => {
  let [compatible, different] = [0, 0];
  fc.assert(
    fc.property(choices, (numbers) => {
      const pair = schemaPair(taking(numbers), 15);
      const result = judged(pair);
      fc.pre(result !== undefined);
      compatible++;
      if (result?.differs === undefined) return;
      different++;
      const seen = JSON.stringify({ ...pair, differs: result.differs });
      expect(result.told.length === 0 ? `silent: ${seen}` : "told").toBe("told");
    }),
    { numRuns: RUNS },
  );
  // The generator produced both kinds of pairs.
  expect(different).toBeGreaterThan(RUNS / 20);
  expect(compatible - different).toBeGreaterThan(RUNS / 20);
});

/** A rule reports values that avsc reads as another type of number or text, even if the sample values are equal. */
const EQUAL_IN_SAMPLES = new Set(["runtime/first-fit"]);

test("where avsc reads what Java reads, no rule reports anything: fewer than one false alarm in 100 pairs", () => {
  let [alike, alarms] = [0, 0];
  fc.assert(
    fc.property(choices, (numbers) => {
      const result = judged(schemaPair(taking(numbers), 15));
      fc.pre(result !== undefined);
      if (result === undefined || result.differs !== undefined) return;
      alike++;
      if (result.told.some((rule) => !EQUAL_IN_SAMPLES.has(rule))) alarms++;
    }),
    // A rate over so few pairs needs the same pairs every time.
    { numRuns: RUNS, seed: 7 },
  );
  expect(alarms / alike).toBeLessThan(0.01);
});

test("ordinary pairs have no findings", () => {
  fc.assert(
    fc.property(choices, (numbers) => {
      const pair = schemaPair(taking(numbers), 0);
      const result = judged(pair);
      fc.pre(result !== undefined);
      expect({ ...pair, ...result }).toMatchObject({ told: [], differs: undefined });
    }),
    { numRuns: 200 },
  );
});
