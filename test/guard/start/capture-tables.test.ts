import { describe, expect, it } from "vitest";
import { GuardError } from "../../../src/errors.ts";
import { envelopeSchema } from "../../../src/event/envelope/schema.ts";
import type { Column } from "../../../src/table/column.ts";
import type { Field } from "../../../src/table/shape.ts";
import { column, fieldFor, ID, NAME, NICK, TOPIC } from "../../gate/customers.ts";
import type { Json } from "../../../src/json.ts";
import { adopt } from "../../../src/guard/start/capture-tables.ts";

function item(columns: readonly Column[]): readonly Field[] {
  return columns.map(fieldFor);
}
function registered(...fields: readonly Field[]): string {
  return JSON.stringify(envelopeSchema(TOPIC, fields));
}
/** The field as a producer with different settings registered it. */
function as(of: Column, avro: { readonly type: Json; readonly default?: Json }): Field {
  const field = fieldFor(of);
  return { ...field, avro: { name: field.avro.name, ...avro } };
}

describe("an existing subject gives the first shape", () => {
  it("has its fields in the subject's order, each bound to its column", () => {
    const fields = adopt(TOPIC, item([ID, NAME, NICK]), registered(fieldFor(NAME), fieldFor(ID)));
    expect(fields).toEqual([fieldFor(NAME), fieldFor(ID)]);
  });

  it("a column that it lacks is an amendment, and not in the shape", () => {
    expect(
      adopt(TOPIC, item([ID, NAME, NICK]), registered(fieldFor(ID), fieldFor(NAME))).map(({ name }) => name),
    ).toEqual(["id", "name"]);
  });

  const kept: [string, Column, { readonly type: Json; readonly default?: Json }, boolean][] = [
    ["optional although the column is not", ID, { type: ["null", "int"], default: null }, true],
    ["required although the column is not", NAME, { type: "string" }, false],
    ["a different default", NAME, { type: [{ type: "string", "connect.default": "x" }, "null"], default: "x" }, true],
    ["no default", NAME, { type: ["null", "string"] }, true],
  ];
  it.each(kept)("the registered field is kept: %s", (_, of, avro, optional) => {
    const [field] = adopt(TOPIC, item([ID, NAME]), registered(as(of, avro)));
    expect(field).toEqual({ ...fieldFor(of), optional, avro: { name: of.name, ...avro } });
  });

  it("a field without a column has an attnum that no column has: its column was dropped", () => {
    const [, nick] = adopt(TOPIC, item([ID, NAME]), registered(fieldFor(ID), fieldFor(NICK)));
    expect(nick).toMatchObject({ name: "nick", optional: true, avro: { name: "nick" } });
    expect(nick?.attnum).toBeLessThan(0);
  });

  const retyped: [string, Column, { readonly type: Json; readonly default?: Json }][] = [
    ["a different type", ID, { type: "long" }],
    [
      "the same bytes with a different meaning",
      NAME,
      { type: ["null", { type: "string", "connect.version": 1, "connect.name": "io.debezium.data.Json" }] },
    ],
  ];
  it.each(retyped)("%s is kept, and no column has its type", (_, of, avro) => {
    const [field] = adopt(TOPIC, item([ID, NAME]), registered(as(of, avro)));
    expect(field).toMatchObject({ attnum: of.attnum, avro, type: { oid: 0 } });
  });

  it("a named type that is spelled out once is spelled out for each field", () => {
    const columns = [
      ID,
      column(2, "a", "int", { type: { oid: 1700, typmod: -1 } }),
      column(3, "b", "int", { type: { oid: 1700, typmod: -1 } }),
    ];
    const fields = columns.map(fieldFor);
    expect(adopt(TOPIC, item(columns), registered(...fields))).toEqual(fields);
  });

  const refused: [string, string, string, RegExp][] = [
    [
      "not an envelope",
      JSON.stringify({ type: "record", name: "V", fields: [{ name: "id", type: "int" }] }),
      "subject-unfit",
      /no field before/,
    ],
    ["not a record", '"string"', "subject-unfit", /not a record/],
  ];
  it.each(refused)("refused: %s", (_, text, code, message) => {
    const adopting = () => adopt(TOPIC, item([ID, NAME]), text);
    expect(adopting).toThrow(GuardError);
    expect(adopting).toThrow(message);
    expect(adopting).toThrow(`[${code}] subject ${TOPIC}-value`);
  });
});
