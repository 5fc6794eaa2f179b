import { describe, expect, it } from "vitest";
import type { Rules } from "../../../src/gate/state.ts";
import { leftOutOf, newlyLeftOut, withLeftOut } from "../../../src/gate/amendment/left-out.ts";
import { column, ID, NAME, play, publishing, RULES, seen, stateOf, tableIn, tableOf, TOPIC } from "../customers.ts";

const TOTAL = column(3, "total", "int", { generated: true });
const AT = column(4, "at", "tid");
const WITHOUT_TOTAL: Rules = {
  ...RULES,
  filter: { ...RULES.filter, column: (_schema, _table, name) => name !== "total" },
};

describe("columns that no event can have", () => {
  it("are the generated ones and those whose type is not mapped, unless the file excludes them", () => {
    const table = publishing();
    const rules = (given: Rules) =>
      leftOutOf(given, table, [ID, NAME, TOTAL, AT]).map(({ rule, field }) => [rule, field]);
    expect(rules(RULES)).toEqual([
      ["column/generated", "total"],
      ["column/type-not-mapped", "at"],
    ]);
    expect(rules(WITHOUT_TOTAL)).toEqual([["column/type-not-mapped", "at"]]);
  });

  it("are remembered, and forgotten once they are gone", () => {
    const table = publishing();
    const with1 = withLeftOut(RULES, table, [ID, NAME, TOTAL]);
    expect(newlyLeftOut(table, with1).map(({ field }) => field)).toEqual(["total"]);
    expect(withLeftOut(RULES, with1, [ID, NAME, TOTAL])).toBe(with1);
    expect(withLeftOut(RULES, with1, [ID, NAME]).leftOut).toEqual([]);
  });

  it("that are generated and new are reported once, and become no amendment", () => {
    const input = seen([ID, NAME], { catalog: tableOf([ID, NAME, TOTAL]) });
    const first = play(RULES, stateOf(), input);
    expect(first.effects).toEqual([{ kind: "report-generated", topic: TOPIC, columns: ["total"] }]);
    expect(tableIn(first.state)).toMatchObject({ amendments: [], leftOut: [{ field: "total" }] });
    expect(play(RULES, first.state, input).effects).toEqual([]);
    expect(play(WITHOUT_TOTAL, stateOf(), input).effects).toEqual([]);
  });
});
