import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { canonicalForm, crc64Avro } from "../../src/avro/canonical.ts";
import { checkCompatibility } from "../../src/avro/reading/compatibility.ts";
import { checkLevel } from "../../src/avro/reading/level.ts";
import { parseSchema } from "../../src/avro/parse.ts";
import type { AvroSchema } from "../../src/avro/schema.ts";
import { GuardError } from "../../src/errors.ts";
import { type Identity, type JavaAnswer, type Oracle, startOracle } from "./oracle.ts";
import { pairs } from "./pairs.ts";
import type { Json } from "../../src/json.ts";

let java: Oracle;
beforeAll(async () => void (java = await startOracle()));
afterAll(async () => java[Symbol.asyncDispose]());

const RUNS = Number(process.env["FIELDGATE_JAVA_PAIRS"] ?? 20_000);
const seed = Number(process.env["FIELDGATE_JAVA_SEED"] ?? 5);

test(`${RUNS} generated pairs: verdict, type, location, message and identity equal Java's (seed ${seed})`, async () => {
  const counted = { pairs: 0, incompatible: 0, refused: 0, thrown: 0 };
  await fc.assert(
    fc.asyncProperty(pairs, async (pair) => {
      const answer = await java.ask(pair);
      counted.pairs++;
      if ("refused" in answer) counted.refused++;
      else if (answer.error !== undefined) counted.thrown++;
      else if (!answer.compatible) counted.incompatible++;
      expect(ours(pair)).toEqual(theirs(answer));
    }),
    { seed, numRuns: RUNS },
  );
  console.log(JSON.stringify({ seed, ...counted }));
  expect(counted.incompatible / counted.pairs).toBeGreaterThan(0.25);
  expect(counted.refused / counted.pairs).toBeLessThan(0.1);
});

test("generated histories: a level allows what Java's answers for its pairs allow", async () => {
  const history = fc.tuple(pairs, pairs).map(([one, other]) => [one.reader, one.writer, other.writer] as const);
  const compatible = async (reader: Json, writer: Json): Promise<boolean> => {
    const answer = await java.ask({ reader, writer });
    return "compatible" in answer && answer.compatible;
  };
  await fc.assert(
    fc.asyncProperty(history, async ([candidate, newest, older]) => {
      if ([candidate, newest, older].some((json) => "refused" === ours({ reader: json, writer: json }))) return;
      const versions = [newest, older];
      const reads = await Promise.all(versions.map((version) => compatible(candidate, version)));
      const isRead = await Promise.all(versions.map((version) => compatible(version, candidate)));
      const both = versions.map((_, at) => reads[at] === true && isRead[at] === true);
      const allowed = { BACKWARD: reads, FORWARD: isRead, FULL: both };
      const schemas = versions.map((version) => parseSchema(version));
      for (const level of ["BACKWARD", "FORWARD", "FULL"] as const) {
        const levels = [level, `${level}_TRANSITIVE`] as const;
        const said = levels.map((one) => checkLevel(one, schemas, parseSchema(candidate)).compatible);
        expect({ level, said }).toEqual({ level, said: [allowed[level][0], allowed[level].every(Boolean)] });
      }
      expect(checkLevel("NONE", schemas, parseSchema(candidate)).compatible).toBe(true);
    }),
    { seed, numRuns: 1000 },
  );
});

function ours({ reader, writer }: { reader: Json; writer: Json }): unknown {
  try {
    const schemas = [parseSchema(reader), parseSchema(writer)] as const;
    const { error, ...result } = checkCompatibility(...schemas);
    return { ...result, error: beforeSchema(error), reader: identity(schemas[0]), writer: identity(schemas[1]) };
  } catch (error) {
    if (error instanceof GuardError && error.code === "schema-invalid") return "refused";
    throw error;
  }
}

function theirs(answer: JavaAnswer): unknown {
  return "refused" in answer ? "refused" : { ...answer, error: beforeSchema(answer.error) };
}

/** Java's text ends with the writer's whole schema, ours with its name. */
function beforeSchema(error: string | undefined): string | undefined {
  return error?.replace(/(?<= in writer record ).*/s, "");
}

function identity(schema: AvroSchema): Identity {
  const form = canonicalForm(schema);
  const hash = (name: string): string => createHash(name).update(form).digest("hex");
  return {
    form,
    crc64: BigInt.asIntN(64, crc64Avro(form)).toString(),
    md5: hash("md5"),
    sha256: hash("sha256"),
  };
}
