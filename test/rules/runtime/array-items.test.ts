import { expect, test } from "vitest";
import { parseSchema } from "../../../src/avro/parse.ts";
import { messageOf, runtimeFindings } from "../../../src/rules/runtime/runtime.ts";
import type { Json } from "../../../src/json.ts";

const record = (...fields: readonly Json[]): Json => ({ type: "record", name: "R", fields });
const A = { name: "a", type: "int" };
const chain = record(A, { name: "next", type: ["null", "R"], default: null });

/** What Avro 1.12.2 does with three items and no bytes after them. test/java tries it. */
test.each<[string, Json, Json, readonly string[]]>([
  ["ints as doubles", "double", "int", ["1 or more", "8 or more"]],
  ["longs as floats", "float", "long", ["1 or more", "4 or more"]],
  ["floats as doubles", "double", "float", ["4 or more", "8 or more"]],
  ["ints as longs", "long", "int", []],
  ["as they are written", "double", "double", []],
  ["that may be null", ["null", "double"], ["null", "int"], []],
  ["ints that may be null in the reader's schema", ["null", "double"], "int", []],
  [
    "records that the reader has more fields of",
    record(A, { name: "b", type: "string", default: "" }),
    record(A),
    ["1 or more", "2 or more"],
  ],
  [
    "records of which the reader has fewer fields",
    record(A),
    record(A, { name: "b", type: "string", default: "" }),
    [],
  ],
  ["records that contain themselves", chain, chain, []],
  ["nulls, which the reader has in a union", ["null"], "null", ["0 or more", "1 or more"]],
  ["of no bytes", { type: "fixed", name: "F", size: 0 }, { type: "fixed", name: "F", size: 0 }, []],
])("an array's items: %s", (_what, own, written, told) => {
  const [reader, writer] = [own, written].map((items) =>
    parseSchema(record({ name: "of", type: { type: "array", items: renamed(items) } })),
  );
  if (reader === undefined || writer === undefined) throw new Error("two schemas");
  const found = runtimeFindings("java", { reader, writer });
  expect(found.map(({ rule, certainty, path }) => [rule, certainty, path.join()])).toEqual(
    told.length === 0 ? [] : [["runtime/array-items", "on-some-data", "of,[]"]],
  );
  const messages = found.map((one) => messageOf(one, one.path));
  for (const words of told) expect(messages[0]).toContain(words);
});

/** Renames the record so that it differs from the record around it. */
function renamed(items: Json): Json {
  return JSON.parse(JSON.stringify(items).replaceAll('"R"', '"Item"')) as Json; // JSON.parse gives JSON
}

test("in records nested three deep, each record is counted once", () => {
  const deep = Array.from({ length: 60 }).reduce<Json>(
    (inner, _, at) => ({
      type: "record",
      name: `D${at}`,
      fields: [
        { name: "l", type: inner },
        { name: "r", type: nameOf(inner) },
      ],
    }),
    { type: "record", name: "Leaf", fields: [A] },
  );
  const of = parseSchema({ type: "array", items: deep });
  expect(runtimeFindings("java", { reader: of, writer: of })).toEqual([]);
});

function nameOf(schema: Json): Json {
  return typeof schema === "object" && schema !== null && "name" in schema ? (schema["name"] ?? null) : schema;
}
