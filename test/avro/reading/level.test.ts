import { expect, test } from "vitest";
import { checkLevel, isLevel } from "../../../src/avro/reading/level.ts";
import { parseSchema } from "../../../src/avro/parse.ts";
import { rows } from "../rows.ts";
import type { Json } from "../../../src/json.ts";

interface Row {
  id: string;
  level: string;
  /** Oldest first. */
  previous: Json[];
  candidate: Json;
  compatible: boolean;
}

test("a level allows what Confluent's registry allows", () => {
  const all = rows<Row>("avro-levels.jsonl");
  expect(all.length).toBeGreaterThan(150);
  for (const { id, level, previous, candidate, compatible } of all) {
    if (!isLevel(level)) throw new Error(`${id}: ${level} is no level`);
    const newestFirst = previous.map((json) => parseSchema(json)).toReversed();
    const { compatible: ours, against } = checkLevel(level, newestFirst, parseSchema(candidate));
    expect({ id, compatible: ours }).toEqual({ id, compatible });
    expect({ id, named: against !== undefined }).toEqual({ id, named: !compatible });
  }
});

test("a transitive level names the newest incompatible version", () => {
  const [string, int, long] = (["string", "int", "long"] as const).map((json) => parseSchema(json));
  if (string === undefined || int === undefined || long === undefined) throw new Error("unreachable");
  expect(checkLevel("BACKWARD_TRANSITIVE", [int, string, string], long).against).toBe(1);
  expect(checkLevel("BACKWARD", [int, string], long).against).toBeUndefined();
});

test("other texts are not levels", () => {
  expect(["FULL", "full", "", "BACKWARD_ALL"].map(isLevel)).toEqual([true, false, false, false]);
});
