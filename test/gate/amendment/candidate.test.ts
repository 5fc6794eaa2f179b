import { fc, test as law } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { parseSchemaText } from "../../../src/avro/schema-text.ts";
import { rowOf } from "../../../src/contract/row.ts";
import { envelopeSchema } from "../../../src/event/envelope/schema.ts";
import { canWiden, insertField } from "../../../src/gate/amendment/candidate.ts";
import type { TableState } from "../../../src/gate/state.ts";
import type { Column } from "../../../src/table/column.ts";
import { added, column, fieldFor, ID, madeOf, NAME, NICK, publishing, TOPIC, ZIP } from "../customers.ts";

const candidate = (table: TableState, of: Column) => madeOf(table, added(of)).candidate;
const rowNames = (text: string) => rowOf(parseSchemaText(text))?.fields.map((field) => field.name);

describe("the schema that a topic would have", () => {
  it("has the field at the position of its attnum", () => {
    const table = publishing([ID, NAME, ZIP]);
    expect(rowNames(candidate(table, NICK).text)).toEqual(["id", "name", "nick", "zip"]);
    expect(rowNames(candidate(publishing([ID, NICK]), ZIP).text)).toEqual(["id", "nick", "zip"]);
    expect(rowNames(candidate(publishing([NAME, NICK], false), ID).text)).toEqual(["id", "name", "nick"]);
  });

  law.prop([fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7], { minLength: 7 })])(
    "once all fields are released, in any order, it equals the schema of a table that always had them",
    (order) => {
      const columns = order.map((at) => column(at, `c${at}`, at % 2 === 0 ? "text" : "int"));
      const fields = columns.reduce<ReturnType<typeof insertField>>((now, one) => insertField(now, fieldFor(one)), []);
      const sorted = columns.toSorted((a, b) => a.attnum - b.attnum).map(fieldFor);
      expect(envelopeSchema(TOPIC, fields)).toEqual(envelopeSchema(TOPIC, sorted));
    },
  );

  it("differs for a different type, name, nullability or default", () => {
    const table = publishing();
    const others = [
      NICK,
      { ...NICK, name: "nickname" },
      { ...NICK, notNull: true },
      { ...NICK, defaultExpr: "'x'::text" },
      column(3, "nick", "int"),
    ];
    expect(new Set(others.map((one) => candidate(table, one).hash)).size).toBe(others.length);
    expect(candidate(table, NICK).hash).toBe(candidate(table, NICK).hash);
  });

  it("of a type that is not mapped adds nothing", () => {
    const unmapped = madeOf(publishing(), added(column(3, "at", "tid")));
    expect(unmapped).toMatchObject({ field: undefined, shape: publishing().shape });
  });

  it("of a required field without default is optional when widened, and says why", () => {
    const amendment = added(column(3, "level", "int", { notNull: true }));
    const [required, wider] = [false, true].map((wide) => madeOf(publishing(), amendment, wide));
    if (required === undefined || wider === undefined) throw new Error("two");
    expect(canWiden(required, amendment)).toBe(true);
    expect(canWiden(wider, amendment)).toBe(false);
    expect(required).toMatchObject({ candidate: { widened: undefined }, field: { optional: false } });
    expect(wider.candidate.widened).toContain("level");
    expect(wider.field).toMatchObject({ optional: true, avro: { type: ["null", "int"], default: null } });
    expect(wider.candidate.hash).not.toBe(required.candidate.hash);
    expect(rowNames(wider.candidate.text)).toEqual(rowNames(required.candidate.text));
  });
});
