import { describe, expect, it } from "vitest";
import { GuardError } from "../../../src/errors.ts";
import { envelopeSchema } from "../../../src/event/envelope/schema.ts";
import type { Column } from "../../../src/table/column.ts";
import type { Field } from "../../../src/table/shape.ts";
import { column, fieldFor, ID, NAME, NICK, tableOf, TOPIC } from "../../gate/customers.ts";
import type { Json } from "../../../src/json.ts";
import { captureFilter, keyColumnList } from "../../../src/capture/lists.ts";
import { adopt, captureTables } from "../../../src/guard/start/capture-tables.ts";
import { worldOf } from "../session.ts";

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

describe("an entry of message.key.columns", () => {
  const TABLE = tableOf([{ ...ID, notNull: true }, { ...NAME, notNull: true }, NICK]);
  const faultsWith = (entry: string, mode: "guard" | "watch" = "guard") => {
    const list = keyColumnList(entry);
    const keyColumns = list.kind === "list" ? list.entries : [];
    const filter = captureFilter({ keyColumns });
    const { outside } = worldOf({ mode, settings: { filter, "message.key.columns": keyColumns } });
    return captureTables(outside, [{ ...TABLE, replicaIdentity: "full" }]).left.flatMap(({ faults }) => faults);
  };
  const unknown = (name: string, near?: string) => [{ kind: "unknown-key", column: name, near }];

  it.each([
    ["that has all its columns", "public.customers:id,name", []],
    ["that is spelled in other letters", "Public.Customers:ID,Name", []],
    ["with one misspelt column beside a right one", "public.customers:id,nmae", unknown("nmae", "name")],
    ["with one misspelt column, in other letters", "Public.Customers:id,nmae", unknown("nmae", "name")],
    ["of which no column is right", "public.customers:tenant", unknown("tenant")],
    ["for a different table", "public.customer:id,nmae", []],
    ["that is an expression, because other tables may have the column", "public\\.cust.*:id,tenant", []],
  ])("%s", (_, entry, faults) => {
    expect(faultsWith(entry)).toEqual(faults);
  });

  it("is not judged in watch mode, where Debezium makes the key", () => {
    expect(faultsWith("public.customers:id,nmae", "watch")).toEqual([]);
  });
});
