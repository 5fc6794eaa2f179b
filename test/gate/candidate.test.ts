import { fc, test as law } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { parseSchemaText } from "../../src/avro/parse.ts";
import { rowOf } from "../../src/contract/row.ts";
import { envelopeSchema } from "../../src/event/schema.ts";
import { type Candidate, type Amendment } from "../../src/gate/amendment.ts";
import { candidateOf, insertField, widened } from "../../src/gate/candidate.ts";
import { column, fieldFor, ID, NAME, NICK, publishing, TOPIC, ZIP } from "./customers.ts";

type Shape = ReturnType<typeof publishing>["shape"];

function candidate(shape: Shape, of: Amendment["column"]): Candidate {
  const made = candidateOf(shape, of);
  if (made === undefined) throw new Error("mapped");
  return made;
}
const rowNames = (text: string) => rowOf(parseSchemaText(text))?.fields.map((field) => field.name);

describe("the schema a topic would get", () => {
  it("has the field at its attnum's place", () => {
    const { shape } = publishing([ID, NAME, ZIP]);
    expect(rowNames(candidate(shape, NICK).text)).toEqual(["id", "name", "nick", "zip"]);
    expect(rowNames(candidate(publishing([ID, NICK]).shape, ZIP).text)).toEqual(["id", "nick", "zip"]);
    expect(rowNames(candidate(publishing([NAME, NICK], false).shape, ID).text)).toEqual(["id", "name", "nick"]);
  });

  law.prop([fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7], { minLength: 7 })])(
    "once all are released, in whatever order, it equals the schema of a table that always had them",
    (order) => {
      const columns = order.map((at) => column(at, `c${at}`, at % 2 === 0 ? "text" : "int"));
      const fields = columns.reduce<ReturnType<typeof insertField>>((now, one) => insertField(now, fieldFor(one)), []);
      const sorted = columns.toSorted((a, b) => a.attnum - b.attnum).map(fieldFor);
      expect(envelopeSchema(TOPIC, fields)).toEqual(envelopeSchema(TOPIC, sorted));
    },
  );

  it("is another for another type, name, nullability or default", () => {
    const { shape } = publishing();
    const others = [
      NICK,
      { ...NICK, name: "nickname" },
      { ...NICK, notNull: true },
      { ...NICK, defaultExpr: "'x'::text" },
      column(3, "nick", "int"),
    ];
    expect(new Set(others.map((one) => candidate(shape, one).hash)).size).toBe(others.length);
    expect(candidate(shape, NICK).hash).toBe(candidate(shape, NICK).hash);
  });

  it("of a type that is not mapped is none", () => {
    expect(candidateOf(publishing().shape, column(3, "at", "pg_lsn"))).toBeUndefined();
  });

  it("of a required field without default is optional when widened, and says why", () => {
    const { shape } = publishing();
    const required = candidate(shape, column(3, "level", "int", { notNull: true }));
    const wider = widened(shape, required);
    expect(required).toMatchObject({ widened: undefined, field: { optional: false } });
    expect(wider.widened).toContain("level");
    expect(wider.field).toMatchObject({ optional: true, avro: { type: ["null", "int"], default: null } });
    expect(wider.hash).not.toBe(required.hash);
    expect(rowNames(wider.text)).toEqual(rowNames(required.text));
  });
});
