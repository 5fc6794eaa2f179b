import avsc from "avsc";
import { describe, expect, it } from "vitest";
import { parseSchemaText } from "../../src/avro/schema-text.ts";
import { OID } from "../../src/event/types/table.ts";
import { envelopeSchema, rowSchema } from "../../src/event/envelope/schema.ts";
import { containerFile, eventsJson, isSampleFile } from "../../src/sample/files.ts";
import { sampledField, sampleEvents } from "../../src/sample/events.ts";
import { avscType } from "../event/avro.ts";
import { field, type ColumnSpec } from "../event/row.ts";
import { COLUMNS } from "./columns.ts";
import type { Json } from "../../src/json.ts";

const TOPIC = "inventory.public.customers";
const ID = field({ name: "id", oid: OID.int8, notNull: true }, 0);
const NAME = field({ name: "title", oid: OID.text, notNull: true }, 1);

/** What `fieldgate sample` makes for a column added to (id, title), or without such a column. */
function sampled(spec?: ColumnSpec, columnType = "") {
  const text = JSON.stringify(envelopeSchema(TOPIC, spec === undefined ? [ID, NAME] : [ID, NAME, field(spec, 2)]));
  const schema = parseSchemaText(text);
  const of = { topic: TOPIC, field: spec === undefined ? undefined : sampledField(schema, [spec.name]), columnType };
  const events = sampleEvents(schema, of) ?? [];
  return { text, events, file: containerFile(text, schema, events, { "fieldgate.sample": `${TOPIC}/3` }) };
}

interface Event {
  readonly op: string;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly source: Readonly<Record<string, unknown>>;
}

/** The file as another library reads it: the events, and the header with schema and metadata. */
async function readFile(file: Buffer): Promise<{ readonly events: readonly Event[]; readonly header: unknown }> {
  const decoder = new avsc.streams.BlockDecoder({ parseHook: (schema) => avscType(JSON.stringify(schema)) });
  const events: Event[] = [];
  const header = new Promise((resolve) => decoder.once("metadata", (_type, _codec, read) => resolve(read)));
  decoder.on("data", (event: Event) => events.push(event));
  const ended = new Promise((resolve, reject) => decoder.once("end", resolve).once("error", reject));
  decoder.end(file);
  await ended;
  return { events, header: await header };
}

/** Makes numbers and bigints comparable, and class instances and plain objects. */
const plain = (value: unknown) =>
  JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" || typeof one === "number" ? `${one}` : one));

const valuesOf = (events: readonly { readonly [name: string]: unknown }[], name: string) =>
  (events as unknown as readonly Event[]).filter(({ op }) => op === "c").map(({ after }) => after?.[name]);

describe.each(COLUMNS)("the sample for a new column $name ($columnType)", (spec) => {
  it("is read back by avsc, and is the same in JSON", async () => {
    const { text, events, file } = sampled(spec, spec.columnType);
    const read = await readFile(file);
    expect(plain(read.events)).toBe(plain(events));
    const json: unknown = JSON.parse(eventsJson(events));
    expect(json).toHaveLength(events.length);
    const meta = { "avro.schema": Buffer.from(text), "avro.codec": Buffer.from("null") };
    expect(read.header).toMatchObject({ meta });
    expect(isSampleFile(file)).toBe(true);
    // A type with few possible values has at least null and one other.
    expect(valuesOf(events, spec.name).length).toBeGreaterThanOrEqual(2);
  });
  it("is the same every time, byte for byte", () => {
    expect(sampled(spec, spec.columnType).file.equals(sampled(spec, spec.columnType).file)).toBe(true);
  });
});

describe("the new field's values", () => {
  it.each<[string, ColumnSpec, string, readonly unknown[]]>([
    [
      "null and the limits of int",
      { name: "n", oid: OID.int4 },
      "integer",
      [null, 1, 0, -1, 2_147_483_647, -2_147_483_648],
    ],
    ["the limits of smallint", { name: "n", oid: OID.int2 }, "smallint", [null, 1, 0, -1, 32_767, -32_768]],
    [
      "the limits of bigint, exactly",
      { name: "n", oid: OID.int8 },
      "bigint",
      [null, 1n, 0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)],
    ],
    ["no null for a required field", { name: "n", oid: OID.bool, notNull: true }, "boolean", [true, false]],
    ["the default", { name: "n", oid: OID.bool, defaultExpr: "false" }, "boolean", [null, false, true]],
    ["the epoch and a far date", { name: "n", oid: OID.date }, "date", [null, 20_089, 0, -25_567, 2_932_896]],
    [
      "decimals: zero, negative, and the largest",
      { name: "n", oid: OID.numeric, typmod: (4 << 16) + 2 + 4 },
      "numeric(4,2)",
      [null, ...["04d2", "00", "fb2e", "270f", "d8f1"].map((hex) => Buffer.from(hex, "hex"))],
    ],
    [
      "every label",
      { name: "n", oid: 9, detail: { kind: "enum", name: "e", labels: ["a", "b"] } },
      "e",
      [null, "a", "b"],
    ],
    [
      "text cut to its length",
      { name: "n", oid: OID.varchar, typmod: 9 },
      "character varying(5)",
      [null, "n 1", "", "žena "],
    ],
    [
      "text padded to its length",
      { name: "n", oid: OID.bpchar, typmod: 9 },
      "character(5)",
      [null, "n 1  ", "     ", "žena "],
    ],
  ])("%s", (_, spec, columnType, expected) => {
    expect(valuesOf(sampled(spec, columnType).events, "n")).toEqual(expected);
  });

  it("include a text of a thousand characters with an emoji, and the empty text", () => {
    const values = valuesOf(sampled({ name: "n", oid: OID.text }, "text").events, "n");
    expect(values).toContain("");
    expect(
      values.some((value) => typeof value === "string" && Array.from(value).length === 1000 && value.includes("😀")),
    ).toBe(true);
  });
});

describe("the events", () => {
  const events = sampled({ name: "nick", oid: OID.text }, "text").events as unknown as readonly Event[];
  const rest = events.filter(({ op }) => op !== "c");

  it("are creates, updates with and without the old row, a delete, a snapshot read and a backfill read", () => {
    const shown = rest.map(({ op, before, after, source }) => [
      op,
      before?.["nick"],
      after?.["nick"],
      source["snapshot"],
    ]);
    expect(shown).toEqual([
      ["u", null, "nick 1", "false"],
      ["u", undefined, "nick 1", "false"],
      ["d", "nick 1", undefined, "false"],
      ["r", undefined, "nick 1", "true"],
      ["r", undefined, "nick 1", "incremental"],
    ]);
  });
  it("are different rows, with the other fields filled", () => {
    const creates = events.filter(({ op }) => op === "c");
    expect(new Set(creates.map(({ after }) => after?.["id"])).size).toBe(creates.length);
    expect(creates[0]?.after).toMatchObject({ id: 1n, title: "title 1" });
  });
  it("have increasing positions and times, and name the topic's table", () => {
    expect(events[0]?.source).toMatchObject({
      connector: "postgresql",
      name: "inventory",
      schema: "public",
      table: "customers",
      sequence: '["24023072","24023128"]',
      lsn: 24_023_128,
      ts_ms: 1_735_734_896_789,
      ts_ns: 1_735_734_896_789_000_000n,
      xmin: null,
    });
    const lsns = events.map(({ source }) => Number(source["lsn"]));
    expect(lsns.toSorted((a, b) => a - b)).toEqual(lsns);
  });
  it("do not have a dropped column", () => {
    expect(sampled().events.map(({ op }) => op)).toEqual(["c", "u", "u", "d", "r", "r"]);
  });
  it("in a schema of unwrapped rows are the rows that are not deleted, with the added fields", () => {
    const spec = { name: "zip", oid: OID.text };
    const row = rowSchema(TOPIC, [ID, NAME, field(spec, 2)]) as { readonly fields: readonly Json[] }; // a record
    const added = { name: "__op", type: ["null", "string"], default: null };
    const schema = parseSchemaText(JSON.stringify({ ...row, fields: [...row.fields, added] }));
    const wrapped = sampled(spec).events as unknown as readonly Event[];
    const rows = sampleEvents(schema, { topic: TOPIC, field: sampledField(schema, ["zip"]), columnType: "" });
    expect(rows?.map(({ __op, ...after }) => ({ op: __op, after }))).toEqual(
      wrapped.filter(({ op }) => op !== "d").map(({ op, after }) => ({ op, after })),
    );
  });
  it("do not exist for a key's schema", () => {
    const key = parseSchemaText('{"type":"record","name":"Key","fields":[{"name":"id","type":"int"}]}');
    expect(sampleEvents(key, { topic: TOPIC, field: undefined, columnType: "" })).toBeUndefined();
  });
  it("have all digits of a long in JSON, and bytes in base64", () => {
    expect(eventsJson([{ n: 2n ** 63n - 1n, b: Buffer.from([0, 255]), f: -1.5, none: null }])).toBe(
      '[\n  {"n":9223372036854775807,"b":"AP8=","f":-1.5,"none":null}\n]\n',
    );
  });
});
