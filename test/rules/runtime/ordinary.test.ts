import { expect, test } from "vitest";
import { RUNTIME_RULES } from "../../../src/rules/runtime/runtime.ts";
import { type Meeting, meetingsOf, placesOf } from "../../../src/rules/runtime/walk.ts";
import type { AvroSchema } from "../../../src/avro/schema.ts";
import { parseSchema } from "../../../src/avro/parse.ts";
import type { Json } from "../../../src/json.ts";

const RUNTIMES = ["avsc", "fastavro", "python-avro", "ruby-avro", "avro-rs", "java"] as const;
const PLAIN = ["boolean", "int", "long", "float", "double", "bytes", "string"];
const NAMED = { type: "long", "connect.name": "io.debezium.time.Timestamp" };
const TYPES: readonly Json[] = [...PLAIN, NAMED].flatMap((type) => [type, ["null", type], [type, "null"]]);
const record = (type: Json) => parseSchema({ type: "record", name: "R", fields: [{ name: "c", type }] });

/** The findings if nothing were left out. */
function meetings(reader: AvroSchema, writer: AvroSchema): readonly Meeting[] {
  const [own, written] = [reader, writer].map((schema) =>
    schema.kind === "record" ? schema.fields[0]?.type : undefined,
  );
  if (own === undefined || written === undefined) throw new Error("a record of one field");
  const none = { path: ["c"], certainty: "always" } as const;
  if (own.kind !== "union" || written.kind !== "union") return [{ ...none, reader: own, writer: written }];
  return own.branches.map((branch) => ({
    ...none,
    reader: branch,
    writer: written.branches.find(({ kind }) => kind === branch.kind) ?? written,
    union: own,
    writersUnion: written,
  }));
}

test("no rule finds anything in a plain type that is the same on both sides, so such fields are left out", () => {
  for (const type of TYPES) {
    const [reader, writer] = [record(type), record(type)];
    expect(meetingsOf(reader, writer).map(({ path }) => path)).toEqual([[]]);
    for (const runtime of RUNTIMES) {
      const parsed = [reader, writer].map(placesOf);
      const sight = { runtime, reader, writer, parsed, meetings: meetings(reader, writer), text: undefined };
      const rules = RUNTIME_RULES.filter((rule) => rule.runtimes.includes(runtime));
      expect(rules.flatMap((rule) => (rule.find?.(sight) ?? []).map(() => [rule.id, type]))).toEqual([]);
    }
  }
});

test.each<[string, Json, Json]>([
  ["a promotion", "int", "long"],
  ["null on one side", "int", ["null", "int"]],
  ["another order", ["int", "null"], ["null", "int"]],
  ["a logical type on one side", { type: "int", logicalType: "date" }, "int"],
  ["a logical type beside null", ["null", { type: "int", logicalType: "date" }], ["null", "int"]],
  ["a third branch", ["null", "int", "string"], ["null", "int", "string"]],
])("%s is not left out", (_, reader, writer) => {
  expect(meetingsOf(record(reader), record(writer)).length).toBeGreaterThan(1);
});
