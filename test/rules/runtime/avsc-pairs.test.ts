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

/** Numbers taken one after the other; 0 when there are no more. */
function taking(numbers: readonly number[]): Choose {
  let at = 0;
  return (of) => (numbers[at++] ?? 0) % of;
}

interface Judged {
  readonly told: readonly string[];
  readonly differs: string | undefined;
}

/** undefined: Java does not take the pair. */
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

/** More by hand: the law held over 6,000. */
const RUNS = Number(process.env["FIELDGATE_RUNTIME_PAIRS"] ?? 400);

test("whatever avsc refuses or reads otherwise of what Java accepts, a rule tells", () => {
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
  // The generator shows both kinds.
  expect(different).toBeGreaterThan(RUNS / 20);
  expect(compatible - different).toBeGreaterThan(RUNS / 20);
});

/** What avsc reads by another type of number or text is told, though the samples may be equal in it. */
const EQUAL_IN_SAMPLES = new Set(["runtime/first-fit"]);

test("where avsc reads what Java reads, no rule tells: not one false alarm in 100 pairs", () => {
  let [alike, alarms] = [0, 0];
  fc.assert(
    fc.property(choices, (numbers) => {
      const result = judged(schemaPair(taking(numbers), 15));
      fc.pre(result !== undefined);
      if (result === undefined || result.differs !== undefined) return;
      alike++;
      if (result.told.some((rule) => !EQUAL_IN_SAMPLES.has(rule))) alarms++;
    }),
    // A rate over few pairs needs the same pairs each time.
    { numRuns: RUNS, seed: 7 },
  );
  expect(alarms / alike).toBeLessThan(0.01);
});

test("pairs without oddities give nothing", () => {
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
