import { expect, test } from "vitest";
import { parseSchema } from "../../../src/avro/parse.ts";
import { runtimeFindings } from "../../../src/rules/runtime/runtime.ts";
import { rows } from "../../avro/rows.ts";
import { isSame } from "./same.ts";
import type { Json } from "../../../src/json.ts";

/** Written bytes in hexadecimal, and the value that they have for the reader by Java's rule. */
interface Pair {
  readonly id: string;
  readonly reader: Json;
  readonly writer: Json;
  readonly data: readonly { readonly bytes: string; readonly value: Json }[];
}

/** What the library did with a pair. The first row of a file has the library's version. */
interface Done {
  readonly id?: string;
  readonly version?: string;
  readonly refused?: string;
  readonly read?: readonly { readonly value?: Json; readonly error?: string }[];
}

const PAIRS = new Map(rows<Pair>("runtimes/pairs.jsonl").map((pair) => [pair.id, pair]));

/** Differences that no rule reports: an error read as a record, and a namespace that is written but empty. */
const UNTOLD = {
  fastavro: [],
  "python-avro": ["error-and-record"],
  "ruby-avro": ["error-and-record", "avsc:empty-namespace"],
  "avro-rs": [],
} as const;

/** What these values cannot show: they are equal in another type of number or record, or are text in any case. */
const UNSEEN: ReadonlySet<string> = new Set([
  "runtime/first-fit",
  "runtime/logical-type",
  "runtime/promotion",
  "runtime/decimal",
  "runtime/default-read",
  "runtime/enum-default",
]);

test.each(["fastavro", "python-avro", "ruby-avro", "avro-rs"] as const)(
  "what %s refused or read unlike Java, a rule tells; what it read alike, none",
  (runtime) => {
    const [first, ...done] = rows<Done>(`runtimes/${runtime}.jsonl`);
    expect(first?.version).toMatch(/\d/);
    expect(done).toHaveLength(PAIRS.size);
    const [silent, loud]: [string[], string[]] = [[], []];
    for (const row of done) {
      const pair = PAIRS.get(row.id ?? "");
      if (pair === undefined) throw new Error(`no pair ${row.id}`);
      const sight = { reader: parseSchema(pair.reader), writer: parseSchema(pair.writer), text: pair.reader };
      const told = runtimeFindings(runtime, sight).map(({ rule }) => rule);
      if (differs(pair, row) && told.length === 0) silent.push(pair.id);
      if (!differs(pair, row) && told.some((rule) => !UNSEEN.has(rule))) loud.push(pair.id);
    }
    expect({ silent, loud }).toEqual({ silent: UNTOLD[runtime], loud: [] });
  },
);

test.each(["fastavro", "python-avro", "ruby-avro", "avro-rs"] as const)(
  "where %s always throws or always reads on by a rule, it was seen to",
  (runtime) => {
    const wrong: string[] = [];
    for (const row of rows<Done>(`runtimes/${runtime}.jsonl`).slice(1)) {
      const pair = PAIRS.get(row.id ?? "");
      if (pair === undefined) throw new Error(`no pair ${row.id}`);
      const sight = { reader: parseSchema(pair.reader), writer: parseSchema(pair.writer), text: pair.reader };
      const found = runtimeFindings(runtime, sight);
      const threw = row.refused !== undefined || row.read?.some(({ error }) => error !== undefined) === true;
      const throws = found.some(({ effect, certainty }) => effect === "throws" && certainty === "always");
      const readsOn = found.length > 0 && found.every(({ effect }) => effect !== undefined && effect !== "throws");
      if ((throws && !threw) || (readsOn && threw)) {
        wrong.push(
          `${pair.id}: ${found.map(({ rule, effect }) => `${rule} ${effect}`).join()}: ${JSON.stringify(row)}`,
        );
      }
    }
    expect(wrong).toEqual([]);
  },
);

function differs({ data }: Pair, { refused, read = [] }: Done): boolean {
  return refused !== undefined || data.some(({ value }, at) => !isSame(value, read[at]?.value));
}
