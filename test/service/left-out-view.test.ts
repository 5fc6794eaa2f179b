import { expect, it } from "vitest";
import type { CaptureFilter } from "../../src/capture/lists.ts";
import { leftOutColumns } from "../../src/service/left-out-view.ts";
import { attnum } from "../../src/table/column.ts";
import { ID, NAME, publishing, RULES, TOPIC, ZIP, stateOf } from "../gate/customers.ts";

const filter: CaptureFilter = { ...RULES.filter, column: (_schema, _table, column) => column !== "zip" };
const table = (more: object) => {
  const found = stateOf(publishing()).tables.get(TOPIC);
  if (found === undefined) throw new Error("the state has no table");
  return { ...found, known: [ID, NAME, ZIP], ...more };
};
const zip = { column: "zip", kind: "excluded", why: "Column zip is excluded by the connector's column lists." };

it.each([
  ["in watch mode, whose state does not keep them", {}],
  ["that the state remembers", { excluded: [{ attnum: attnum(4), as: "zip" }] }],
  ["before the table's columns have been read", { known: [], excluded: [{ attnum: attnum(4), as: "zip" }] }],
])("excluded columns are shown %s", (_, more) => {
  expect(leftOutColumns({ filter }, table(more))).toEqual([zip]);
});

it("a column that was renamed after it was excluded is shown by its name of today", () => {
  const renamed = table({
    known: [ID, NAME, { ...ZIP, name: "postcode" }],
    excluded: [{ attnum: attnum(4), as: "zip" }],
  });
  const why = "Column postcode is excluded by the connector's column lists.";
  expect(leftOutColumns({ filter }, renamed)).toEqual([{ column: "postcode", kind: "excluded", why }]);
});

it("an excluded column that was dropped is not shown", () => {
  const dropped = table({ known: [ID, NAME], excluded: [{ attnum: attnum(4), as: "zip" }] });
  expect(leftOutColumns({ filter }, dropped)).toEqual([]);
});
